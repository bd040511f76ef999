"""Files that are taken back, kills in the middle of it, and deliveries of the same bytes again."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from pkgutil import resolve_name

import polars as pl
import pytest
from click.testing import CliRunner

from recsys.cli import main
from recsys.columns import schema
from recsys.errors import InputError, UnknownIds
from recsys.home import Home
from recsys.ingest.deliveries import waiting_sources
from recsys.ingest.run import ingest, source_files
from recsys.ingest.undo import undo
from recsys.lake.store import Lake
from recsys.ledger.lines import CLOSINGS_COLUMNS, Lines
from recsys.ledger.store import Ledger

from .conftest import LISTENS, TODAY, Inbox

ONE = "ann,t1,2026-01-01T10:00:00Z,1000,,,\n"
TWO = "ann,t2,2026-01-02T10:00:00Z,2000,,,\n"
THREE = "bob,t1,2026-01-03T10:00:00Z,3000,,,\n"
BAD = "bob,,2026-01-03T10:00:00Z,3000,,,\n"
A = "track_id,title,artist_id\nt1,One,ar1\nt2,Two,ar1\n"
B = "track_id,title,artist_id\nt1,Uno,ar1\nt3,Tre,ar1\n"


class Killed(Exception):  # noqa: N818 - stands in for a killed process
    """The process ends here."""


def killed_after(n: int, then: Callable[..., object]) -> Callable[..., object]:
    """Return a function that forwards n calls to `then` and raises at the next call."""
    calls = iter(range(n))

    def call(*args: object, **named: object) -> object:
        if next(calls, None) is None:
            raise Killed
        return then(*args, **named)

    return call


def contents(home: Home) -> dict[str, bytes]:
    """Return every file of the lake, by path, without the temporary ones."""
    paths = (path for path in home.lake.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(home.lake)): path.read_bytes() for path in paths}


def close(home: Home, no: int, last_day: date, last_batch: int) -> None:
    """Let the ledger have a closing that counts days up to `last_day` and batches up to `last_batch`."""
    row = (no, f"run {no}", last_day, last_day, last_batch, 20, False)
    Ledger(home).append(
        "close", Lines.of({"label_closings": pl.DataFrame([row], schema(CLOSINGS_COLUMNS), orient="row")})
    )


def titles(inbox: Inbox) -> dict[str, str]:
    """Return the newest title of each track."""
    rows = inbox.rows("tracks").unique("track_id", keep="last", maintain_order=True)
    return dict(rows.select("track_id", "title").sort("track_id").iter_rows())


def test_a_file_that_was_taken_back_leaves_no_row(inbox: Inbox) -> None:
    """Neither in the table nor in the quarantine; the batch log keeps the entry and the day, and its number is used."""
    inbox.take("a.csv", LISTENS + ONE)
    (batch,) = inbox.take("b.csv", LISTENS + TWO + BAD).batches
    undone = undo(inbox.home, batch.batch, today=TODAY)
    lake = Lake(inbox.home)

    assert undone == [batch]
    assert inbox.rows("listens")["track_id"].to_list() == ["t1"]
    assert inbox.refused() == []
    assert [(entry.source_file, entry.undone_on) for entry in lake.batch_log()] == [
        ("a.csv", ""),
        ("b.csv", "2026-01-31"),
    ]
    assert (lake.verify(), lake.next_batch_no()) == (1, 3)


def test_a_file_taken_for_the_wrong_table_can_be_ingested_again(inbox: Inbox) -> None:
    """After a slip with `--as`; also the only batch of a home can be taken back."""
    path = inbox.put("l.csv", LISTENS + ONE)
    (batch,) = ingest(inbox.home, [path], today=TODAY, table="users").batches
    undo(inbox.home, batch.batch, today=TODAY)
    assert Lake(inbox.home).batches() == []
    ingest(inbox.home, [path], today=TODAY)

    assert (inbox.rows("users").height, inbox.rows("listens").height) == (0, 1)


def test_all_tables_of_a_file_are_taken_back_together(inbox: Inbox) -> None:
    """A Last.fm history brings listens, tracks and artists."""
    line = "user_1\t2026-01-01T10:00:00Z\tar1\tArtist\tt1\tTitle\n"
    batches = inbox.take("h.tsv", line * 2).batches
    undo(inbox.home, batches[0].batch, today=TODAY)

    assert {batch.table for batch in batches} == {"listens", "tracks", "artists"}
    assert [inbox.rows(batch.table).height for batch in batches] == [0, 0, 0]


def test_an_undo_that_is_not_possible_changes_nothing(inbox: Inbox) -> None:
    """Of an unknown batch, of one that was taken back, and of a file that could not be read."""
    (batch,) = inbox.take("a.csv", LISTENS + ONE).batches
    inbox.complaint("bad.csv", "a,b\n1,2\n")
    unreadable = Lake(inbox.home).batches()[-1].batch
    undo(inbox.home, batch.batch, today=TODAY)
    before = contents(inbox.home)

    with pytest.raises(UnknownIds, match="no batch 'x' in the batch log"):
        undo(inbox.home, "x", today=TODAY)
    with pytest.raises(InputError, match=r"of a\.csv was taken back on 2026-01-31"):
        undo(inbox.home, batch.batch, today=TODAY)
    with pytest.raises(InputError, match=f"recsys quarantine drop {unreadable}"):
        undo(inbox.home, unreadable, today=TODAY)
    assert contents(inbox.home) == before


UNDO_INTERRUPTIONS = [
    ("recsys.lake.store._write", 0),
    ("recsys.files.write_json", 0),  # what is staged
    ("recsys.files.sync_tree", 0),
    ("recsys.files.write_json", 1),  # the batch log
    ("pathlib.Path.replace", 1),
    ("recsys.lake.store.Lake._move_into_place", 0),
    ("pathlib.Path.replace", 2),  # the first data file
    ("recsys.lake.store.Lake._remove_files", 0),
    ("recsys.files.remove", 1),  # the first file that leaves
    ("recsys.files.remove", 2),
    ("recsys.files.remove", 3),
    ("recsys.files.remove", 4),  # the staging folder
]


@pytest.mark.parametrize(("where", "n"), UNDO_INTERRUPTIONS)
def test_an_undo_that_is_killed_ends_before_or_after(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, where: str, n: int
) -> None:
    """Recovery leaves the lake of before or of after, whole; once more, it is after, with the same bytes."""
    (batch,) = inbox.take("a.csv", LISTENS + ONE + TWO + BAD).batches
    close(inbox.home, 1, TODAY, batch.batch_no)
    before = contents(inbox.home)
    with monkeypatch.context() as patch:
        patch.setattr(where, killed_after(n, resolve_name(where)))
        with pytest.raises(Killed):
            undo(inbox.home, batch.batch, today=TODAY)

    lake = Lake(inbox.home)
    n_files = lake.verify()
    lake.recover()
    recovered = contents(inbox.home)
    if lake.batches():
        assert (recovered, n_files) == (before, 3)
        undo(inbox.home, batch.batch, today=TODAY)
    else:
        assert n_files == 0

    names = set(contents(inbox.home))
    assert not any(name.startswith(("listens/", "quarantine/", "_staging/")) for name in names)
    assert sum(name.startswith("_undone/listens/") for name in names) == 2
    assert lake.verify() == 0


def test_an_undo_is_possible_after_a_replay(inbox: Inbox) -> None:
    """The rows that came from the quarantine are taken back with their file."""
    tomorrow = TODAY + timedelta(days=1)
    (batch,) = inbox.take("a.csv", LISTENS + ONE + TWO.replace("2026-01-02", str(tomorrow))).batches
    inbox.take("b.csv", LISTENS, today=tomorrow)
    assert inbox.rows("listens").height == 2

    assert len(undo(inbox.home, batch.batch, today=tomorrow)) == 2
    assert inbox.rows("listens").height == 0


def test_a_file_in_a_folder_does_not_return_by_itself(inbox: Inbox) -> None:
    """A nightly run skips a file that was taken back; who names it ingests it."""
    path = inbox.put("a.csv", LISTENS + ONE)
    (batch,) = ingest(inbox.home, [inbox.folder], today=TODAY).batches
    undo(inbox.home, batch.batch, today=TODAY)
    skipped = ingest(inbox.home, [inbox.folder], today=TODAY)
    named = ingest(inbox.home, [path], today=TODAY)

    assert (skipped.batches, skipped.undone_files) == ([], [path])
    assert [again.batch == batch.batch for again in named.batches] == [False]
    assert inbox.rows("listens").height == 1


def test_rows_that_a_later_file_repeated_return_with_it(inbox: Inbox) -> None:
    """They had been skipped as duplicates; the later file, still in the folder, is read again for them."""
    (first,) = inbox.take("a.csv", LISTENS + ONE + TWO).batches
    inbox.take("b.csv", LISTENS + TWO + THREE)
    inbox.take("c.csv", LISTENS + ONE.replace("ann", "eve"))
    undo(inbox.home, first.batch, today=TODAY)
    report = ingest(inbox.home, [inbox.folder], today=TODAY)
    again = ingest(inbox.home, [inbox.folder], today=TODAY)

    assert [batch.source_file for batch in report.batches] == ["b.csv"]
    assert sorted(inbox.rows("listens")["ms_played"].to_list()) == [1000, 2000, 3000]
    assert again.batches == []


def test_a_reference_table_delivered_again_wins(inbox: Inbox) -> None:
    """A, B and A again, each named: it ends at A, and tracks that only B has stay."""
    a, b = inbox.put("a.csv", A), inbox.put("b.csv", B)
    for path in (a, b, a):
        ingest(inbox.home, [path], today=TODAY)

    assert titles(inbox) == {"t1": "One", "t2": "Two", "t3": "Tre"}
    assert ingest(inbox.home, [a], today=TODAY).batches == []


def test_a_reference_table_under_one_name_wins_each_time(inbox: Inbox) -> None:
    """The file in the folder is replaced by B, and then by A again; the ids of a run know it before and after."""
    found = []
    for content in (A, B, A):
        inbox.put("tracks.csv", content)
        waiting = waiting_sources(Lake(inbox.home).batch_log(), source_files([inbox.folder]))
        expected = Lake(inbox.home).sources() | waiting
        ingest(inbox.home, [inbox.folder], today=TODAY)
        ingest(inbox.home, [inbox.folder], today=TODAY)
        found.append(titles(inbox)["t1"])
        assert Lake(inbox.home).sources() == expected

    assert found == ["One", "Uno", "One"]
    assert len(Lake(inbox.home).batches()) == 3


def test_a_copy_of_an_old_version_does_not_return(inbox: Inbox) -> None:
    """It lay in the folder before the newer file came; a copy that comes afterwards is a new delivery."""
    inbox.put("a.csv", A)
    inbox.put("copy.csv", A)
    ingest(inbox.home, [inbox.folder], today=TODAY)
    inbox.put("d.csv", B)
    for _ in range(2):
        ingest(inbox.home, [inbox.folder], today=TODAY)
    before = titles(inbox)["t1"]
    inbox.put("e.csv", A)
    for _ in range(2):
        ingest(inbox.home, [inbox.folder], today=TODAY)

    assert (before, titles(inbox)["t1"]) == ("Uno", "One")


def test_files_that_are_named_together_are_not_delivered_again(inbox: Inbox) -> None:
    """A script that names all its files at each call changes nothing."""
    paths = [inbox.put("a.csv", A), inbox.put("b.csv", B)]
    reports = [ingest(inbox.home, paths, today=TODAY) for _ in range(2)]

    assert [len(report.batches) for report in reports] == [2, 0]
    assert titles(inbox)["t1"] == "Uno"


def test_listens_delivered_again_are_not_counted_twice(inbox: Inbox) -> None:
    """A, B and A again."""
    a, b = inbox.put("a.csv", LISTENS + ONE), inbox.put("b.csv", LISTENS + TWO)
    reports = [ingest(inbox.home, [path], today=TODAY) for path in (a, b, a)]

    assert [len(report.batches) for report in reports] == [1, 1, 0]
    assert inbox.rows("listens").height == 2


def test_an_undone_reference_table_gives_way_to_the_one_before(inbox: Inbox) -> None:
    """A and B, and B is taken back: it is A."""
    inbox.take("a.csv", A)
    (batch,) = inbox.take("b.csv", B).batches
    undo(inbox.home, batch.batch, today=TODAY)

    assert titles(inbox) == {"t1": "One", "t2": "Two"}


def numbers(inbox: Inbox) -> dict[str, int]:
    """Return the batch number of each track's listens."""
    return dict(inbox.rows("listens").select("track_id", "batch_no").iter_rows())


