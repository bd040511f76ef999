"""Which warehouse file an account may open depends on the access file and on verified claims alone."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dashboards.access import Viewer, viewer_of
from recsys.cli import dashboard
from recsys.errors import InputError, RecsysError, SetupError
from recsys.home import Home
from recsys.ingest.run import ingest
from recsys.login import secrets_file
from recsys.pipeline.nightly import build_and_publish
from recsys.pipeline.run import Run
from recsys.recipe import read_recipe
from recsys.releases import registry
from recsys.warehouse.query import Warehouse

from .conftest import Open

TODAY, AS_OF = date(2026, 2, 28), date(2026, 1, 31)
TRACKS = "track_id,title,artist_id,label_id\nt1,One,ar1,la1\nt2,Two,ar2,la2\n"
LABELS = "label_id,name\nla1,Small Hours\nla2,Lodestar\n"
ACCESS = """
operators = ["Ops@Example.org"]

[labels]
la1 = ["anna@small.example", "sub:00u1"]
la2 = ["bea@lodestar.example"]
"""
ANNA = {"sub": "1", "email": "anna@small.example", "email_verified": True}
BEA = {"sub": "2", "email": "bea@lodestar.example", "email_verified": True}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with a release of two labels with one recording each, and an access file."""
    folder = tmp_path_factory.mktemp("access")
    home = Home(folder / "home")
    listens = "".join(f"u{n},t{n % 2 + 1},2026-01-05T10:00:00Z,200000\n" for n in range(40))
    texts = {"listens": f"user_id,track_id,listened_at,ms_played\n{listens}", "tracks": TRACKS, "labels": LABELS}
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text)
    ingest(home, [folder / f"{name}.csv" for name in texts], today=TODAY)
    run = Run.of(home, AS_OF, read_recipe())
    build_and_publish(run)
    (home.path / "access.toml").write_text(ACCESS)
    return home


def titles(viewer: Viewer) -> list[str]:
    """List the recordings in a viewer's file."""
    with Warehouse.open(viewer.warehouse) as warehouse:
        return warehouse.query("select title from marts.track_features order by title")["title"].to_list()


@pytest.mark.parametrize(
    ("claims", "label_id", "seen"),
    [
        (ANNA, "la1", ["One"]),
        (ANNA | {"email": "ANNA@small.example"}, "la1", ["One"]),
        (BEA, "la2", ["Two"]),
        ({"sub": "00u1"}, "la1", ["One"]),
        ({"sub": "9", "email": "ops@example.org", "email_verified": True}, None, ["One", "Two"]),
    ],
    ids=["label", "capitals", "other label", "by the provider's id", "operator"],
)
def test_a_listed_account_opens_its_file(
    home: Home, claims: dict[str, Any], label_id: str | None, seen: list[str]
) -> None:
    """A label opens its own file, an operator the whole warehouse."""
    viewer = viewer_of(claims, home)

    assert viewer.label_id == label_id
    assert titles(viewer) == seen


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        (ANNA | {"email_verified": False}, "anna@small.example is not verified"),
        ({"sub": "1", "email": "anna@small.example"}, "is not verified"),
        (ANNA | {"email_verified": "true"}, "is not verified"),
        (ANNA | {"email": "eve@small.example"}, "eve@small.example has no access yet"),
        ({"sub": "anna@small.example"}, "has no access yet"),
        ({"sub": "3", "email": "sub:00u1", "email_verified": True}, "has no access yet"),
        ({}, "this account has no access yet"),
    ],
    ids=["unverified", "nothing said", "a text", "stranger", "an id like an e-mail", "an e-mail like an id", "nobody"],
)
def test_other_accounts_are_refused(home: Home, claims: dict[str, Any], message: str) -> None:
    """Unverified or unlisted names give no access."""
    with pytest.raises(InputError, match=message):
        viewer_of(claims, home)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "does not exist: nobody has access"),
        ("operators = [", "cannot be read"),
        ("", "the file is empty"),
        ("# nobody yet", "the file is empty"),
        ('operators = ["a@b.c"]\n[labels]\nla1 = ["A@b.c "]', "a name of operators is repeated in label 'la1'"),
        ('[labels]\nla1 = ["a@b.c"]\nla2 = ["A@B.C"]', "a name of label 'la1' is repeated in label 'la2'"),
        ('operators = ["sub:1", " sub:1"]', "a name of operators is repeated in operators"),
        ('operator = ["a@b.c"]', "unknown key 'operator'"),
        ('labels = "la1"', "labels is a text, expected the table"),
        ('operator = ["a@b.c"]\nlabel = 1', "unknown keys 'label', 'operator'; remove or rename"),
        (
            'operators = "anna@small.example"',
            "operators is a text, expected a list of names; write the names in brackets",
        ),
        ("operators = 2026-01-01", "operators is a date or time, expected a list of names"),
        ("operators = [1]", "operators contains a number, expected names; write them in quotes"),
        ("operators = [[]]", "operators contains a list, expected names"),
        (
            'operators = ["anna@small.example"]\n[labels]\noperators = 1',
            "label 'operators' is a number, expected a list",
        ),
        ("[labels]\nla1 = [true]", "label 'la1' contains true or false, expected names"),
        ('[labels]\nla1 = "anna@small.example"', "label 'la1' is a text, expected a list of names"),
        ('[labels.la1]\nnames = ["anna@small.example"]', "label 'la1' is a table, expected a list of names"),
        ('[labels]\n"" = ["anna@small.example"]', "a label id is empty"),
        ('[labels]\n"  " = ["anna@small.example"]', "a label id is empty"),
        ('[labels.""]\n', "a label id is empty"),
        ('operators = [""]', "a name of operators is empty"),
        ('operators = ["sub:"]', "a name of operators is empty"),
        ('[labels]\nla1 = [" "]', "a name of label 'la1' is empty"),
    ],
)
def test_an_invalid_access_file_gives_nobody_access(home: Home, tmp_path: Path, text: str | None, message: str) -> None:
    """The message says what to do, and names no account, since it goes to the log."""
    copy = Home(tmp_path)
    if text is not None:
        (tmp_path / "access.toml").write_text(text)

    with pytest.raises(SetupError, match=message) as refused:
        viewer_of(ANNA, copy)
    assert "@" not in str(refused.value).replace(str(tmp_path), "")


