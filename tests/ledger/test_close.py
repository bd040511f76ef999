"""Closing periods: the same lines as a second way finds that remembers every row; cells that pass and add up."""

import random
from collections import Counter
from datetime import timedelta

import polars as pl
import pytest

from recsys.ledger import close
from recsys.ledger.lines import AUDIENCES, MEASURES, Lines

from . import worlds
from .worlds import MONDAY, Memory, Row, World, close_day, frame, listeners

N_DAYS = 24
TOTALS = ("label_id", "dimension", "from_day", "to_day", "value", "is_late")


@pytest.mark.parametrize("seed", range(3))
def test_lines_are_those_of_a_closing_that_remembers_every_row(seed: int) -> None:
    """Late rows, recordings that change their label, and recordings without one included."""
    world, ledger, memory = World(random.Random(seed)), Lines.of({}), Memory()
    for day_no in range(N_DAYS):
        world.next_day(day_no)
        new = close_day(world, ledger, day_no)
        totals = new.figures.filter(pl.col("measure") == "n_plays", pl.col("dimension").is_in(["day", "week", "late"]))

        assert set(totals.select(TOTALS).rows()) == memory.close(world, day_no)

        ledger += new
    assert ledger.figures.filter("is_late").height > 0
    assert len(memory.counted) <= len(world.rows)


@pytest.mark.parametrize("seed", range(3, 5))
def test_cells_add_up_to_the_total_of_their_period(seed: int) -> None:
    """Along each dimension; and recordings add up to the line of their artist."""
    world, ledger = World(random.Random(seed)), Lines.of({})
    for day_no in range(N_DAYS):
        world.next_day(day_no)
        ledger += close_day(world, ledger, day_no)
    plays = ledger.figures.filter(measure="n_plays")
    period = ["label_id", "from_day", "to_day", "closing_no"]
    weeks = plays.filter(dimension="week").select(*period, "value").sort(period)

    for dimension in (*AUDIENCES, "artist", "source"):
        parts = plays.filter(dimension=dimension).group_by(period).agg(pl.col("value").sum()).sort(period)
        assert parts.equals(weeks), dimension
    artists = plays.filter(pl.col("dimension") == "artist", pl.col("cell").is_not_null())
    parts = plays.filter(dimension="recording").group_by(*period, "artist_id").agg(pl.col("value").sum())
    expected = artists.select(*period, "value", artist_id="cell").sort(*period, "artist_id")
    assert parts.select(expected.columns).sort(*period, "artist_id").equals(expected)


@pytest.mark.parametrize("seed", range(5, 9))
def test_what_was_removed_between_day_and_week_is_in_the_others(seed: int) -> None:
    """A listener is erased on a Sunday: the parts of the week add up to its days, and named parts have their rows."""
    world, ledger = World(random.Random(seed)), Lines.of({})
    labels = dict(world.labels)
    for day_no in range(6):
        world.next_day(day_no)
        world.labels = dict(labels)
        ledger += close_day(world, ledger, day_no)
    erased = Counter(row.user for row in world.rows).most_common(1)[0][0]
    n_before = sum(row.plays for row in world.rows)
    world.rows = [row for row in world.rows if row.user != erased]
    assert sum(row.plays for row in world.rows) < n_before
    ledger += close_day(world, ledger, 8)

    plays = ledger.figures.filter(measure="n_plays", is_late=False)
    days = plays.filter(pl.col("dimension") == "day", pl.col("to_day") < MONDAY + timedelta(days=7))
    of_days = dict(days.group_by("label_id").agg(pl.col("value").sum()).iter_rows())
    weeks = plays.filter(dimension="week")
    assert dict(weeks.select("label_id", "value").iter_rows()) == of_days
    assert of_days
    for dimension in (*AUDIENCES, "artist", "source", "loyalty"):
        cells = plays.filter(dimension=dimension)
        assert dict(cells.group_by("label_id").agg(pl.col("value").sum()).iter_rows()) == of_days, dimension
        assert "removed" not in cells["cell"]
    rows = frame(world.rows).join(listeners(world.n_users), on="user_id")
    for label, country, value in plays.filter(dimension="country").select("label_id", "cell", "value").iter_rows():
        own = [track for track, of_track in labels.items() if of_track == label]
        counted = rows.filter(pl.col("track_id").is_in(own), pl.col("listen_date") < MONDAY + timedelta(days=7))
        if country is not None:
            assert value <= int(counted.filter(pl.col("country") == country)["n_plays"].sum())