def test_rows_that_a_closing_counted_keep_their_number(inbox: Inbox) -> None:
    """So the ledger takes them for the rows that it has counted; a row of a day that was open gets the new number."""
    path = inbox.put("a.csv", LISTENS + ONE + TWO)
    (batch,) = ingest(inbox.home, [path], today=TODAY).batches
    close(inbox.home, 1, date(2026, 1, 1), batch.batch_no)
    undo(inbox.home, batch.batch, today=TODAY)
    ingest(inbox.home, [path], today=TODAY)

    assert numbers(inbox) == {"t1": 1, "t2": 2}


def test_rows_that_no_closing_counted_get_a_new_number(inbox: Inbox) -> None:
    """The ledger had no closing, or one that did not know the batch."""
    path = inbox.put("a.csv", LISTENS + ONE)
    (batch,) = ingest(inbox.home, [path], today=TODAY).batches
    undo(inbox.home, batch.batch, today=TODAY)
    close(inbox.home, 1, TODAY, 0)
    (again,) = ingest(inbox.home, [path], today=TODAY).batches
    undo(inbox.home, again.batch, today=TODAY)
    ingest(inbox.home, [path], today=TODAY)

    assert numbers(inbox) == {"t1": 3}
    assert not list((inbox.home.lake / "_undone").rglob("*.parquet"))


