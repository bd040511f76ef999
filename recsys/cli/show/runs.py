"""Printed output about runs: summary, history, ingested files, the checks of `recsys doctor`, the demo world."""

import shlex
import sys
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.table import Column, Table
from rich.text import Text

from recsys.cli.show.events import clock
from recsys.cli.show.tables import GAP, cell, frame, note, out, relative
from recsys.errors import SetupError
from recsys.home import Home
from recsys.pipeline.history import past_runs, steps_done
from recsys.releases import registry

if TYPE_CHECKING:
    from recsys.demo import WorldSummary
    from recsys.ingest.run import IngestReport
    from recsys.lake.store import Batch
    from recsys.pipeline.doctor import Check
    from recsys.pipeline.run import Run
    from recsys.pipeline.summary import Area, Sample

_N_KNOWN = 3  # batches of known files that are named


def ingested(report: "IngestReport") -> None:
    """Print the counts of an ingest, one line per file and table, and the files that could not be read."""
    batches = [
        {"file": batch.source_file, "table": batch.table, "accepted": batch.n_accepted}
        | {"quarantined": batch.n_quarantined, "duplicate": batch.n_duplicate, "batch": batch.batch}
        for batch in report.batches
    ]
    if batches:
        frame(pl.DataFrame(batches))
    for batch in report.batches:
        _unknown_values(batch)
    if report.known_files:
        tables = ", ".join(f"{batch.table} (batch {batch.batch})" for batch in report.known_batches[:_N_KNOWN])
        more = ", ..." if len(report.known_batches) > _N_KNOWN else ""
        out.print(f"{len(report.known_files):,} files are in the lake already and were skipped: {tables}{more}")
        note.print("To take a file back: recsys ingest --undo BATCH", style="dim")
    for path in report.undone_files:
        note.print(
            f"{path} was taken back. To ingest it again, name it: recsys ingest {shlex.quote(str(path))}",
            soft_wrap=True,
        )
    n_entered = sum(batch.n_accepted for batch in report.entered)
    if n_entered:
        out.print(f"{n_entered:,} rows that were refused as future entered, since their day has come")
    for path, name in report.skipped:
        note.print(Text(f"Skipped in {path.name}: {name} (of no known format)", style="dim"))
    for warning in report.warnings:
        note.print(f"Warning: {warning}", soft_wrap=True, highlight=False)
    for _path, reason in report.unreadable:
        note.print(f"Not ingested: {reason}", soft_wrap=True)
    if any(batch["quarantined"] for batch in batches):
        note.print("Why rows were refused: recsys quarantine list", style="dim")


def taken_back(batches: "list[Batch]") -> None:
    """Print the batches of a file that was taken back."""
    for batch in batches:
        out.print(f"{batch.source_file}: {batch.n_accepted:,} rows of {batch.table} were taken back ({batch.batch})")
    note.print("The next build or nightly run leaves them out; the file can be ingested again", style="dim")


def _unknown_values(batch: "Batch") -> None:
    """Print which values of optional columns became unknown, one line per column and reason."""
    for count in batch.invalid_values:
        values = "1 value" if count["n_values"] == 1 else f"{count['n_values']:,} values"
        note.print(
            f"{batch.source_file}: {values} of {count['column_name']} became unknown ({count['reason']}, "
            f"first in line {count['first_line']:,}); the rows were accepted",
            soft_wrap=True,
            highlight=False,
        )


def summary(run: "Run", *, verbose: bool = False) -> None:
    """
    Print the results and metrics of a finished run and commands to try next; or that another release is current.

    Args:
        run: The run.
        verbose: Whether to list the number of rows of every table too.
    """
    from recsys.cli.show.models import quality
    from recsys.pipeline import summary as making
    from recsys.warehouse.internal import internal_sql
    from recsys.warehouse.query import Warehouse

    if registry.current_name(run.home) != run.run_id:
        remedy = f"To make it current: {command_line(run.home, ['rollback', run.run_id])}"
        out.print(f"The run {run.run_id} is finished but not current. {remedy}", soft_wrap=True)
        return
    with Warehouse.open(run.home.published_warehouse()) as warehouse:
        tables, sampled = warehouse.query(internal_sql("mart_sizes")), making.samples(warehouse)
        commands = making.next_commands(warehouse, sampled)
    out.print(Text.assemble("\n", (f"Run {run.run_id}", "bold"), " is published.\n"))
    _areas(making.areas(steps_done(run.folder), tables, run.recipe.export.k))
    if verbose:
        out.print()
        frame(tables)
    out.print()
    quality(run)
    for sample in sampled:
        _sample(sample)
    _title("Files")
    for name, path in making.locations(run).items():
        out.print(f"  {name:<10} {relative(path)}", soft_wrap=True)
    _title("Try next")
    for words in commands:
        out.print(f"  {cell(command_line(run.home, words))}", soft_wrap=True)


