"""Who opens which file: by the access file, by what a provider has verified, and by nothing else."""

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
    """A home with a release of two labels, a recording each, and an access file."""
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
    """What recordings a viewer's file holds."""
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
def test_who_is_listed_sees_their_own(
    home: Home, claims: dict[str, Any], label_id: str | None, seen: list[str]
) -> None:
    """A label its own file, an operator the whole warehouse."""
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
def test_others_are_refused(home: Home, claims: dict[str, Any], message: str) -> None:
    """What the provider has not verified names nobody."""
    with pytest.raises(InputError, match=message):
        viewer_of(claims, home)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "does not exist: nobody has access"),
        ("operators = [", "cannot be read"),
        ("", "it is empty"),
        ("# nobody yet", "it is empty"),
        ('operators = ["a@b.c"]\n[labels]\nla1 = ["A@b.c "]', "a name of operators stands again in label 'la1'"),
        ('[labels]\nla1 = ["a@b.c"]\nla2 = ["A@B.C"]', "a name of label 'la1' stands again in label 'la2'"),
        ('operators = ["sub:1", " sub:1"]', "a name of operators stands again in operators"),
        ('operator = ["a@b.c"]', "'operator' is not expected"),
        ('labels = "la1"', "labels is no table"),
        ('operators = "anna@small.example"', "operators is no list of names"),
        ("operators = [1]", "operators is no list of names"),
        ('operators = ["anna@small.example"]\n[labels]\noperators = 1', "label 'operators' is no list of names"),
        ("[labels]\nla1 = [1]", "label 'la1' is no list of names"),
        ('[labels]\nla1 = "anna@small.example"', "label 'la1' is no list of names"),
        ('[labels.la1]\nnames = ["anna@small.example"]', "label 'la1' is no list of names"),
        ('[labels]\n"" = ["anna@small.example"]', "a label's id is empty"),
        ('[labels]\n"  " = ["anna@small.example"]', "a label's id is empty"),
        ('[labels.""]\n', "a label's id is empty"),
        ('operators = [""]', "a name of operators is empty"),
        ('operators = ["sub:"]', "a name of operators is empty"),
        ('[labels]\nla1 = [" "]', "a name of label 'la1' is empty"),
    ],
)
def test_an_access_file_that_cannot_be_read_lets_nobody_in(
    home: Home, tmp_path: Path, text: str | None, message: str
) -> None:
    """Rather nobody than anybody."""
    copy = Home(tmp_path)
    if text is not None:
        (tmp_path / "access.toml").write_text(text)

    with pytest.raises(SetupError, match=message) as refused:
        viewer_of(ANNA, copy)
    assert "@" not in str(refused.value).replace(str(tmp_path), "")  # a stranger may read it


def test_a_label_that_is_not_in_the_release_opens_nothing(home: Home, tmp_path: Path) -> None:
    """A misspelt id is no way to another label's file, nor to the operator's."""
    copy = Home(shutil.copytree(home.path, tmp_path / "home", symlinks=True))
    for label_id in ("la9", "LA1", " la1", "../la1", "operators", "None"):
        (copy.path / "access.toml").write_text(f'[labels]\n"{label_id}" = ["anna@small.example"]\n')

        with pytest.raises(SetupError, match="no file for the label"):
            viewer_of(ANNA, copy)


def test_without_a_login_the_machine_itself_is_the_operator(open_page: Open) -> None:
    """And the foot of the menu says why."""
    page = open_page("overview")

    assert page.sidebar.text[0].value.startswith("Operator, this machine only (no login is set up)")


def test_another_address_needs_a_login(home: Home, tmp_path: Path) -> None:
    """The command refuses to show everything to everybody; broken secrets are no permission."""
    copy = Home(shutil.copytree(home.path, tmp_path / "home", symlinks=True))
    assert "--server.address=127.0.0.1" in dashboard.command(copy, address="127.0.0.1", port=8501)
    with pytest.raises(SetupError, match=r"--address is 0\.0\.0\.0, and no login is set up"):
        dashboard.command(copy, address="0.0.0.0", port=8501)  # noqa: S104 - what is refused

    secrets_file(copy).write_text("[auth]\nclient_id = 'x'\n")
    assert "--server.address=0.0.0.0" in dashboard.command(copy, address="0.0.0.0", port=8501)  # noqa: S104 - allowed now
    secrets_file(copy).write_text("[auth")
    with pytest.raises(SetupError, match="until then nobody can log in"):
        dashboard.command(copy, address="0.0.0.0", port=8501)  # noqa: S104 - refused again


def test_a_label_that_no_release_knows_is_told_what_to_do(home: Home) -> None:
    """Its file is made by the next build."""
    with pytest.raises(RecsysError, match="no file for the label 'la9'"):
        registry.label_warehouse(home, "la9")
