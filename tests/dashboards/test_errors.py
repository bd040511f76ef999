"""Errors: operators read what is wrong and what to do; viewers of a label read no path, command, or other label."""

import ast
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from dashboards import access, parts
from dashboards.access import Viewer
from dashboards.menu import headers
from recsys.errors import InputError, RecsysError, SetupError, UnknownIds
from recsys.home import Home
from recsys.releases import registry
from recsys.warehouse.query import Warehouse

from .conftest import APP, PAGES, Open, markdown_of

FOR_LABELS = [name for name in PAGES if headers()[name].for_labels]
SERVER = re.compile(r"recsys |/home/|/tmp|\.duckdb|\.toml|Traceback", re.IGNORECASE)  # commands, paths, traces
OTHERS_SQL = """
select distinct label_id, label_name from marts.track_features where label_id is not null and label_id <> $label_id
"""
OTHER_SQL = "select track_id, artist_id from marts.track_features where label_id <> $label_id limit 1"


@pytest.fixture
def without_traces() -> Any:
    """Show no details of unexpected exceptions, as the app's own configuration says."""
    before = config.get_option("client.showErrorDetails")
    config.set_option("client.showErrorDetails", "none")
    yield
    config.set_option("client.showErrorDetails", before)


def missing(_file: Path, folder: Path) -> Path:
    """The label's file has been deleted."""
    return folder / "label.duckdb"


def overwritten(_file: Path, folder: Path) -> Path:
    """The label's file contains something else."""
    (folder / "label.duckdb").write_bytes(b"no database" * 1_000)
    return folder / "label.duckdb"


def damaged(file: Path, folder: Path) -> Path:
    """All but the beginning of the label's file is zeros: it can be opened, but not read."""
    content = file.read_bytes()
    (folder / "label.duckdb").write_bytes(content[:12_288] + bytes(len(content) - 12_288))
    return folder / "label.duckdb"


def texts(page: AppTest) -> str:
    """Return everything that a page tells its viewer, without its tables."""
    shown = [*markdown_of(page), *(text.value for text in page.sidebar.text)]
    return "\n".join([*shown, *(f"{error.message} {error.stack_trace}" for error in page.exception)])


def others(home: Home, label_id: str) -> list[str]:
    """List ids and names of all other labels."""
    with Warehouse.open(home.published_warehouse()) as warehouse:
        return [str(value) for row in warehouse.query(OTHERS_SQL, {"label_id": label_id}).rows() for value in row]


@pytest.mark.usefixtures("without_traces")
@pytest.mark.parametrize("damage", [missing, overwritten, damaged], ids=["missing", "overwritten", "damaged"])
@pytest.mark.parametrize("name", FOR_LABELS)
def test_a_broken_file_tells_a_label_nothing_about_the_server(
    *,
    open_page: Open,
    published_home: Home,
    label_id: str,
    tmp_path: Path,
    name: str,
    damage: Callable[[Path, Path], Path],
) -> None:
    """On every page."""
    page = open_page(name, label=label_id, file=damage(registry.label_warehouse(published_home, label_id), tmp_path))

    shown = texts(page)
    assert len(page.error) + len(page.exception) > 0
    assert SERVER.findall(shown) == []
    assert [other for other in others(published_home, label_id) if re.search(rf"\b{re.escape(other)}\b", shown)] == []


@pytest.mark.usefixtures("without_traces")
@pytest.mark.parametrize("name", FOR_LABELS)
def test_links_to_what_another_label_owns_tell_nothing(
    open_page: Open, published_home: Home, label_id: str, name: str
) -> None:
    """Ids of its artists, recordings and of the label itself, in each parameter of an address."""
    with Warehouse.open(published_home.published_warehouse()) as warehouse:
        track_id, artist_id = warehouse.query(OTHER_SQL, {"label_id": label_id}).row(0)
    other = others(published_home, label_id)[0]

    page = open_page(name, label=label_id, artist=artist_id, track=track_id, like=track_id, label_id=other, issue=other)

    shown = texts(page)
    assert SERVER.findall(shown) == []
    assert [text for text in (artist_id, track_id, other) if text in shown] == []


@pytest.mark.usefixtures("without_traces")
@pytest.mark.parametrize("is_label", [True, False], ids=["label", "operator"])
def test_a_missing_index_is_explained_to_operators_only(
    open_page: Open, label_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_label: bool
) -> None:
    """Discovery cannot compare sounds without it."""
    monkeypatch.setattr(registry, "index_folder", lambda _home: _raise(SetupError(f"{tmp_path}: run recsys nightly")))

    page = open_page("discovery", label=label_id if is_label else None)

    assert (parts.GENERAL_ERROR in page.error[0].value) == is_label
    assert ("recsys nightly" in page.error[0].value) != is_label
    assert not is_label or SERVER.findall(texts(page)) == []


