"""
The nightly run: ingest new files into the lake, then do the steps of `pipeline.steps` that are not complete.

A run that is killed at any moment leaves the last release as it was. `--resume` continues it where it stopped and ends
with the same export. A finished run has nothing left to do.
"""

from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys import files
from recsys.errors import Refused
from recsys.home import Home
from recsys.ingest.run import IngestReport, ingest, source_files
from recsys.library.files import audio_files
from recsys.pipeline.inputs import Inputs
from recsys.pipeline.plan import made_by_steps, steps, steps_after, steps_up_to
from recsys.pipeline.publication import decided, publish_tables
from recsys.pipeline.results import Artefact, Outcome, Result, Step
from recsys.pipeline.run import Event, Run, step_of
from recsys.recipe import Recipe
from recsys.releases import registry
from recsys.releases.gate import Evidence

if TYPE_CHECKING:
    from recsys.library.scan import ScanReport


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
    Do the whole run of one date. The caller holds the lock of the home.

    Args:
        home: The home to read and write.
        inbox: A folder of source files; files that are in the lake already are skipped.
        as_of: The last day of the logs that the run uses.
        today: The day of ingest.
        recipe: What to train, evaluate and export.
        resume: Keep the complete steps of an interrupted run of the same inputs.
        tell: Called with every logged event.

    Returns:
        The finished run.

    Raises:
        Refused: The gate refused the new release; the last one stays current.
    """
    waiting = source_files([inbox]) if inbox.exists() else []
    music = audio_files(inbox) if inbox.exists() else []
    run = Run.of(home, as_of, recipe, waiting=map(files.sha256_of, [*waiting, *music]), tell=tell)
    is_released = run.run_id in registry.release_names(home)
    if is_released and run.outcome("morning") is not None:
        is_current = registry.current_name(home) == run.run_id
        run.tell({"event": "nothing to do", "run": run.run_id, "is_current": is_current})
    else:
        if not is_released and (not resume or run.outcome("publish") is not None):  # a pruned run starts again
            files.remove(run.folder)
        ingest_files(run, waiting, today)
        if music:
            scan_music(run, inbox, today)
        advance(run, "morning")
    remove_working_files(run)
    return run


def ingest_files(run: Run, paths: Iterable[Path], today: date) -> IngestReport:
    """Ingest files, logged as a step of the run."""
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


def scan_music(run: Run, folder: Path, today: date) -> "ScanReport":
    """Scan a folder of music, logged as a step of the run."""
    from recsys.library.scan import scan  # noqa: PLC0415 - a run without music needs no decoder and no encoder

    with step_of(run, "scan") as counts:
        report = scan(run.home, folder, today=today, settings=run.recipe.audio)
        for problem in report.problems():
            run.log(event="warning", text=problem)
        counts.update({name: getattr(report, name) for name in ("n_files", "n_known", "n_copied", "n_analysed")})
        counts.update(n_damaged=len(report.damaged), n_failed=len(report.failures))
    return report


def advance(run: Run, last: str) -> None:
    """Do the incomplete steps up to `last`; those that depend on the champion again if another one was published."""
    inputs = Inputs(run)
    _forget_other_champion(run, inputs)
    for step in steps_up_to(last):
        if run.outcome(step.name) is None:
            do(run, step, inputs)


def do(run: Run, step: Step, inputs: Inputs) -> None:
    """
    Do one step: read its inputs, call it, write what it made, log it and mark it as complete.

    Raises:
        Refused: The step refused to let the run go on.
    """
    with step_of(run, step.name) as counts:
        outcome = step(**{name: inputs[name] for name in step.reads})
        _write_outcome(run, step, outcome)
        counts.update(outcome.counts)


def _write_outcome(run: Run, step: Step, outcome: Outcome) -> None:
    """Write what a step made; raises KeyError if that is not what it declares, and Refused as `do` does."""
    declared = {made.name: made for made in step.makes}
    if missing := {name for name, made in declared.items() if isinstance(made, Result)} - outcome.made.keys():
        raise KeyError(f"{step.name} did not return {', '.join(sorted(missing))}, which it declares")
    for name, value in outcome.made.items():
        _write(declared[name], run, value)
    if outcome.refusal:
        raise Refused(outcome.refusal)


def _write(made: Result | Artefact, run: Run, value: Any) -> None:
    if isinstance(made, Result):
        made.write(run, value)
    elif made.write:
        made.write(made.path(run), value)


def _forget_other_champion(run: Run, inputs: Inputs) -> None:
    """Repeat the step `train` and all that depend on it if another champion was published since it was done."""
    trained, is_released = run.outcome("train"), run.run_id in registry.release_names(run.home)
    if trained is None or is_released:
        return
    champion = inputs.champion
    if trained["champion"] != (champion and str(champion["run"])):
        run.forget(*(step.name for step in steps_after("train")))


def build_and_publish(run: Run, backfill: tuple[date, date] | None = None) -> Path:
    """Build the tables and publish them with the last release's lists and model; return the published warehouse."""
    inputs = Inputs(run, backfill)
    do(run, steps()["build"], inputs)
    evidence = Evidence(run.as_of, dict(inputs["built_tables"].iter_rows()), inputs.last_published)
    _write_outcome(run, steps()["gate"], decided(evidence, run.recipe, run.run_id))
    return publish_tables(run.home, run.run_id, inputs["build_file"], inputs.last_results, run.log)


def remove_working_files(run: Run) -> None:
    """Remove the working files of a finished run; its log, markers, metrics and lists stay."""
    for made in made_by_steps().values():
        if made.lifetime == "run":
            files.remove_database(made.path(run))
