"""Notices about conflicts, with their evidence, and the log of what became of them."""

import shutil
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from recsys.cli import main
from recsys.errors import InputError, UnknownIds
from recsys.home import Home
from recsys.published.notices import issue
from recsys.reports.rights_notice import pdf_page
from recsys.rights.check import conflicts
from recsys.rights.notices import Event, Evidence, Notices
from recsys.state.actions import actions
from recsys.warehouse.query import Warehouse

ISSUED_AT = datetime(2026, 2, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def registered(planted: tuple[set[tuple[str, str]], Path]) -> tuple[Path, str]:
    """Return the planted registry's warehouse, and a work that is claimed by 125 %."""
    _, built = planted
    with Warehouse.open(built) as warehouse:
        return built, conflicts(warehouse, ("shares_over",))["subject"][0]


def test_a_notice_has_the_evidence_and_no_plays(
    registered: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of all claims, and one page of PDF; an unknown subject is refused, and texts are no markup."""
    built, subject = registered
    home = Home(tmp_path / "home")
    issued = partial(issue, home, by="ops", note="Withdraw the claim", issued_at=ISSUED_AT)
    monkeypatch.setattr(Home, "published_warehouse", lambda _home: built)

    folder = issued("shares_over", subject, recipient="Beta <Music>")
    with pytest.raises(UnknownIds, match="There is no shares_under"):
        issued("shares_under", subject, recipient="Beta")

    page = (folder / "notice.html").read_text()
    assert (folder.name, page.count("publisher:beta")) == ("00001", 3)
    assert "Beta &lt;Music&gt;" in page
    assert "Withdraw the claim" in page
    assert " plays" not in page
    assert (folder / "notice.pdf").read_bytes().startswith(b"%PDF")


def test_every_kind_but_listening_has_a_notice(
    registered: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a kind without evidence beside its name, and with a long text of what is asked for."""
    built, _ = registered
    home, note = Home(tmp_path / "home"), "Withdraw the claim " * 30
    issued = partial(issue, home, recipient="X", by="", issued_at=ISSUED_AT)
    monkeypatch.setattr(Home, "published_warehouse", lambda _home: built)
    with Warehouse.open(built) as warehouse:
        subjects = conflicts(warehouse).unique("kind").select("kind", "subject").rows()

    assert len(subjects) == 14
    for kind, subject in subjects:
        assert (issued(kind, subject, note=note) / "notice.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(InputError, match="is a figure of listening"):
        issued("unlicensed_use", "any", note="")


def test_what_is_asked_for_is_whole_on_the_page_or_said_to_be_cut(registered: tuple[Path, str]) -> None:
    """Words of a note of 600 letters stand there in order; of one of 6,000, the page says where the rest is."""
    with Warehouse.open(registered[0]) as warehouse:
        evidence = Evidence.read(warehouse, "shares_over", registered[1])
    short, long = (
        pdf_page(Event("1", "issued", "2026-02-01", "ops", "shares_over", "w", "X", note), evidence, date(2026, 1, 31))
        for note in ("Withdraw the claim. " * 30, "Withdraw the claim. " * 300)
    )

    assert " ".join(short.notes).count("Withdraw the claim.") == 30
    assert "the HTML page has all of it" in " ".join(long.notes)


def test_a_number_of_several_sources_needs_its_source(registered: tuple[Path, str], tmp_path: Path) -> None:
    """Sources number their parties alike: the claims are those of the one that is named."""
    built, kind = tmp_path / "built.duckdb", "party_with_several_ipis"
    shutil.copy(registered[0], built)
    with duckdb.connect(built) as connection:
        subject, source = connection.execute(
            "select subject, source from marts.rights_conflicts where kind = $kind", {"kind": kind}
        ).fetchall()[0]
        for table, column in (("rights_conflicts", "subject"), ("disputed_claims", "party_id")):
            connection.execute(
                f"insert into marts.{table} select * replace ('other' as source) from marts.{table} "
                f"where {column} = $subject and source = $source",
                {"subject": subject, "source": source},
            )

    with Warehouse.open(built) as warehouse:
        with pytest.raises(InputError, match="Several sources have this subject"):
            Evidence.read(warehouse, kind, subject)
        found = Evidence.read(warehouse, kind, subject, "other")

    assert set(found.conflicts["source"]) == set(found.claims["source"]) == {"other"}


def test_the_log_of_notices_is_append_only(tmp_path: Path) -> None:
    """Answers follow a notice, nothing follows a withdrawal, and a change of the log or of a page is noticed."""
    notices, by = Notices(Home(tmp_path / "home")), "ops"
    event = Event(notices.next_number(), "issued", ISSUED_AT.isoformat(), by, "shares_over", "w1", "Beta")
    notices.issue(event, {"notice.html": b"page"})
    notices.follow("00001", "rejected", answered_at=ISSUED_AT + timedelta(days=1), by=by, note="")
    notices.follow("00001", "withdrawn", answered_at=ISSUED_AT + timedelta(days=2), by=by, note="Settled")

    with pytest.raises(InputError, match="was withdrawn"):
        notices.follow("00001", "accepted", answered_at=ISSUED_AT, by=by, note="")
    with pytest.raises(UnknownIds, match="There is no notice '00002'"):
        notices.follow("00002", "accepted", answered_at=ISSUED_AT, by=by, note="")
    assert [event.event for event in notices.events()] == ["issued", "rejected", "withdrawn"]
    (row,) = notices.table().select("notice", "status", "since", "note").rows()
    assert row == ("00001", "withdrawn", "2026-02-03", "Settled")
    assert [(action.action, action.outcome) for action in actions(notices.home)][-1] == ("rights notice issued", "done")
    shown = CliRunner().invoke(main, ["--home", str(notices.home.path), "rights", "notice", "list", "--csv"]).stdout
    assert shown.splitlines()[1].startswith("00001,withdrawn,2026-02-03,shares_over,w1,Beta,")
    page, log = notices.folder / "00001" / "notice.html", notices.folder / "log.jsonl"
    page.write_text("other")
    with pytest.raises(InputError, match="differ from those"):
        notices.table()
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[1:]))
    with pytest.raises(InputError, match="Line 1 of"):
        notices.events()