def test_a_label_reads_no_command_where_nothing_has_been_scanned(open_page: Open, label_id: str) -> None:
    """An upload to Matches needs fingerprints of the catalogue, which only an operator can make."""
    page = open_page("matches", label=label_id)

    page.file_uploader[0].upload("mix.wav", b"no sound", "audio/wav").run()

    assert parts.GENERAL_ERROR in page.error[0].value
    assert SERVER.findall(texts(page)) == []


def _raise(error: RecsysError) -> Any:
    raise error


@pytest.mark.parametrize("name", FOR_LABELS)
def test_no_page_shows_a_label_commands_or_paths(
    open_page: Open, label_id: str, published_home: Home, name: str
) -> None:
    """Neither with data nor in its definitions of figures."""
    page = open_page(name, label=label_id)

    assert re.findall(r"recsys (?!is)\w+|/tmp", texts(page)) == []
    assert str(published_home.path) not in texts(page)


@pytest.mark.parametrize(
    ("error", "remedy", "is_shown"),
    [
        (InputError("The query failed: no column x"), "Correct it.", True),
        (InputError("The query failed: no column x"), "", False),
        (InputError("cannot read {home}/lake"), "Correct it.", False),
        (SetupError("the index is missing"), "Correct it.", False),
        (UnknownIds("There is no track 'a'. Did you mean 'b'?"), "Correct it.", False),
    ],
)
def test_a_label_reads_errors_about_its_own_input(
    *,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    error: RecsysError,
    remedy: str,
    is_shown: bool,
) -> None:
    """Other errors, also those that suggest ids or name a path of the home, go to the log."""
    error = type(error)(str(error).replace("{home}", str(tmp_path)))
    shown: list[str] = []
    monkeypatch.setenv("RECSYS_HOME", str(tmp_path))
    monkeypatch.setattr(access, "viewer", lambda: Viewer("anna@label.example", "la1", tmp_path))
    monkeypatch.setattr(st, "error", shown.append)

    parts.show_error(error, remedy)

    assert (str(error) in "".join(shown).replace("\\", "")) == is_shown
    assert (parts.GENERAL_ERROR in "".join(shown)) != is_shown
    assert (str(error) in caplog.text) != is_shown


def test_errors_are_shown_in_one_place() -> None:
    """A page shows an error by `parts.attempt`, or raises it, so that no label reads it."""
    calls = [
        path.stem
        for path in APP.parent.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func) in ("st.error", "st.exception", "st.sidebar.error")
    ]

    assert sorted(calls) == ["access", "parts", "parts"]  # no access; the details, and the general sentence


class User(dict[str, Any]):
    """A stand-in for `st.user`."""

    to_dict = dict.copy


@pytest.mark.parametrize(
    ("claims", "is_operator"),
    [
        ({"is_logged_in": True, "email": "ops@example.org", "email_verified": True}, True),
        ({"is_logged_in": True, "email": "anna@label.example", "email_verified": True}, False),
        ({"is_logged_in": True, "email": "ops@example.org", "email_verified": False}, False),
        ({"is_logged_in": True, "email": "eve@elsewhere.example", "email_verified": True}, False),
        ({"is_logged_in": False}, False),
    ],
    ids=["operator", "label", "unverified", "not listed", "nobody"],
)
@pytest.mark.parametrize(
    "access_file", ['operators = ["ops@example.org"]\n[labels]\nla1 = ["anna@label.example"]', "x"]
)
def test_without_a_release_only_operators_read_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, access_file: str, claims: Mapping[str, Any], is_operator: bool
) -> None:
    """While the access file is invalid, nobody does: the message is in the log."""
    monkeypatch.setenv("RECSYS_HOME", str(tmp_path))
    monkeypatch.setattr(access, "needs_login", lambda: True)
    monkeypatch.setattr(st, "user", User(claims))
    (tmp_path / "access.toml").write_text(access_file)

    assert access.may_read_details() == (is_operator and access_file != "x")


def test_an_unreadable_login_tells_nobody_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever requests the app then reads a general sentence."""
    monkeypatch.setenv("RECSYS_HOME", str(tmp_path))
    (tmp_path / "secrets.toml").write_text("[auth")

    page = AppTest.from_file(str(APP)).run()

    assert parts.GENERAL_ERROR in page.error[0].value
    assert str(tmp_path) not in texts(page)
