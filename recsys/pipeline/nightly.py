"""
The nightly run: new files into the lake, then the steps of `pipeline.steps`, each done only if it is not whole.

Killed at any moment, a run leaves the last release as it was; `--resume` takes it up where it stopped and ends with the
same export. A finished run has nothing left to do.
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
from recsys.pipeline.publication import last_published, publish_tables, refusal
from recsys.pipeline.results import Artefact, Result, Step
from recsys.pipeline.run import Event, Run, step_of
from recsys.recipe import Recipe
from recsys.releases import gate, registry

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
        ingest_files(run, waiting, today)
        if music:
            scan_music(run, inbox, today)
        advance(run, "morning")
    remove_working_files(run)
    return run


def ingest_files(run: Run, paths: Iterable[Path], today: date) -> IngestReport:
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


def scan_music(run: Run, folder: Path, today: date) -> "ScanReport":
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
    """Do a step and all that it needs, each unless it is whole; what another champion would change is done again."""
    inputs = Inputs(run)
    _forget_other_champion(run, inputs)
    for step in steps_up_to(last):
        if run.outcome(step.name) is None:
            do(run, step, inputs)


def do(run: Run, step: Step, inputs: Inputs) -> None:
    """
    Do one step: read what it names, call it, write what it made, log it and mark it as whole.

    Raises:
        Refused: The step says that the run may not go on.
    """
    with step_of(run, step.name) as counts:
        outcome = step(**{name: inputs[name] for name in step.reads})
        declared = {made.name: made for made in step.makes}
        for name, value in outcome.made.items():
            _write(declared[name], run, value)
        if outcome.refusal:
            raise Refused(outcome.refusal)
        counts.update(outcome.counts)


def _write(made: Result | Artefact, run: Run, value: Any) -> None:
    if isinstance(made, Result):
        made.write(run, value)
    elif made.write:
        made.write(made.path(run), value)


def _forget_other_champion(run: Run, inputs: Inputs) -> None:
    """Have the trial fits and all that follows from them done again where another model is in charge by now."""
    trained, is_released = run.outcome("train"), run.run_id in registry.release_names(run.home)
    if trained is None or is_released:
        return
    in_charge = inputs.champion
    if trained["champion"] != (in_charge and str(in_charge["run"])):
        run.forget(*(step.name for step in steps_after("train")))


def build_and_publish(run: Run, backfill: tuple[date, date] | None = None) -> Path:
    """Build the tables and make them current beside the last lists and model; return the published file."""
    inputs = Inputs(run, backfill)
    do(run, steps()["build"], inputs)
    evidence = gate.Evidence(run.as_of, dict(inputs["built_tables"].iter_rows()), last_published(inputs.last_release))
    verdict = gate.decide(evidence, run.recipe.gate)
    _write(made_by_steps()["verdict"], run, verdict.as_dict())
    if refused := refusal(verdict, run.run_id, inputs.last_release):
        raise Refused(refused)
    return publish_tables(run.home, run.run_id, inputs["build_file"], inputs.last_results, run.log)


def remove_working_files(run: Run) -> None:
    """Remove a finished run's working files; log, counts, metrics and lists stay."""
    made = made_by_steps()
    files.remove_database(made["build"].path(run))
    for name in ("trial_models", "fingerprints"):
        files.remove(made[name].path(run))