def _title(text: str) -> None:
    out.print(Text(f"\n{text}", "bold"))


def _areas(lines: "list[Area]") -> None:
    """Print one line per area with its time, and the total time."""
    table = Table.grid(Column(), Column(ratio=1), Column(justify="right", min_width=9), padding=(0, GAP, 0, 0))
    for area in lines:
        table.add_row(area.name, area.summary, "" if area.seconds is None else f"{area.seconds:,.1f} s")
    table.add_row("Total", "", f"{sum(area.seconds or 0 for area in lines):,.1f} s")
    out.print(table)


def _sample(sample: "Sample") -> None:
    """Print the first tracks of a listener's list: title - artist, and the reason below."""
    out.print(Text.assemble("\nListener ", (sample.user_id, "bold"), f": {sample.description}"))
    table = Table.grid(Column(justify="right", width=4), Column(), padding=(0, GAP, 0, 0))
    for row in sample.tracks.iter_rows(named=True):
        name = " - ".join(filter(None, (row["title"], row["artist_name"])))
        table.add_row(str(row["rank"]), Text(cell(f"{name}\n{row['reason']}")))
    out.print(table)


def history(home: Home) -> None:
    """Print every run with the gate's verdict and its metric, and the current release."""
    runs = past_runs(home)
    if runs.is_empty():
        out.print("There are no runs yet. Start one: recsys nightly")
        return
    shown = runs.select("run", "n_steps", "verdict", "recommender", "ndcg", "seconds")
    frame(shown.rename({"n_steps": "steps done", "ndcg": "nDCG"}))
    for row in runs.iter_rows(named=True):
        _print_faults(row)
    for run, reasons in runs.filter(verdict="refused").select("run", "reasons").iter_rows():
        out.print(f"{run} was refused: {'; '.join(reasons)}", soft_wrap=True)
    on_disk = registry.release_names(home)
    out.print(f"\nCurrent: {registry.current_name(home) or 'none'}. On disk: {', '.join(on_disk) or 'none'}")


def _print_faults(row: dict[str, Any]) -> None:
    """Print the files that a run could not read, and where and why it stopped."""
    if row["unreadable"]:
        out.print(f"{row['run']} could not read: {', '.join(row['unreadable'])}", soft_wrap=True)
    if row["stopped_in"]:
        why = row["error"] or "it was killed, or is still running"
        out.print(f"{row['run']} stopped in {row['stopped_in']} at {clock(row['stopped_at'])}: {why}", soft_wrap=True)


def command_line(home: Home, words: list[str]) -> str:
    """Return a shell command line that runs a command on this home; paths are relative to the current folder."""
    return shlex.join([*_program(home), *words])


def _program(home: Home) -> list[str]:
    called, found = Path(sys.argv[0]), which("recsys")
    is_found = called.name != "recsys" or (found is not None and called.exists() and called.samefile(found))
    return ["recsys" if is_found else relative(called.absolute()), "--home", relative(home.path.absolute())]


def checks(done: "list[Check]") -> int:
    """Print the checks of `recsys doctor`; return the exit code: 0 if everything is in order, else 3."""
    for check in done:
        out.print(f"{'ok ' if check.is_ok else 'BAD'}  {check.name:<18} {check.found}")
        if not check.is_ok:
            out.print(f"     {'':<18} -> {check.fix}")
    return 0 if all(check.is_ok for check in done) else SetupError.exit_code


def world(made: "WorldSummary") -> None:
    """Print the tables and files of a demo world and their folder."""
    frame(pl.DataFrame({"table": list(made.rows), "rows": list(made.rows.values())}))
    raw = made.files[0].parent
    n_recordings = sum(1 for _ in (raw / "audio").glob("*"))
    out.print(f"\nIn {relative(raw)}: {len(made.files)} files and {n_recordings} recordings")
    out.print(f"Ground truth: {relative(made.truth)}", soft_wrap=True)
