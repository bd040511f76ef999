"""
The nightly run: ingest new files into the lake, then run the incomplete steps of `pipeline.steps`.

If a run is killed at any moment, the last release stays unchanged. `--resume` continues the run at the first incomplete
step and gives the same export as an uninterrupted run. Repeating a finished run does nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys import files
from recsys.errors import InputError, Refused
from recsys.home import Home
from recsys.ingest.deliveries import waiting_sources
from recsys.ingest.formats.service_feedback import PREFIX
from recsys.ingest.replay import due_sources
from recsys.ingest.retention import remove_expired
from recsys.ingest.run import IngestReport, ingest, source_files
from recsys.lake.store import Lake
from recsys.ledger.lines import published
from recsys.library.files import audio_files
from recsys.pipeline.inputs import Inputs
from recsys.pipeline.notices import send_findings, send_viewers_alerts
from recsys.pipeline.operations import disk_use
from recsys.pipeline.plan import results, step_outputs, steps, steps_after, steps_up_to
from recsys.pipeline.publication import gate_outcome, publish_tables, settle_ledger
from recsys.pipeline.results import Artefact, Outcome, Result, Step
from recsys.pipeline.run import Event, Run, logged_step
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
    Run all steps for one date.

    Args:
        home: The home to read and write; the caller must hold its lock.
        inbox: A folder with source files and music; files that are already in the lake are skipped.
        as_of: The last day of listening data that the run uses.
        today: The date of ingest.
        recipe: The settings of the run.
        resume: Whether to keep the complete steps of an interrupted run with the same inputs.
        tell: Called with every logged event.

    Returns:
        The finished run.

    Raises:
        Refused: The gate refused the new release; the last release stays current.
        InputError: The home has no listens.
    """
    folders = [inbox] if inbox.exists() else []
    music = audio_files(inbox) if folders else []
    new = waiting_sources(Lake(home).batch_log(), source_files(folders)) | due_sources(home, today, recipe.ingest)
    run = Run.of(home, as_of, recipe, waiting=new.union(map(files.sha256_of, music)), tell=tell)
    is_released = run.run_id in registry.release_names(home)
    is_finished = is_released and run.outcome("morning") is not None
    if is_finished:
        is_current = registry.current_name(home) == run.run_id
        run.tell({"event": "nothing to do", "run": run.run_id, "is_current": is_current})
    else:
        if not is_released and (not resume or run.outcome("publish") is not None):  # a pruned run starts again
            files.remove(run.folder)
        ingest_files(run, folders, today)
        if music:
            scan_music(run, inbox, today)
        enforce_retention(run, today)
        _require_listens(home, inbox)
        advance(run, "morning")
    remove_working_files(run)
    if not is_finished:
        run.log(event="disk", parts=dict(disk_use(home).select("part", "n_bytes").iter_rows()))
    send_viewers_alerts(run)
    send_findings(run)
    return run


def ingest_files(run: Run, paths: Iterable[Path], today: date) -> IngestReport:
    """Ingest files into the lake, and log this as a step of the run."""
    with logged_step(run, "ingest") as counts:
        report = ingest(run.home, paths, today=today, settings=run.recipe.ingest)
        undone = [f"{path} was taken back and is skipped; remove it from the inbox" for path in report.undone_files]
        for text in (*report.warnings, *(message for _path, message in report.unreadable), *undone):
            run.log(event="warning", text=text)
        counts.update(
            n_files=len({batch.source_sha256 for batch in report.batches}),
            n_unreadable=len(report.unreadable),
            newly_unreadable=_newly_unreadable(run.home, [path for path, _ in report.unreadable], today),
            ingested_on=str(today),
        )
        remove_feedback(run.home)
        counts["n_entered"] = sum(batch.n_accepted for batch in report.entered)
        for name in ("n_read", "n_accepted", "n_quarantined", "n_duplicate"):
            counts[name] = sum(getattr(batch, name) for batch in report.batches)
        counts["n_invalid_values"] = sum(
            count["n_values"] for batch in report.batches for count in batch.invalid_values
        )
    return report


