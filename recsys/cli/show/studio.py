"""Printed output of the tools on audio files."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from recsys.cli.show.tables import frame, note, out
from recsys.files import printable

if TYPE_CHECKING:
    from recsys.audio.denoise.cure import Denoised
    from recsys.audio.separation.stems import Separated
    from recsys.studio.batch import BatchReport


@contextmanager
def progress(title: str) -> Iterator[Callable[[Path, float], None]]:
    """Show a progress bar per file."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=note, transient=True) as bar:
        tasks: dict[Path, Any] = {}

        def show(path: Path, share: float) -> None:
            if share >= 1:
                if path in tasks:
                    bar.remove_task(tasks.pop(path))
                return
            if path not in tasks:
                tasks[path] = bar.add_task(f"{title} {printable(path.name)}", total=1.0)
            bar.update(tasks[path], completed=share)

        yield show


def separated(report: "BatchReport[Separated]") -> None:
    """Print the share of vocals of each file, and the stems that were written."""
    rows = [
        (printable(path.name), round(found.duration_s, 1), round(100 * found.vocal_share), *_lost(found))
        for path, found in report.results.items()
    ]
    if rows:
        frame(pl.DataFrame(rows, schema=["file", "length (s)", "vocals (% of time)", "not decoded (s)"], orient="row"))
    _clipped(report)
    _written(report, report.results)


def _clipped(report: "BatchReport[Any]") -> None:
    """Print how many samples a format of whole numbers could not hold."""
    for path, found in report.results.items():
        if found.n_clipped:
            out.print(
                f"{printable(path.name)}: {found.n_clipped:,} samples above full scale were clipped; wav keeps them"
            )


def _lost(found: Any) -> tuple[float | None]:
    return (round(found.lost_s, 1) or None,)


def denoised(report: "BatchReport[Denoised]") -> None:
    """Print the noise of each file with its level, what was done about it, and the files that were written."""
    from recsys.studio.denoise import sentences

    for path, found in report.results.items():
        heard, *others = sentences(found)
        out.print(f"{printable(path.name)}  {heard}", soft_wrap=True)
        for sentence in others:
            out.print(f"  {sentence}")
    _clipped(report)
    _written(report, [path for path, found in report.results.items() if found.taken_db is not None])


def _written(report: "BatchReport[Any]", written: Iterable[Path]) -> None:
    """Print the files that were written, and why others were not."""
    for path in written:
        for target in report.outputs[path].values():
            out.print(printable(str(target)), soft_wrap=True)
    for path, failure in report.failures.items():
        out.print(f"{printable(str(path))}: {failure.message}", soft_wrap=True)