def test_labels_closed_one_by_one_get_the_same_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recordings that move between them included."""
    ledgers = []
    for chunk_rows in (1_000_000, 1):
        monkeypatch.setattr(close, "CHUNK_ROWS", chunk_rows)
        world, ledger = World(random.Random(7)), Lines.of({})
        for day_no in range(N_DAYS):
            world.next_day(day_no)
            ledger += close_day(world, ledger, day_no)
        ledgers.append(ledger.figures.sort(ledger.figures.columns))

    assert ledgers[0].equals(ledgers[1])
    assert ledgers[0]["label_id"].n_unique() == 3


def test_a_date_is_closed_once() -> None:
    """A run for the same or an earlier date adds nothing."""
    world, ledger = World(random.Random(1)), Lines.of({})
    for day_no in range(9):
        world.next_day(day_no)
    ledger += close_day(world, ledger, 8)

    assert ledger.figures.height > 0
    for day_no in (8, 7):
        assert all(table.is_empty() for table in close_day(world, ledger, day_no).tables.values())


def test_nothing_gives_no_line() -> None:
    """No rows, no labels, or nobody but two listeners: the date is closed, and nothing else is written."""
    for rows, labels in (
        ([], {}),
        ([], {"t1": "one"}),
        ([Row("u1", "t1", MONDAY, 1, 9)], {"t1": None}),
        (FEW, {"t1": "one"}),
    ):
        world = World(random.Random(1), n_users=2, rows=list(rows))
        world.labels = dict(labels)
        new = close_day(world, Lines.of({}), 14)

        assert (new.figures.height, new.closings.height) == (0, 1)
        assert close_day(world, new, 15).figures.is_empty()


FEW = [Row(user, "t1", MONDAY, 1, 100) for user in ("u0", "u1")]


def test_one_recording_of_one_artist_is_the_whole_label() -> None:
    """Its line, its artist's and the total are the same figure."""
    world = World(random.Random(1), n_users=6, rows=[Row(f"u{n}", "t1", MONDAY, 1, 2) for n in range(6)])
    world.labels = {"t1": "one"}
    lines = close_day(world, Lines.of({}), 14).figures.filter(measure="n_plays")

    assert (
        lines.filter(pl.col("dimension").is_in(["day", "week", "artist", "recording"]))["value"].to_list() == [12] * 4
    )
    assert lines.filter(dimension="recording").select("artist_id", "cell").row(0) == ("a0", "t1")


@pytest.mark.parametrize("seed", range(9, 12))
def test_lines_count_only_days_that_are_kept(seed: int) -> None:
    """Days wait for listeners; those whose rows were removed meanwhile are in no line, and closed lines stay."""
    world, ledger, n_waited = World(random.Random(seed), n_users=5), Lines.of({}), 0
    labels = dict(world.labels)
    for day_no in range(N_DAYS):
        world.next_day(day_no)
        world.labels, kept = dict(labels), MONDAY + timedelta(days=day_no - 3)
        removed = {row for row in world.rows if row.day < kept}
        world.rows = [row for row in world.rows if row not in removed and world.rng.random() < 0.9]
        last = (
            ledger.figures.filter(measure="n_plays", dimension="day").group_by("label_id").agg(pl.col("to_day").max())
        )
        closed_until = dict(last.iter_rows())
        new = close_day(world, ledger, day_no, kept_from={"listens": kept})

        days = new.figures.filter(measure="n_plays", dimension="day")
        for label, first, until, value in days.select("label_id", "from_day", "to_day", "value").iter_rows():
            own = [row for row in world.rows if labels[row.track] == label and first <= row.day <= until]
            after = closed_until.get(label, min(row.day for row in own) - timedelta(days=1)) + timedelta(days=1)
            assert first == max(after, kept)
            assert value == sum(row.plays for row in own)
            closed_until[label] = until
            n_waited += first == kept
        ledger += new
    assert n_waited > 0


def test_a_measure_that_came_later_is_closed_once_for_all_past_weeks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger of an older version has no lines of it; all others stay as they are, and no row is counted twice."""
    world, ledger, measure = World(random.Random(1)), Lines.of({}), "n_playlist_adds"
    monkeypatch.setattr(worlds, "frame", lambda rows: frame(rows).with_columns(n_playlist_adds="n_plays"))
    with monkeypatch.context() as older:
        older.setattr(close, "MEASURES", tuple(name for name in MEASURES if name != measure))
        for day_no in range(15):
            world.next_day(day_no)
            ledger += close_day(world, ledger, day_no)
    assert measure not in ledger.figures["measure"]
    added = close_day(world, ledger, 15).figures

    anew = close_day(world, Lines.of({}), 15).figures.filter(measure=measure)
    keys = ["label_id", "from_day", "to_day", "dimension", "artist_id", "cell", "value"]
    assert added.filter(measure=measure).select(keys).rows() == anew.select(keys).rows()
    assert anew.height > 20
