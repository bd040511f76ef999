"""The history of the runs of a home."""

from pathlib import Path

import polars as pl
import pytest

from recsys.errors import SetupError
from recsys.home import Home
from recsys.pipeline.history import PAST_RUNS_SCHEMA, past_runs


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with three runs: published, refused, and killed while writing a line of the log."""
    for run in ("2026-06-28-aaaaaaaa", "2026-06-29-bbbbbbbb", "2026-06-30-cccccccc"):
        folder = tmp_path / "runs" / run
        folder.mkdir(parents=True)
        done = '{"event": "done", "step": "build", "seconds": 2.5}\n'
        refit = '{"event": "done", "step": "refit", "seconds": 1.5, "recommender": "als"}\n'
        (folder / "log.jsonl").write_text(done + ('{"event": "do' if run.endswith("c") else refit))
    (tmp_path / "runs/2026-06-28-aaaaaaaa/publish.done.json").write_text("{}")
    (tmp_path / "runs/2026-06-29-bbbbbbbb/verdict.json").write_text('{"passed": false, "reasons": ["too few rows"]}')
    metrics = pl.DataFrame({"recommender": ["als", "popular"], "metric": "ndcg", "value": [0.25, 0.125]})
    metrics.write_parquet(tmp_path / "runs/2026-06-28-aaaaaaaa/run_metrics.parquet")
    return Home(tmp_path)


def test_each_run_has_its_verdict_and_what_it_came_to(home: Home) -> None:
    """Runs are listed by date, with the gate's reasons and the metric of the exported recommender."""
    found = past_runs(home)

    assert found["verdict"].to_list() == ["published", "refused", "not finished"]
    assert found["reasons"].to_list() == [[], ["too few rows"], []]
    assert found["ndcg"].to_list() == [0.25, None, None]
    assert found["seconds"].to_list() == [4.0, 4.0, 2.5]
    assert found["n_steps"].to_list() == [2, 2, 1]


def test_a_home_without_runs_has_none(tmp_path: Path) -> None:
    """A home without runs gives an empty table with all columns."""
    found = past_runs(Home(tmp_path))

    assert found.is_empty()
    assert found.schema == PAST_RUNS_SCHEMA


def log_of(home: Home, *lines: str) -> None:
    """Append lines to the log of the unfinished run."""
    with (home.runs / "2026-06-30-cccccccc" / "log.jsonl").open("a") as log:
        log.write("".join(f"\n{line}" for line in lines))


STARTED = '{"event": "start", "step": "train", "at": "2026-07-01T02:00:00.000+00:00"}'
FAILED = '{"event": "failed", "step": "train", "at": "2026-07-01T02:00:05.000+00:00", "error": "MemoryError in a.py"}'
STOPPED = ["stopped_in", "stopped_at", "error"]


@pytest.mark.parametrize(
    ("lines", "stopped"),
    [
        ([], (None, None, None)),
        ([STARTED], ("train", "2026-07-01T02:00:00.000+00:00", None)),
        ([STARTED, FAILED], ("train", "2026-07-01T02:00:05.000+00:00", "MemoryError in a.py")),
        (
            [STARTED, FAILED, "[1]", "{}", "{" * 50_000],
            ("train", "2026-07-01T02:00:05.000+00:00", "MemoryError in a.py"),
        ),
    ],
)
def test_an_unfinished_run_says_where_and_why_it_stopped(
    home: Home, lines: list[str], stopped: tuple[str | None, ...]
) -> None:
    """The last event of a step that has no end; damaged lines are skipped."""
    log_of(home, *lines)

    assert past_runs(home).select(STOPPED).rows() == [(None,) * 3, (None,) * 3, stopped]


def test_unreadable_files_are_listed_with_their_run(home: Home) -> None:
    """They are in the marker of the ingest, which is logged too."""
    log_of(home, '{"event": "done", "step": "ingest", "seconds": 1, "newly_unreadable": ["README.txt"]}')

    assert past_runs(home)["unreadable"].to_list() == [[], [], ["README.txt"]]


@pytest.mark.parametrize("name", ["2026-06-28-aaaaaaaa/run_metrics.parquet", "2026-06-29-bbbbbbbb/verdict.json"])
def test_a_damaged_file_of_a_run_is_named(home: Home, name: str) -> None:
    """It cannot be read as what it was."""
    (home.runs / name).write_bytes(b"\x00" * 40)

    with pytest.raises(SetupError, match=f"{name} is missing or damaged"):
        past_runs(home)
