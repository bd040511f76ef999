"""
The history of a home: for each run its complete steps, the decision of the gate, and the nDCG of its recommender.

It is read from the folders of the runs, which are kept when releases are pruned. Used by `recsys runs` and by
dashboards.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import polars as pl

from recsys import files
from recsys.home import Home
from recsys.pipeline.run import Event
from recsys.releases import registry

_REMEDY = "It concerns an old run only: restore the file from a backup, or remove it"
_OF_STEPS = {"start", "done", "failed"}  # events that have a step
PAST_RUNS_SCHEMA = pl.Schema(
    {
        "run": pl.String(),
        "n_steps": pl.Int64(),
        "verdict": pl.String(),
        "reasons": pl.List(pl.String()),
        "unreadable": pl.List(pl.String()),
        "stopped_in": pl.String(),
        "stopped_at": pl.String(),
        "error": pl.String(),
        "recommender": pl.String(),
        "ndcg": pl.Float64(),
        "seconds": pl.Float64(),
        "is_current": pl.Boolean(),
    }
)


def past_runs(home: Home) -> pl.DataFrame:
    """
    List the runs, oldest first.

    Returns:
        One row per run: run, n_steps (number of complete steps), verdict (published, refused or not finished), reasons
        (of the refusal; empty for other runs), unreadable (files that could not be read, and were new), stopped_in,
        stopped_at and error (the step in which an unfinished run stopped, when (UTC, ISO 8601) and why; the error is
        null if the run was killed or is still running; all are null for other runs), recommender (null if none was
        fitted on all data), ndcg (of that recommender on the test window), seconds (total of all steps) and is_current
        (whether its release is current).

    Raises:
        SetupError: A file of a run is damaged.
    """
    folders = [folder for folder in sorted(home.runs.glob("*")) if (folder / "log.jsonl").exists()]
    current = registry.current_name(home)
    return pl.DataFrame([_row(folder) | {"is_current": folder.name == current} for folder in folders], PAST_RUNS_SCHEMA)


def _row(folder: Path) -> dict[str, object]:
    done = steps_done(folder)
    recommender = done.get("refit", {}).get("recommender")
    verdict, reasons = _verdict(folder)
    return {
        "run": folder.name,
        "n_steps": len(done),
        "verdict": verdict,
        "reasons": reasons,
        "unreadable": done.get("ingest", {}).get("newly_unreadable", []),
        **(_stopped(folder) if verdict == "not finished" else {}),
        "recommender": recommender,
        "ndcg": _ndcg(folder / "run_metrics.parquet", recommender),
        "seconds": float(sum(event["seconds"] for event in done.values())),
    }


def steps_done(folder: Path) -> dict[str, Event]:
    """Read the log in a run's folder; return the last `done` event of each step, with its counts and seconds."""
    done = (event for event in events_of(folder) if event["event"] == "done")
    return {event["step"]: event for event in done if isinstance(event.get("seconds"), int | float)}


def _stopped(folder: Path) -> dict[str, str | None]:
    """Return step, time and error of a run's last event, if that is not the end of a step."""
    last = [event for event in events_of(folder) if event["event"] in _OF_STEPS][-1:]
    if not last or last[0]["event"] == "done":
        return {}
    return {"stopped_in": last[0]["step"], "stopped_at": last[0]["at"], "error": last[0].get("error")}


def events_of(folder: Path) -> Iterator[Event]:
    """Yield the events in the log of a run's folder, oldest first; lines that are no events are left out."""
    log = folder / "log.jsonl"
    if not log.exists():
        return
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        with suppress(ValueError, RecursionError):
            event = json.loads(line)
            if isinstance(event, dict) and "event" in event and ("step" in event or event["event"] not in _OF_STEPS):
                yield event


def _ndcg(metrics: Path, recommender: str | None) -> float | None:
    if recommender is None or not metrics.exists():
        return None
    with files.reading(metrics, _REMEDY):
        values = pl.read_parquet(metrics).filter(metric="ndcg", recommender=recommender)["value"]
        return float(values.item()) if len(values) else None


def _verdict(folder: Path) -> tuple[str, list[str]]:
    if (folder / registry.PUBLISHED).exists():
        return "published", []
    if not (folder / "verdict.json").exists():
        return "not finished", []
    with files.reading(folder / "verdict.json", _REMEDY):
        verdict = files.read_json(folder / "verdict.json")
        return ("not finished", []) if verdict["passed"] else ("refused", list(verdict["reasons"]))
