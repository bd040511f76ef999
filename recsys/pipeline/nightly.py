"""
The nightly run: new files into the lake, then the steps of `pipeline.steps`, each redone only if it is not whole.

Killed at any moment, a run leaves the last release as it was; `--resume` takes it up where it stopped and ends with the
same export. A finished run has nothing left to do.
"""

from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from recsys import files
from recsys.home import Home
from recsys.ingest.run import IngestReport, ingest, source_files
from recsys.library.files import audio_files
from recsys.pipeline import steps
from recsys.pipeline.run import Event, Run, step_of
from recsys.recipe import Recipe
from recsys.releases import registry

if TYPE_CHECKING:
    from recsys.library.scan import ScanReport

STEPS: dict[str, Callable[[Run], Event]] = {
    "build": steps.build,
    "train": steps.train,
    "evaluate": steps.evaluate,
    "refit": steps.refit,
    "group": steps.group,
    "forecast": steps.forecast,
    "chart": steps.chart,
    "recommend": steps.recommend,
    "match": steps.match,
    "gate": steps.judge,
    "export": steps.write_export,
    "publish": steps.publish,
    "morning": steps.morning,
}


def nightly(
    home: Home,
    inbox: Path,
    *,
    as_of: date,
    today: date,
    recipe: Recipe,
    resume: bool = False,
    tell: Callable[[Event], None] = lambda _event: None,
) -> Run:
    """
    Do everything for one date, in a home held by the caller.

    Args:
        home: Where.
        inbox: A folder of source files; those already in the lake are passed over.
        as_of: The last day of the logs that counts.
        today: The day of ingest.
        recipe: What to train, judge and export.
        resume: Keep the steps that an interrupted run of the same inputs has finished.
        tell: Called with every event.

    Returns:
        The run, finished.

    Raises:
        Refused: The gate keeps the last release.
    """
    waiting = source_files([inbox]) if inbox.exists() else []
    music = audio_files(inbox) if inbox.exists() else []
    run = Run.of(home, as_of, recipe, waiting=map(files.sha256_of, [*waiting, *music]), tell=tell)
    is_released = run.run_id in registry.release_names(home)
    if is_released and run.outcome("morning") is not None:
        is_current = registry.current_name(home) == run.run_id
        run.tell({"event": "nothing to do", "run": run.run_id, "is_current": is_current})
    else:
        if not is_released and (not resume or run.outcome("publish") is not None):  # a pruned night begins anew
            files.remove(run.folder)
        bring_in(run, waiting, today)
        if music:
            hear(run, inbox, today)
        advance(run, "morning")
    clean(run)
    return run


def bring_in(run: Run, paths: Iterable[Path], today: date) -> IngestReport:
    """Ingest as a step of the run."""
    with step_of(run, "ingest") as counts:
        report = ingest(run.home, paths, today=today)
        for _path, message in report.unreadable:
            run.log(event="warning", text=message)
        counts.update(
            n_files=len({batch.source_sha256 for batch in report.batches}), n_unreadable=len(report.unreadable)
        )
        for name in ("n_read", "n_accepted", "n_quarantined", "n_duplicate"):
            counts[name] = sum(getattr(batch, name) for batch in report.batches)
    return report


def hear(run: Run, folder: Path, today: date) -> "ScanReport":
    """Scan a folder of music as a step of the run."""
    from recsys.library.scan import scan  # noqa: PLC0415 - a night without music needs no decoder and no encoder

    with step_of(run, "scan") as counts:
        report = scan(run.home, folder, today=today, settings=run.recipe.audio)
        for problem in report.problems():
            run.log(event="warning", text=problem)
        counts.update({name: getattr(report, name) for name in ("n_files", "n_known", "n_copied", "n_analysed")})
        counts.update(n_damaged=len(report.damaged), n_failed=len(report.failures))
    return report


def advance(run: Run, last: str) -> None:
    """Do the steps up to `last` that are not whole yet, or were done against another champion."""
    trained, is_released = run.outcome("train"), run.run_id in registry.release_names(run.home)
    if trained is not None and not is_released and trained["champion"] != steps.rival(run):
        run.forget("train", "evaluate", "gate", "export")
    for name, step in STEPS.items():
        if run.outcome(name) is None:
            with step_of(run, name) as counts:
                counts.update(step(run))
        if name == last:
            return


def clean(run: Run) -> None:
    """Remove a finished run's working files; log, counts, metrics and lists stay."""
    files.remove(run.trial)
    files.remove_database(run.built)
    files.remove(run.prints)
