"""What the command line prints: tables, the progress of a run, and the summary at its end."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from recsys import registry
from recsys.demo import WorldSummary
from recsys.doctor import Finding
from recsys.errors import SetupError
from recsys.home import Home
from recsys.ingest.run import IngestReport
from recsys.recipe import FLOOR
from recsys.run import Event, Run
from recsys.warehouse.query import Warehouse

N_SAMPLED, N_SHOWN = 3, 3
out = Console(highlight=False)
note = Console(stderr=True, highlight=False)


def frame(rows: pl.DataFrame) -> None:
    """Print a frame as a table: numbers right, missing values as a dash."""
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name, dtype in rows.schema.items():
        table.add_column(name, justify="right" if dtype.is_numeric() else "left", overflow="fold")
    for row in rows.iter_rows():
        table.add_row(*map(cell, row))
    out.print(table)


def cell(value: object) -> str:
    """Write one value as a person would."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:,.4g}"
        case int():
            return f"{value:,}"
        case list():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def answer(rows: pl.DataFrame, form: str, path: Path | None) -> None:
    """Give an analyst's answer as a table, or as CSV, JSON Lines or Parquet to a file or the screen."""
    if form == "table":
        frame(rows)
        note.print(f"{rows.height:,} rows", style="dim")
        return
    flat = rows.with_columns(pl.col(pl.List(pl.String)).list.join("|")) if form == "csv" else rows
    writers: dict[str, Callable[[Any], object]] = {
        "csv": flat.write_csv,
        "json": flat.write_ndjson,
        "parquet": flat.write_parquet,
    }
    writers[form](path or sys.stdout.buffer)


