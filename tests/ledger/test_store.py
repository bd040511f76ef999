"""The ledger on disk: entries count once their run is published; missing or changed entries are noticed."""

import random
from pathlib import Path

import polars as pl
import pytest

from recsys.errors import InputError
from recsys.home import Home
from recsys.ledger.lines import Lines
from recsys.ledger.store import Ledger

from .worlds import World, close_day


def two_closings() -> list[Lines]:
    """Return what two closings of the same world add."""
    world, lines, added = World(random.Random(2)), Lines.of({}), []
    for day_no in range(10):
        world.next_day(day_no)
        if day_no in {5, 9}:
            added.append(close_day(world, lines, day_no))
            lines += added[-1]
    return added


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Return a ledger of two entries."""
    ledger = Ledger(Home(tmp_path))
    for number, lines in enumerate(two_closings()):
        ledger.append(f"run-{number}", lines)
    return ledger


def test_what_was_written_is_read_again(ledger: Ledger) -> None:
    """All lines, closings and labels."""
    first, second = two_closings()

    for name, table in ledger.read().tables.items():
        assert table.equals((first + second).tables[name]), name
    assert ledger.read().closings["run_id"].to_list() == ["run 5", "run 9"]


def test_an_entry_of_an_older_version_has_null_in_new_columns(tmp_path: Path) -> None:
    """The ledger outlives the versions that wrote it."""
    first, _ = two_closings()
    older = Lines(first.figures, first.tracks, first.closings.drop("min_listeners"), first.voids)
    ledger = Ledger(Home(tmp_path))
    ledger.append("run-0", older)

    lines = ledger.read()

    assert lines.closings["min_listeners"].to_list() == [None]
    assert lines.figures.equals(first.figures)


def test_a_staged_entry_counts_when_it_is_committed(ledger: Ledger) -> None:
    """Until then it is pending; discarded, it is gone."""
    before = ledger.read()
    void = pl.DataFrame([("one", None, None)], before.voids.schema, orient="row")
    added = Lines.of({"label_voids": void})
    ledger.prepare("run 10", added)

    assert (ledger.pending(), ledger.read().voids.height) == (["run 10"], 0)
    ledger.commit("run 10")
    assert (ledger.pending(), ledger.read().voids.height) == ([], 1)
    ledger.prepare("run 11", added)
    ledger.discard("run 11")
    ledger.commit("run 11")
    assert ledger.read().voids.height == 1


def test_nothing_to_write_is_no_entry(ledger: Ledger) -> None:
    """A run of a closed date adds nothing."""
    ledger.prepare("run 10", Lines.of({}))

    assert ledger.pending() == []


@pytest.mark.parametrize(
    "damage", ["last entry", "first entry", "all", "changed file", "changed checksums", "no JSON", "no number"]
)
def test_damage_is_noticed(ledger: Ledger, damage: str) -> None:
    """Whatever is missing or differs; the message says what to do."""
    first, last = sorted(path for path in ledger.folder.iterdir() if path.name[0].isdigit())
    if damage == "all":
        ledger.folder.rename(ledger.folder.with_name("elsewhere"))
    elif damage.endswith("entry"):
        (first if damage.startswith("first") else last).rename(ledger.folder.with_name("elsewhere"))
    elif damage == "changed file":
        pl.read_parquet(last / "label_figures.parquet").head(1).write_parquet(last / "label_figures.parquet")
    elif damage == "no JSON":
        (last / "entry.json").write_text('{"files": {')
    elif damage == "no number":
        (ledger.folder.parents[1] / "label_figures.json").write_text("{}")
    else:
        (first / "entry.json").write_text(
            (first / "entry.json").read_text().replace('"previous": ""', '"previous": "x"')
        )

    with pytest.raises(InputError, match=r"lake/label_figures cannot be used: .* recsys labels restart"):
        ledger.read()


def test_a_damaged_ledger_can_be_set_aside(ledger: Ledger) -> None:
    """Its files stay in the lake, under another name."""
    (next(ledger.folder.glob("000001-*")) / "label_tracks.parquet").unlink()

    aside = ledger.set_aside()

    assert aside is not None
    assert len(list(aside.iterdir())) >= 2
    assert ledger.read().closings.is_empty()
