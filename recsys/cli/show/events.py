"""Printed progress: events of a run, epochs of training, ingested files."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from recsys.cli.show.tables import cell, note
from recsys.pipeline.run import Event


@contextmanager
def ingest_progress(n_bytes: int) -> Iterator[Callable[[Path, int], None]]:
    """Show a progress bar of the bytes processed so far."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=note, transient=True) as bar:
        task = bar.add_task("ingest", total=n_bytes)

        def show(path: Path, n_read: int) -> None:
            bar.update(task, advance=n_read, description=path.name)

        yield show


def epoch(event: Event) -> None:
    """Print the loss and the retrieval score of an epoch of training."""
    note.print(f"epoch {event['epoch']}: loss {event['loss']:.3f}, nearest neighbour correct {event['score']:.1%}")


def event(happened: Event, *, counts: bool = True) -> None:
    """Print one event of a run as a line, with the counts of a step if `counts`."""
    match happened["event"]:
        case "start" if note.is_terminal:
            note.print(f"  {happened['step']} ...", end="\r")  # overwritten by the next line
        case "done":
            counted = ", ".join(f"{name.removeprefix('n_')} {cell(value)}" for name, value in _plain(happened))
            line = f"  {happened['step']:<10}{happened['seconds']:8.1f} s"
            note.print(f"{line}   {counted}" if counts else line, soft_wrap=True)
        case "failed":
            error, seconds = happened["error"].partition(":")[0], happened["seconds"]
            when = f"{seconds:8.1f} s   stopped at {clock(happened['at'])}"
            note.print(f"  {happened['step']:<10}{when}: {error}", soft_wrap=True)
        case "trial":
            shown = "{recommender:<12} trial {trial} of {of}: nDCG {value:.4f}, best {best:.4f}"
            note.print(f"  {shown.format(**happened)}")
        case "fitted":
            cost = f"{happened['train_cpu_seconds']:.1f} CPU-s, {happened['listeners_per_second']:,.0f} listeners/s"
            note.print(f"  {happened['recommender']:<12} fitted: {cost}")
        case "week":
            note.print(f"  {happened['remedy']:<22} week {happened['week']} of {happened['of']}")
        case "warning":
            note.print(f"  warning: {happened['text']}", soft_wrap=True)
        case "nothing to do" if happened["is_current"]:
            note.print(f"The run {happened['run']} is finished and is current. Nothing to do")


def clock(instant: str) -> str:
    """Format the time of an event: day and time of day, UTC."""
    return f"{instant[:10]} {instant[11:19]} UTC"


def _plain(happened: Event) -> Iterator[tuple[str, object]]:
    hidden = {"at", "run", "event", "step", "seconds", "folder", "warehouse", "marts", "against", "p_values"}
    shown = ((name, len(value) if isinstance(value, dict) else value) for name, value in happened.items())
    return ((name, value) for name, value in shown if name not in hidden and isinstance(value, (int, str)))


def searched_file(path: Path) -> None:
    """Print that a file was searched, if standard error is a terminal."""
    if note.is_terminal:
        note.print(f"searched {path.name}")