def remove_feedback(home: Home) -> None:
    """Remove the service's files from the inbox whose rows the lake has, all of them; they exist for this alone."""
    batches = Lake(home).batches()
    known = {batch.source_sha256 for batch in batches} - {b.source_sha256 for b in batches if b.n_quarantined}
    for path in home.inbox.glob(f"{PREFIX}*"):
        if files.sha256_of(path) in known:
            path.unlink()


def _newly_unreadable(home: Home, paths: list[Path], today: date) -> list[str]:
    """Return the printable names of unreadable files that no ingest before today has recorded."""
    batches = Lake(home).batches() if paths else []
    known = {batch.source_sha256 for batch in batches if batch.ingested_on < str(today)}
    return [files.printable(path.name) for path in paths if files.sha256_of(path) not in known]


def refuse_unreadable(run: Run) -> None:
    """Raise InputError if new files could not be read; the others are published. Old ones are not reported again."""
    if names := (run.outcome("ingest") or {}).get("newly_unreadable"):
        raise InputError(
            f"The release is published without {len(names)} unreadable {'file' if len(names) == 1 else 'files'}: "
            f"{', '.join(names)}. The reason is in the warning above. Deliver the data again in a known format, and "
            "remove the unreadable file from the inbox"
        )


def enforce_retention(run: Run, today: date) -> None:
    """Remove rows that are older than the recipe's limits from the lake; logged as a step if there are limits."""
    lake = Lake(run.home)
    if run.recipe.retention.first_days(run.as_of) or lake.kept_from():
        with logged_step(run, "retention") as counts:
            expired = remove_expired(lake, run.recipe.retention, min(run.as_of, today))
            counts.update(n_expired=expired.n_rows, n_refused=expired.n_refused)
            counts["kept_from"] = {table: str(day) for table, day in expired.kept_from.items()}


def _require_listens(home: Home, inbox: Path) -> None:
    """Raise InputError if the home has no listens; the message counts what else it has or had."""
    rows, refused, expired = Counter[str](), Counter[str](), Counter[str]()
    for batch in Lake(home).batches():
        rows[batch.table] += batch.n_accepted
        refused[batch.table] += batch.n_quarantined
        expired[batch.table] += batch.n_expired
    if not rows["listens"]:
        faults, old = (
            ", ".join(f"{n:,} of {table}" for table, n in sorted(counts.items()) if n) for counts in (refused, expired)
        )
        known = ", ".join(f"{n:,} rows of {table}" for table, n in sorted(rows.items()) if n) or "nothing"
        raise InputError(
            f"The home {home.path} has no listens, so no lists or reports can be made. It has {known}"
            f"{f'; rows that were refused: {faults}' if faults else ''}"
            f"{f'; rows older than the limits of [retention]: {old}' if old else ''}. Put files with listens into "
            f"{inbox}, and run it again; for the tables and the search of a catalogue alone, run recsys build"
        )


def scan_music(run: Run, folder: Path, today: date) -> "ScanReport":
    """Scan a folder of music, and log this as a step of the run."""
    from recsys.library.scan import scan  # noqa: PLC0415 - a run without music needs no decoder and no encoder

    with logged_step(run, "scan") as counts:
        audio = run.recipe.audio
        report = scan(run.home, folder, today=today, settings=audio, most_again=audio.heard_again)
        for problem in report.problems():
            run.log(event="warning", text=problem)
        names = ("n_files", "n_known", "n_copied", "n_analysed", "n_deferred")
        counts.update({name: getattr(report, name) for name in names})
        counts.update(n_damaged=len(report.damaged), n_failed=len(report.failures))
    return report


def advance(run: Run, last: str) -> None:
    """Run the incomplete steps up to `last`; steps on which a newer champion or ledger bears are repeated."""
    settle_ledger(run.home)
    inputs = Inputs(run)
    _repeat_for_new_champion(run, inputs)
    _repeat_for_new_lines(run, inputs)
    for step in steps_up_to(last):
        if run.outcome(step.name) is None:
            run_step(run, step, inputs)