@pytest.mark.parametrize("claim", ["", " ", "\t", "sub:", "\u200b"])
def test_a_blank_account_opens_nothing(home: Home, claim: str) -> None:
    """A provider that sends an empty e-mail or id gives access to nobody."""
    for claims in ({"email": claim, "email_verified": True}, {"sub": claim}, {"sub": claim, "email": claim}, {}):
        with pytest.raises(InputError, match=r"no access yet|not verified"):
            viewer_of(claims, home)


@pytest.mark.parametrize("label_id", ["", " "])
def test_an_empty_label_id_is_no_operator(home: Home, label_id: str) -> None:
    """Even without the access file, a viewer of the label '' is not shown the warehouse of all labels."""
    with pytest.raises(SetupError, match="no file for the label"):
        registry.label_warehouse(home, label_id)


def test_an_unknown_label_id_opens_no_file(home: Home, tmp_path: Path) -> None:
    """A misspelt id opens neither another label's file nor the operator's."""
    copy = Home(shutil.copytree(home.path, tmp_path / "home", symlinks=True))
    for label_id in ("la9", "LA1", " la1", "../la1", "operators", "None"):
        (copy.path / "access.toml").write_text(f'[labels]\n"{label_id}" = ["anna@small.example"]\n')

        with pytest.raises(SetupError, match="no file for the label"):
            viewer_of(ANNA, copy)


def test_without_a_login_the_machine_itself_is_the_operator(open_page: Open) -> None:
    """The text below the menu says so."""
    page = open_page("overview")

    assert page.sidebar.text[0].value.startswith("Operator, this machine only (no login is set up)")


def test_another_address_needs_a_login(home: Home, tmp_path: Path) -> None:
    """Without a login, or with an unreadable secrets file, the command refuses any address but the loopback."""
    copy = Home(shutil.copytree(home.path, tmp_path / "home", symlinks=True))
    assert "--server.address=127.0.0.1" in dashboard.command(copy, address="127.0.0.1", port=8501)
    with pytest.raises(SetupError, match=r"--address is 0\.0\.0\.0, and no login is set up"):
        dashboard.command(copy, address="0.0.0.0", port=8501)  # noqa: S104 - what is refused

    secrets_file(copy).write_text("[auth]\nclient_id = 'x'\n")
    assert "--server.address=0.0.0.0" in dashboard.command(copy, address="0.0.0.0", port=8501)  # noqa: S104 - allowed now
    secrets_file(copy).write_text("[auth")
    with pytest.raises(SetupError, match="until then nobody can log in"):
        dashboard.command(copy, address="0.0.0.0", port=8501)  # noqa: S104 - refused again


def test_a_label_without_a_file_is_an_error(home: Home) -> None:
    """The message says which label has no file."""
    with pytest.raises(RecsysError, match="no file for the label 'la9'"):
        registry.label_warehouse(home, "la9")
