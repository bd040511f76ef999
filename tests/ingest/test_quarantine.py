"""Refused rows: why they were refused, replays after a fix, rows whose day has come, and files refused as a whole."""

import json
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from recsys.cli import main
from recsys.errors import InputError, UnknownIds
from recsys.home import Home
from recsys.ingest import coerce
from recsys.ingest.pseudonym import listener_key, pseudonym
from recsys.ingest.quarantine import count_refused, drop_refused, show_refused
from recsys.ingest.replay import due_sources, replay
from recsys.ingest.run import ingest
from recsys.ingest.settings import IngestSettings
from recsys.lake.store import Lake

from .conftest import LISTENS, TODAY, Inbox

GOOD = "ann,t1,2026-01-01T10:00:00Z,1000,,,\n"
NO_TRACK = "bob,,2026-01-02T10:00:00Z,1000,,,\n"
TOMORROW = "cat,t1,2026-02-01T10:00:00Z,1000,,,\n"
LATER = "dan,t1,2026-02-09T10:00:00Z,1000,,,\n"
TRACKS = "track_id,title,artist_id\n"
SETTINGS = IngestSettings()


def log(inbox: Inbox) -> list[tuple[int, int, int, int, int, int]]:
    """Return the counts of every live batch: read, accepted, quarantined, duplicate, replayed, dropped."""
    return [
        (b.n_read, b.n_accepted, b.n_quarantined, b.n_duplicate, b.n_replayed, b.n_dropped)
        for b in Lake(inbox.home).batches()
    ]


def replay_all(
    inbox: Inbox, *, today: date = TODAY, settings: IngestSettings = SETTINGS, **named: Any
) -> tuple[int, int, int]:
    """Replay the quarantine; return accepted rows, rows that are still refused, and how many of them need a file."""
    report = replay(inbox.home, today=today, settings=settings, **named)
    return sum(batch.n_accepted for batch in report.entered), report.n_left, report.n_unreadable


def with_tracks_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Change how texts are parsed, as a fix of a mapping does: a missing value becomes 't9'."""
    parse = coerce.apply_contract

    def fixed(raw: pl.DataFrame, *more: Any) -> pl.DataFrame:
        return parse(raw.with_columns(pl.col("track_id").fill_null("t9")), *more)

    monkeypatch.setattr("recsys.ingest.replay.apply_contract", fixed)


def test_the_quarantine_says_why_without_a_warehouse(inbox: Inbox) -> None:
    """File, table, reason, column, number of rows and the first line, the most frequent first; nothing was accepted."""
    (batch,) = inbox.take("a.csv", LISTENS + NO_TRACK + TOMORROW + NO_TRACK.replace("bob", "eve")).batches

    assert count_refused(Lake(inbox.home)).rows() == [
        (batch.batch, "a.csv", "listens", "missing_value", "track_id", 2, 2),
        (batch.batch, "a.csv", "listens", "in_future", "listened_at", 1, 3),
    ]


def test_refused_rows_show_the_value_and_no_account(inbox: Inbox) -> None:
    """The value is the text of the column that caused the refusal; listeners are pseudonyms."""
    (batch,) = inbox.take("a.csv", LISTENS + TOMORROW).batches
    (row,) = show_refused(Lake(inbox.home), batch.batch).rows(named=True)

    assert (row["source_file"], row["source_line"], row["value"]) == ("a.csv", 2, "2026-02-01T10:00:00Z")
    assert json.loads(row["row"])["user_id"] == pseudonym("cat", listener_key(inbox.home.key_file))
    assert "cat" not in row["row"]
    assert show_refused(Lake(inbox.home), batch.batch, reason="missing_value").is_empty()


def test_a_batch_that_does_not_exist_is_refused(inbox: Inbox) -> None:
    """The message has the most similar id; this holds for every use of a batch."""
    (batch,) = inbox.take("a.csv", LISTENS + NO_TRACK).batches
    near = batch.batch[:-1] + "x"

    with pytest.raises(UnknownIds, match=f"Did you mean '{batch.batch}'"):
        show_refused(Lake(inbox.home), near)
    with pytest.raises(UnknownIds):
        drop_refused(Lake(inbox.home), near)
    with pytest.raises(UnknownIds):
        replay_all(inbox, batch_id=near)


def test_a_replay_of_nothing_changes_nothing(inbox: Inbox) -> None:
    """Of an empty home, an empty quarantine and rows that are still wrong."""
    assert replay_all(inbox) == (0, 0, 0)
    inbox.take("a.csv", LISTENS + GOOD)
    assert replay_all(inbox) == (0, 0, 0)
    inbox.take("b.csv", LISTENS + NO_TRACK)
    before = Lake(inbox.home).batch_log()

    assert replay_all(inbox) == (0, 1, 0)
    assert Lake(inbox.home).batch_log() == before


def test_rows_enter_once_after_a_fix(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """They form a batch of their own, and leave the quarantine; a second replay finds nothing."""
    inbox.take("a.csv", LISTENS + GOOD + NO_TRACK + TOMORROW)
    with_tracks_named(monkeypatch)

    assert [replay_all(inbox), replay_all(inbox)] == [(1, 1, 0), (0, 1, 0)]
    assert log(inbox) == [(3, 1, 1, 0, 1, 0), (1, 1, 0, 0, 0, 0)]
    assert inbox.rows("listens")["track_id"].to_list() == ["t1", "t9"]
    assert inbox.rows("listens")["user_id"][1] == pseudonym("bob", listener_key(inbox.home.key_file))
    assert inbox.refused() == [("in_future", "listened_at", "a.csv", 4)]
    assert Lake(inbox.home).verify() == 3


def test_a_row_that_came_otherwise_leaves_the_quarantine_as_a_duplicate(inbox: Inbox) -> None:
    """The corrected file brought the row already; it is not counted twice."""
    inbox.take("a.csv", LISTENS + TOMORROW)
    inbox.take("b.csv", LISTENS + TOMORROW + GOOD, today=TODAY + timedelta(days=1))

    assert inbox.refused() == []
    assert inbox.rows("listens").height == 2
    assert [counts[1] for counts in log(inbox)] == [0, 1, 1]


def test_rows_of_the_future_enter_when_their_day_has_come(inbox: Inbox) -> None:
    """At the next ingest of any file, and not before the end of the day before."""
    inbox.take("a.csv", LISTENS + GOOD + TOMORROW + LATER)
    same_day = inbox.take("b.csv", LISTENS)
    due = due_sources(inbox.home, TODAY + timedelta(days=1), SETTINGS)
    next_day = inbox.take("c.csv", LISTENS, today=TODAY + timedelta(days=1))

    assert (same_day.entered, [batch.n_accepted for batch in next_day.entered]) == ([], [1])
    assert due <= Lake(inbox.home).sources()
    assert len(due) == 1
    assert inbox.refused() == [("in_future", "listened_at", "a.csv", 4)]
    assert inbox.rows("listens")["listened_at"].dt.date().cast(pl.String).to_list() == ["2026-01-01", "2026-02-01"]


def test_an_old_refused_row_does_not_replace_a_newer_version(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a reference table, the row of the later file wins, although the replay comes after it."""
    inbox.take("a.csv", TRACKS + "t1,Old,\nt2,Two,\n")
    inbox.take("b.csv", TRACKS + "t1,New,ar1\n")
    parse = coerce.apply_contract
    monkeypatch.setattr(
        "recsys.ingest.replay.apply_contract",
        lambda raw, *more: parse(raw.with_columns(pl.col("artist_id").fill_null("ar2")), *more),
    )
    replay_all(inbox)

    assert inbox.rows("tracks").select("track_id", "title").rows() == [("t1", "New"), ("t2", "Two")]
    assert inbox.refused() == []


