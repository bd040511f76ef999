"""What the page Operations should show, read from the files of the home without `recsys`."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from recsys.reports.wording import REFUSALS, format_duration

from .page import Truth, number

GIGABYTE = 10**9
FOLDERS = ("lake", "warehouse", "marts", "models", "exports", "indexes", "runs", "inbox", "uploads", "reports")


def operations(home: Path) -> Truth:
    """Return the page for a home with one published run and nothing in its inbox."""
    (run,) = sorted((home / "runs").iterdir())
    events = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    seconds = {event["step"]: event["seconds"] for event in events if event["event"] == "done"}
    total, disk, refused = sum(seconds.values()), _disk(home), _refused(home)
    steps = pl.DataFrame(
        {
            "step_no": range(1, len(seconds) + 1),
            "step": seconds.keys(),
            "seconds": seconds.values(),
            "share": [value / total for value in seconds.values()],
        }
    )
    metrics = {
        "Last published run": f"{number(total)} s",
        "Disk used": f"{number(disk['n_bytes'].sum() / GIGABYTE)} GB",
        "Files waiting": "0",
        "Rows refused": number(refused["n_waiting"].sum()),
    }
    sentences = [f"The last run, {run.name}, was published.", _length(events)]
    rows = {"step_times": steps, "disk": disk, "queue": refused, "refusals": _reasons(home)}
    return Truth({name: (value, "") for name, value in metrics.items()}, rows, sentences)


def _length(events: list[dict[str, Any]]) -> str:
    """Say when the last step ended, and how long the run took since its first event."""
    last = [event["at"] for event in events if event["event"] == "done"][-1]
    took = datetime.fromisoformat(last) - datetime.fromisoformat(events[0]["at"])
    when = f"{last[:10]} at {last[11:16]} UTC"
    return f"Its last step ended on {when}; it took {format_duration(took.total_seconds())}."


def _disk(home: Path) -> pl.DataFrame:
    """Return the files and bytes of each part, largest first."""
    every = [Path(folder, name) for folder, _, names in os.walk(home) for name in names]
    files = [(path.relative_to(home).parts, path.stat().st_size) for path in every if not path.is_symlink()]
    rows = [{"part": _part(parts), "n_files": 1, "n_bytes": size} for parts, size in files]
    sums = pl.DataFrame(rows).group_by("part").agg(pl.col("n_files", "n_bytes").sum())
    return sums.sort("n_bytes", descending=True).with_columns(size_mb=pl.col("n_bytes") / 1_000_000)


def _part(parts: tuple[str, ...]) -> str:
    if parts[:2] == ("warehouse", "labels"):
        return "label files"
    return parts[0] if parts[0] in FOLDERS else "other files"


def _quarantine(home: Path) -> pl.DataFrame:
    return pl.read_parquet(sorted((home / "lake" / "quarantine").rglob("*.parquet")), hive_partitioning=False)


def _reasons(home: Path) -> pl.DataFrame:
    """Return the rows of the quarantine by table, reason and column, most first."""
    keys = ["source_table", "reason", "column_name"]
    counts = _quarantine(home).group_by(keys).agg(n_rows=pl.len().cast(pl.Int64))
    ordered = counts.sort("n_rows", *keys, descending=[True, False, False, False], nulls_last=True)
    return ordered.with_columns(pl.col("reason").replace(REFUSALS))


def _refused(home: Path) -> pl.DataFrame:
    """Return the rows of the quarantine by table, most first."""
    rows = _quarantine(home)
    counts = rows.group_by("source_table").agg(n_waiting=pl.len().cast(pl.Int64))
    ordered = counts.sort("n_waiting", "source_table", descending=[True, False])
    missing = ordered.with_columns(size_mb=pl.lit(None, pl.Float64), oldest=pl.lit(None, pl.Date))
    return missing.with_columns(place=pl.concat_str(pl.lit("quarantine: rows of "), "source_table"))