@contextmanager
def ingest_progress(n_bytes: int) -> Iterator[Callable[[Path, int], None]]:
    """Show a bar that fills with the bytes taken in."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=note, transient=True) as bar:
        task = bar.add_task("ingest", total=n_bytes)

        def advance(path: Path, done: int) -> None:
            bar.update(task, advance=done, description=path.name)

        yield advance


def ingested(report: IngestReport) -> None:
    """Print what an ingest did, a line a file and table."""
    batches = [
        {"file": batch.source_file, "table": batch.table, "accepted": batch.n_accepted}
        | {"quarantined": batch.n_quarantined, "duplicate": batch.n_duplicate}
        for batch in report.batches
    ]
    if batches:
        frame(pl.DataFrame(batches))
    if report.known_files:
        out.print(f"{len(report.known_files):,} files were in the lake already: nothing to do for them")
    if any(batch["quarantined"] for batch in batches):
        note.print("Why rows were refused: recsys build, then recsys query refused_rows", style="dim")


def event(happened: Event) -> None:
    """Print one event of a run as a line."""
    match happened["event"]:
        case "start":
            note.print(f"  {happened['step']:<10}", end="")
        case "done":
            counts = (f"{name.removeprefix('n_')} {cell(value)}" for name, value in _plain(happened))
            note.print(f"{happened['seconds']:8.1f} s   {', '.join(counts)}", soft_wrap=True)
        case "failed":
            note.print("  stopped")
        case "nothing to do":
            state = "and is current" if happened["is_current"] else "but not current: recsys rollback brings it back"
            note.print(f"The run {happened['run']} is finished {state}. Nothing to do")


def _plain(happened: Event) -> Iterator[tuple[str, object]]:
    hidden = {"at", "run", "event", "step", "seconds", "folder", "warehouse", "marts", "against", "p_values"}
    shown = ((name, len(value) if isinstance(value, dict) else value) for name, value in happened.items())
    return ((name, value) for name, value in shown if name not in hidden and isinstance(value, (int, str)))


def summary(run: Run) -> None:
    """Say what a finished run made, how good it is and what to try next."""
    with Warehouse.open(run.home.published_warehouse()) as warehouse:
        out.print(f"\n[bold]Run {run.run_id}[/bold] is published.\n")
        frame(
            warehouse.frame(
                "select name as table, n_rows as rows from meta.tables where name like 'marts.%' order by 1"
            )
        )
        out.print()
        quality(run)
        out.print(f"\nExport     {_relative(run.export)}")
        out.print(f"Warehouse  {_relative(run.home.warehouse)}")
        samples = _samples(warehouse)
    for (listener,), rows in samples.group_by(["user_id"], maintain_order=True):
        out.print(f"\nListener [bold]{listener}[/bold]")
        frame(rows.select(rank="rank", title="title", artist="artist_name", why="reason"))
    words = str(samples["artist_name"].drop_nulls().first() if samples.height else "love")
    out.print("\nTry next")
    for line in (f'find "{words}"', "query top_tracks", "describe interactions_daily"):
        out.print(f"  {_command(run.home)} {line}")


def quality(run: Run) -> None:
    """Print how good each recommender was, beside the popularity floor."""
    metrics = pl.read_parquet(run.metrics).filter(metric="ndcg").sort("value", descending=True)
    marks = {run.recipe.recommender: "exported", FLOOR: "the floor", "champion": "in charge before"}
    k, n_users = metrics["k"][0], metrics["n_users"][0]
    rows = metrics.select(
        "recommender",
        pl.col("value").round(4).alias(f"nDCG@{k}"),
        pl.format("{} to {}", pl.col("low").round(4), pl.col("high").round(4)).alias("95 % interval"),
        pl.col("recommender").replace_strict(marks, default="").alias(""),
    )
    out.print(f"Judged on {n_users:,} listeners, on days that no model was trained on:")
    frame(rows)


def _samples(warehouse: Warehouse) -> pl.DataFrame:
    return warehouse.frame(
        """
        with chosen as (
            select user_id from marts.listener_profile where n_tracks >= 10 order by hash(user_id) limit $n
        )
        select user_id, rank, title, artist_name, reason
        from marts.recommendations
        inner join chosen using (user_id)
        inner join marts.track_features using (track_id)
        where rank <= $shown
        order by user_id, rank
        """,
        {"n": N_SAMPLED, "shown": N_SHOWN},
    )


def runs(home: Home) -> None:
    """Print every run with its verdict and quality, and which release is current."""
    known = [_run_row(folder) for folder in sorted(home.runs.glob("*")) if (folder / "log.jsonl").exists()]
    if not known:
        out.print("No runs yet. Begin with: recsys nightly")
        return
    frame(pl.DataFrame(known, infer_schema_length=None))
    on_disk = registry.release_names(home)
    out.print(f"\nCurrent: {registry.current_name(home) or 'none'}. On disk: {', '.join(on_disk) or 'none'}")


def _run_row(folder: Path) -> dict[str, object]:
    log = pl.read_ndjson(folder / "log.jsonl", infer_schema_length=None)
    metrics = folder / "metrics.parquet"
    best = (
        pl.read_parquet(metrics).filter(metric="ndcg").sort("value", descending=True).head(1)
        if metrics.exists()
        else None
    )
    done = log.filter(event="done")
    return {
        "run": folder.name,
        "steps done": done["step"].n_unique(),
        "verdict": _verdict(folder),
        "best": best["recommender"][0] if best is not None else None,
        "nDCG": best["value"][0] if best is not None else None,
        "seconds": done["seconds"].sum() if "seconds" in done.columns else None,
    }


def _verdict(folder: Path) -> str:
    if (folder / "publish.done.json").exists():
        return "published"
    verdict = folder / "verdict.json"
    return "refused" if verdict.exists() and '"passed": false' in verdict.read_text() else "not finished"


def _relative(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _command(home: Home) -> str:
    called = Path(sys.argv[0])
    program = _relative(called.absolute()) if called.name == "recsys" else "recsys"
    return f"{program} --home {_relative(home.path.absolute())}"


def about(described: pl.DataFrame) -> None:
    """Print what a table is, what tells its rows apart, and what it reads and feeds."""
    row = described.row(0, named=True)
    out.print(f"[bold]{row['name']}[/bold]  {row['description']}\n")
    facts = {"grain": row["grain"] or "none", "rows": row["n_rows"], "reads": row["reads"], "read by": row["read_by"]}
    for name, value in facts.items():
        out.print(f"{name:<8} {cell(value) if value is not None else 'nothing'}")
    out.print()


def findings(found: list[Finding]) -> int:
    """Print what the doctor found; return the exit code: 0 if all is fit, else 3."""
    for each in found:
        out.print(f"{'ok ' if each.is_fit else 'BAD'}  {each.what:<18} {each.found}")
        if not each.is_fit:
            out.print(f"     {'':<18} -> {each.remedy}")
    return 0 if all(each.is_fit for each in found) else SetupError.exit_code


def world(made: WorldSummary) -> None:
    """Print the files of a demo world."""
    frame(pl.DataFrame({"table": list(made.rows), "rows": list(made.rows.values())}))
    out.print(f"\n{len(made.files)} files in {_relative(made.files[0].parent)}, the truth in {_relative(made.truth)}")