def test_a_row_that_could_not_be_parsed_needs_its_file(inbox: Inbox) -> None:
    """Only rows that are in the quarantine are read from it, by their lines; another file is refused."""
    inbox.take("a.csv", LISTENS + GOOD + "bob,t2\n" + TOMORROW)
    other = inbox.put("other.csv", LISTENS + GOOD)
    assert replay_all(inbox) == (0, 2, 1)
    with pytest.raises(InputError, match=r"No row of .*other\.csv is in the quarantine"):
        replay_all(inbox, file=other)

    later = TODAY + timedelta(days=1)

    assert replay_all(inbox, file=inbox.folder / "a.csv", today=later) == (1, 1, 1)
    assert inbox.rows("listens").height == 2
    assert pseudonym("cat", listener_key(inbox.home.key_file)) in inbox.rows("listens")["user_id"]


@pytest.mark.parametrize("track", ["10.0.0.1", "t" * 1000])
def test_a_text_that_is_not_stored_completely_needs_its_file(inbox: Inbox, track: str) -> None:
    """Otherwise the placeholder of an address, or a cut text, would become an id."""
    inbox.take("a.csv", LISTENS + TOMORROW.replace("t1", track))
    later = TODAY + timedelta(days=1)

    assert replay_all(inbox, today=later) == (0, 1, 1)
    assert replay_all(inbox, today=later, file=inbox.folder / "a.csv") == (1, 0, 0)
    assert inbox.rows("listens")["track_id"].to_list() == [track]


def test_dropped_rows_are_gone_but_counted(inbox: Inbox) -> None:
    """By reason or all; nothing is left to drop a second time."""
    (batch,) = inbox.take("a.csv", LISTENS + GOOD + NO_TRACK + TOMORROW).batches
    lake = Lake(inbox.home)

    assert drop_refused(lake, batch.batch, reason="in_future") == 1
    assert inbox.refused() == [("missing_value", "track_id", "a.csv", 3)]
    assert drop_refused(lake, batch.batch) == 1
    assert log(inbox) == [(3, 1, 0, 0, 0, 2)]
    with pytest.raises(InputError, match="has no rows in the quarantine"):
        drop_refused(lake, batch.batch)
    assert lake.verify() == 1