def continue_run(run: Run, needed: str, last: str) -> None:
    """Run the steps up to `last`; raises SetupError if the step `needed`, also the name of a command, is incomplete."""
    run.require_complete(needed)
    advance(run, last)


def run_step(run: Run, step: Step, inputs: Inputs) -> None:
    """
    Run one step: read its inputs, call it, write its outputs, log it and mark it as complete.

    Raises:
        Refused: The step refused the run, which must not continue.
        TypeError: The step did not return the outputs that it declares.
    """
    with logged_step(run, step.name) as counts:
        outcome = step(**{name: inputs[name] for name in step.reads})
        _write_outcome(run, step, outcome)
        counts.update(outcome.counts)


def _write_outcome(run: Run, step: Step, outcome: Outcome) -> None:
    """Write the outputs of a step; raises TypeError and Refused like `run_step`."""
    declared = {output.name: output for output in step.outputs}
    required = {name for name, output in declared.items() if isinstance(output, Result)}
    if missing := required - outcome.outputs.keys():
        raise TypeError(f"{step.name} did not return {', '.join(sorted(missing))}, which it declares")
    if extra := outcome.outputs.keys() - declared.keys():
        raise TypeError(f"{step.name} returned {', '.join(sorted(extra))}, which it does not declare")
    for name, value in outcome.outputs.items():
        _write(declared[name], run, value)
    if outcome.refusal:
        raise Refused(outcome.refusal)


def _write(output: Result | Artefact, run: Run, value: Any) -> None:
    if isinstance(output, Result):
        output.write(run, value)
    elif output.write:
        output.write(output.path(run), value)


def _repeat_for_new_champion(run: Run, inputs: Inputs) -> None:
    """Mark `train` and all steps that depend on it incomplete if a new champion was published since `train` ran."""
    trained, is_released = run.outcome("train"), run.run_id in registry.release_names(run.home)
    if trained is None or is_released:
        return
    champion = inputs.champion
    if trained["champion"] != (champion and str(champion["run"])):
        run.mark_incomplete(*(step.name for step in steps_after("train")))


def _repeat_for_new_lines(run: Run, inputs: Inputs) -> None:
    """Mark `close_periods` and all steps that depend on it incomplete if the ledger has changed since it ran."""
    closed, is_released = run.outcome("close_periods"), run.run_id in registry.release_names(run.home)
    if closed is not None and not is_released and closed["closing_no"] != inputs.ledger.next_no:
        run.mark_incomplete(*(step.name for step in steps_after("close_periods")))


def build_and_publish(run: Run, backfill: tuple[date, date] | None = None) -> Path:
    """Build and publish the tables, with lists and model of the last release; return the published warehouse."""
    settle_ledger(run.home)
    inputs = Inputs(run, backfill)
    run_step(run, steps()["build"], inputs)
    evidence = Evidence(run.as_of, dict(inputs["built_tables"].iter_rows()), inputs.last_published)
    _write_outcome(run, steps()["gate"], gate_outcome(evidence, run.recipe, run.run_id))
    latest = inputs.last_results | _current_figures(run, inputs)
    return publish_tables(run.home, run.run_id, inputs["build_file"], latest, run.log)


def _current_figures(run: Run, inputs: Inputs) -> dict[str, list[Path]]:
    """Write labels' figures as the ledger has them now, with its voids; nothing if the ledger is damaged."""
    if inputs.ledger_fault:
        return {}
    figures = results()["label_figures"]
    figures.write(run, published(inputs.ledger))
    return {figures.name: [figures.path(run)]}


def remove_working_files(run: Run) -> None:
    """Remove the working files of a finished run, but keep its log, markers, metrics and lists."""
    for output in step_outputs().values():
        if output.lifetime == "run":
            files.remove_database(output.path(run))
