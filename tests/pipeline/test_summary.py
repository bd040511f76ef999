"""The summary of a run, made from the counts of its steps."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from recsys.cli.show import runs
from recsys.home import Home
from recsys.pipeline.run import Event
from recsys.pipeline.summary import Area, Sample, areas, next_commands
from recsys.warehouse.query import Warehouse

TABLES = pl.DataFrame({"table": ["marts.a", "marts.b"], "rows": [1_200, 34]})
DONE: dict[str, Event] = {
    "ingest": {"seconds": 9.25, "n_files": 11, "n_unreadable": 1, "n_accepted": 1_099_318}
    | {"n_quarantined": 940, "n_duplicate": 0},
    "scan": {"seconds": 2.0, "n_files": 1, "n_analysed": 0, "n_known": 0, "n_copied": 0, "n_damaged": 0, "n_failed": 1},
    "build": {"seconds": 5.0, "tables": {}},
    "train": {"seconds": 10.0, "recommenders": ["als", "popular"], "n_pairs": 20_000},
    "refit": {"seconds": 4.5, "recommender": "als", "n_pairs": 30_000},
    "evaluate": {"seconds": 1.0, "n_judged": 1_938},
    "recommend": {"seconds": 3.0, "n_listeners": 2_500, "n_short_lists": 0, "n_fallback": 1}
    | {"products": {"radio": 1_000, "discovery": 500}},
    "compare_tunes": {"seconds": 2.5, "n_searched": 12, "n_resembling": 1},
    "clean": {"seconds": 1.5, "n_links": 24, "n_wrong_artists": 1, "n_to_review": 1},
    "gate": {"seconds": 0.5, "passed": True},
    "export": {"seconds": 0.25, "n_files": 12},
}


def test_each_area_has_a_line_with_its_time() -> None:
    """Zero counts and incomplete areas are omitted; an area with two steps has the sum of their times."""
    assert areas(DONE, TABLES, 20) == [
        Area(
            "Files",
            "11 files: 1,099,318 rows accepted, 940 refused, 1 unreadable file. See recsys quarantine list",
            9.25,
        ),
        Area("Music", "1 file: 1 unreadable", 2.0),
        Area("Warehouse", "2 tables, 1,234 rows", 5.0),
        Area("Models", "als, popular trained on 20,000 pairs of listener and track, then als on all 30,000", 14.5),
        Area("Evaluation", "on 1,938 listeners", 1.0),
        Area("Lists", "2,500 listeners, 20 tracks each; 1 listener by popularity only", 3.0),
        Area("Products", "2 kinds of lists, 1,500 rows", None),
        Area("Tunes", "12 tunes searched, 1 similar pair found", 2.5),
        Area("Cleaning", "24 duplicates linked, 1 finding to review: recsys review list", 1.5),
    ]


def test_the_release_says_what_listeners_preferred() -> None:
    """Without interleaved lists, and in runs of older versions, there is no preference to state."""
    published = {**DONE, "publish": {"seconds": 1.0, "release": "a"}}
    preferring = {**published, "gate": {"seconds": 0.5, "passed": True, "preference": "listeners preferred als to bpr"}}

    assert [areas(done, TABLES, 20)[-1].summary for done in (published, preferring)] == [
        "passed the gate; 12 files exported",
        "passed the gate; listeners preferred als to bpr; 12 files exported",
    ]


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[Warehouse]:
    """A warehouse without analysed music."""
    path = tmp_path / "w.duckdb"
    with duckdb.connect(path) as made:
        made.execute("create schema marts; create table marts.track_vectors (track_id varchar)")
    with Warehouse.open(path) as opened:
        yield opened


@pytest.mark.parametrize("name", ["A$AP Rocky & Ca$h", '$(touch "stolen")', '`x`; it\'s \\ "so"', "-n", "Sigur Rós"])
def test_a_command_to_try_is_pasted_as_it_stands(silent: Warehouse, tmp_path: Path, name: str) -> None:
    """Names and ids are quoted for the shell; one that begins with a dash is not read as an option."""
    tracks = pl.DataFrame({"rank": [1], "track_id": [f"trk {name}"], "artist_name": [name]})
    home = Home(tmp_path / "it's my home")

    commands = next_commands(silent, [Sample("ann", "", tracks)])
    lines = [runs.command_line(home, words) for words in commands]

    shelled = [
        subprocess.run(
            ["/bin/sh", "-c", f"printf '%s\\n' {line}"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for line in lines
    ]
    dash = ["--"] if name.startswith("-") else []
    called = ["recsys", "--home", str(home.path)]
    assert shelled[0] == [*called, "find", *dash, name]
    assert shelled[2] == [*called, "explain", "ann", f"trk {name}"]
    assert shelled[-1] == [*called, "dashboard"]