def test_a_file_with_too_many_refused_rows_is_refused_whole(inbox: Inbox) -> None:
    """Its valid rows wait in the quarantine, and enter once the recipe allows the share of refused rows."""
    path = inbox.put("a.csv", LISTENS + GOOD + GOOD.replace("t1", "t2") + NO_TRACK + NO_TRACK.replace("bob", "eve"))
    strict, equal = IngestSettings(max_refused=0.49), IngestSettings(max_refused=0.5)
    ingest(inbox.home, [path], today=TODAY, settings=strict)

    assert log(inbox) == [(4, 0, 4, 0, 0, 0)]
    assert [reason for reason, *_ in inbox.refused()] == ["batch_refused"] * 2 + ["missing_value"] * 2
    assert replay_all(inbox, settings=strict) == (0, 4, 0)
    assert replay_all(inbox, settings=equal) == (2, 2, 0)
    assert inbox.rows("listens").select("track_id", "ms_played").rows() == [("t1", 1000), ("t2", 1000)]


def test_a_file_at_the_limit_is_accepted(inbox: Inbox) -> None:
    """Only a larger share than the setting refuses the file; nine refused rows of ten are the default limit."""
    nine = "".join(NO_TRACK.replace("bob", f"u{n}") for n in range(9))
    inbox.take("a.csv", LISTENS + GOOD + nine)

    assert log(inbox) == [(10, 1, 9, 0, 0, 0)]


def command(home: Home, *words: str) -> Any:
    """Run a command of the command line."""
    return CliRunner().invoke(main, ["--home", str(home.path), *words])


def test_a_file_of_refused_rows_exits_2_and_leads_to_the_reason(inbox: Inbox) -> None:
    """The named command works although nothing was accepted."""
    path = inbox.put("a.csv", LISTENS + NO_TRACK)
    taken = command(inbox.home, "ingest", str(path))
    listed = command(inbox.home, "quarantine", "list", "--csv")

    assert (taken.exit_code, listed.exit_code) == (2, 0)
    assert "recsys quarantine list" in taken.output
    assert "missing_value,track_id,1,2" in listed.output


def test_a_file_with_an_accepted_row_exits_0(inbox: Inbox) -> None:
    """Also one whose rows are all known, and one without rows."""
    for name, content in (("a.csv", GOOD + NO_TRACK), ("b.csv", GOOD), ("c.csv", "")):
        assert command(inbox.home, "ingest", str(inbox.put(name, LISTENS + content))).exit_code == 0


@pytest.mark.parametrize("is_inside", [True, False])
def test_copies_of_files_lie_outside_of_the_home_and_are_deleted(inbox: Inbox, tmp_path: Path, is_inside: bool) -> None:
    """Readable by their owner only, for `archive_days`; none by default; other files in the folder stay."""
    archive = (inbox.home.path if is_inside else tmp_path) / "copies"
    settings = IngestSettings(archive=str(archive), archive_days=7)
    path = inbox.put("a.csv", LISTENS + GOOD)
    if is_inside:
        with pytest.raises(Exception, match="outside of"):
            ingest(inbox.home, [path], today=TODAY, settings=settings)
        return
    ingest(inbox.home, [path], today=TODAY, settings=settings)
    (copy,) = archive.rglob("*a.csv")
    (archive / "ingested=notes").mkdir()

    assert (copy.read_bytes(), copy.stat().st_mode & 0o777) == (path.read_bytes(), 0o600)
    assert archive.stat().st_mode & 0o777 == 0o700
    ingest(inbox.home, [path], today=TODAY + timedelta(days=7), settings=settings)
    assert copy.exists()
    ingest(inbox.home, [path], today=TODAY + timedelta(days=8), settings=settings)
    assert sorted(found.name for found in archive.iterdir()) == ["ingested=notes"]


@pytest.mark.parametrize("n_done", range(5))
def test_a_replay_that_is_killed_is_finished_or_undone(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, n_done: int
) -> None:
    """Before or after each rename of a file; the next replay ends with the row in the lake once."""
    inbox.take("a.csv", LISTENS + NO_TRACK + TOMORROW)
    later = TODAY + timedelta(days=1)
    rename, calls = Path.replace, iter(range(n_done))

    def killed(path: Path, target: Path) -> Path:
        if next(calls, None) is None:
            raise InterruptedError
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with suppress(InterruptedError):
            replay_all(inbox, today=later)
    n_files = Lake(inbox.home).verify()
    replay_all(inbox, today=later)

    assert n_files in (1, 2)
    assert log(inbox) == [(2, 0, 1, 0, 1, 0), (1, 1, 0, 0, 0, 0)]
    assert inbox.rows("listens").height == 1
    assert inbox.refused() == [("missing_value", "track_id", "a.csv", 2)]
    assert Lake(inbox.home).verify() == 2
