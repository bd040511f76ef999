"""What is printed of runs: summary and history, what was taken in, what the doctor found, the demo world."""

import shlex
import sys
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import polars as pl
from rich.table import Column, Table
from rich.text import Text

from recsys.cli.show.models import quality
from recsys.cli.show.tables import GAP, cell, frame, note, out, relative
from recsys.errors import SetupError
from recsys.home import Home
from recsys.ingest.run import IngestReport
from recsys.pipeline import summary as making
from recsys.pipeline.doctor import Finding
from recsys.pipeline.history import past_runs, steps_done
from recsys.pipeline.run import Run
from recsys.releases import registry
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

if TYPE_CHECKING:
    from recsys.demo import WorldSummary


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
    for _path, reason in report.unreadable:
        note.print(f"Not taken in: {reason}", soft_wrap=True)
    if any(batch["quarantined"] for batch in batches):
        note.print("Why rows were refused: recsys build, then recsys query refused_rows", style="dim")


def summary(run: Run, *, verbose: bool = False) -> None:
    """
    Say what a finished run made, how good it is and what to try next; or that another release is current.

    Args:
        run: The run.
        verbose: Whether to list the size of every table too.
    """
    if registry.current_name(run.home) != run.run_id:
        remedy = f"To bring it back: {command_line(run.home, ['rollback', run.run_id])}"
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
    _title("Where things lie")
    for name, path in making.locations(run).items():
        out.print(f"  {name:<10} {relative(path)}", soft_wrap=True)
    _title("Try next")
    for words in commands:
        out.print(f"  {cell(command_line(run.home, words))}", soft_wrap=True)


def _title(text: str) -> None:
    out.print(Text(f"\n{text}", "bold"))


def _areas(lines: list[making.Area]) -> None:
    """Print a line per area, its time at the right, and the time of all."""
    table = Table.grid(Column(), Column(ratio=1), Column(justify="right", min_width=9), padding=(0, GAP, 0, 0))
    for area in lines:
        table.add_row(area.name, area.made, "" if area.seconds is None else f"{area.seconds:,.1f} s")
    table.add_row("All", "", f"{sum(area.seconds or 0 for area in lines):,.1f} s")
    out.print(table)


def _sample(sample: making.Sample) -> None:
    """Print the head of a listener's list: title - artist, and below it why."""
    out.print(Text.assemble("\nListener ", (sample.user_id, "bold"), f": {sample.about}"))
    table = Table.grid(Column(justify="right", width=4), Column(), padding=(0, GAP, 0, 0))
    for row in sample.tracks.iter_rows(named=True):
        name = " - ".join(filter(None, (row["title"], row["artist_name"])))
        table.add_row(str(row["rank"]), Text(cell(f"{name}\n{row['reason']}")))
    out.print(table)


def history(home: Home) -> None:
    """Print every run with its verdict and quality, and which release is current."""
    found = past_runs(home)
    if found.is_empty():
        out.print("No runs yet. Begin with: recsys nightly")
        return
    frame(found.drop("reasons", "is_current").rename({"n_steps": "steps done", "ndcg": "nDCG"}))
    for run, reasons in found.filter(verdict="refused").select("run", "reasons").iter_rows():
        out.print(f"{run} was refused: {'; '.join(reasons)}", soft_wrap=True)
    on_disk = registry.release_names(home)
    out.print(f"\nCurrent: {registry.current_name(home) or 'none'}. On disk: {', '.join(on_disk) or 'none'}")


def command_line(home: Home, words: list[str]) -> str:
    """Write a command on this home as a shell takes it, from where the reader is: names and paths quoted."""
    return shlex.join([*_program(home), *words])


def _program(home: Home) -> list[str]:
    called, found = Path(sys.argv[0]), which("recsys")
    is_found = called.name != "recsys" or (found is not None and called.exists() and called.samefile(found))
    return ["recsys" if is_found else relative(called.absolute()), "--home", relative(home.path.absolute())]


def findings(found: list[Finding]) -> int:
    """Print what the doctor found; return the exit code: 0 if all is fit, else 3."""
    for each in found:
        out.print(f"{'ok ' if each.is_fit else 'BAD'}  {each.what:<18} {each.found}")
        if not each.is_fit:
            out.print(f"     {'':<18} -> {each.remedy}")
    return 0 if all(each.is_fit for each in found) else SetupError.exit_code


def world(made: "WorldSummary") -> None:
    """Print the files of a demo world."""
    frame(pl.DataFrame({"table": list(made.rows), "rows": list(made.rows.values())}))
    raw = made.files[0].parent
    n_recordings = sum(1 for _ in (raw / "audio").glob("*.mp3"))
    out.print(f"\nIn {relative(raw)}: {len(made.files)} files and {n_recordings} recordings")
    out.print(f"What is true of them: {relative(made.truth)}", soft_wrap=True)