def test_a_number_is_given_back_once(inbox: Inbox) -> None:
    """A corrected time within the day matches; a further listen of that day is new; twice undone is as once."""
    (batch,) = inbox.take("a.csv", LISTENS + ONE).batches
    close(inbox.home, 1, TODAY, batch.batch_no)
    undo(inbox.home, batch.batch, today=TODAY)
    corrected = ONE.replace("10:00", "11:00")
    (second,) = inbox.take("b.csv", LISTENS + corrected).batches
    undo(inbox.home, second.batch, today=TODAY)
    inbox.take("c.csv", LISTENS + corrected)
    inbox.take("d.csv", LISTENS + ONE.replace("10:00", "12:00"))

    assert inbox.rows("listens")["batch_no"].sort().to_list() == [1, 4]
    assert len(list((inbox.home.lake / "_undone").rglob("*.parquet"))) == 1


def test_a_damaged_ledger_may_have_counted_everything(inbox: Inbox, tmp_path: Path) -> None:
    """Then all rows keep their numbers, so that nothing is counted twice once it is restored."""
    path = inbox.put("a.csv", LISTENS + ONE)
    (batch,) = ingest(inbox.home, [path], today=TODAY).batches
    close(inbox.home, 1, TODAY, 0)
    (entry,) = (inbox.home.lake / "label_figures").glob("*/entry.json")
    entry.rename(tmp_path / "lost.json")
    undo(inbox.home, batch.batch, today=TODAY)
    ingest(inbox.home, [path], today=TODAY)

    assert numbers(inbox) == {"t1": 1}


def test_the_command_takes_back_a_file_that_it_names(inbox: Inbox) -> None:
    """The ingest of a known file says which batch has it; the undo says what it took back."""
    path = inbox.put("l.csv", LISTENS + ONE)
    words = [["ingest", str(path), "--as", "users"], ["ingest", str(path)]]
    first, again = (CliRunner().invoke(main, ["--home", str(inbox.home.path), *call]) for call in words)
    home = inbox.home
    (batch,) = Lake(home).batches()
    undone = CliRunner().invoke(main, ["--home", str(home.path), "ingest", "--undo", batch.batch])
    nothing = CliRunner().invoke(main, ["--home", str(home.path), "ingest"])

    assert (first.exit_code, again.exit_code, undone.exit_code, nothing.exit_code) == (0, 0, 0, 2)
    assert f"users (batch {batch.batch})" in again.output
    assert f"l.csv: 1 rows of users were taken back ({batch.batch})" in undone.output
    assert inbox.rows("users").is_empty()
