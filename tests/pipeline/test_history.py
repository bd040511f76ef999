"""The history of the runs of a home."""

from pathlib import Path

import polars as pl
import pytest

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
