"""
Write the files of a release from a built warehouse, and publish them.

The files are the warehouse with the run's results, the marts as Parquet, a warehouse file per label, and the
indexes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType

from recsys import files
from recsys.errors import SetupError
from recsys.home import Home
from recsys.lake.store import Lake
from recsys.ledger.amend import start_anew
from recsys.ledger.store import Ledger
from recsys.pipeline import indexes
from recsys.pipeline.plan import result_tables
from recsys.pipeline.results import Outcome
from recsys.recipe import Recipe
from recsys.releases import gate, registry
from recsys.releases.release import Release
from recsys.state.actions import Actor, logged
from recsys.warehouse.build import rebuild_results
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.labels import write_labels
from recsys.warehouse.publish import write_marts
from recsys.warehouse.query import Warehouse


def write_release(
    home: Home,
    name: str,
    *,
    build_file: Path,
    results: Mapping[str, Sequence[Path]],
    fingerprints: Path | None,
    note: Callable[..., None],
) -> Release:
    """
    Write the tables and indexes of a release into the home, without making it current (see `registry.publish`).

    Args:
        home: The home.
        name: The name of the release, which no release has yet.
        build_file: The built warehouse.
        results: The Parquet files of the results of steps, by table.
        fingerprints: The folder of the fingerprint index that the run has made; if None, the index of the current
            release is updated.
        note: Logs an event.

    Returns:
        The release, without model and export.
    """
    warehouse, marts = home.path / "warehouse" / f"{name}.duckdb", home.path / "marts" / name
    files.write_atomically(warehouse, lambda beside: _fill_warehouse(beside, build_file, results))
    write_marts(warehouse, marts)
    labels = warehouse.parent / "labels" / name
    write_labels(warehouse, labels)
    folder, last = home.path / "indexes", registry.current(home)
    embeddings = indexes.update_embedding_index(warehouse, folder / name, last, note)
    matching = indexes.write_fingerprint_index(
        warehouse, folder / f"{name}-fingerprints", made=fingerprints, lake=Lake(home), last=last, note=note
    )
    verses = indexes.update_verse_index(warehouse, folder / f"{name}-verses", last, note)
    return Release(warehouse, marts, index=embeddings, fingerprints=matching, verses=verses, labels=labels)


def _fill_warehouse(target: Path, build_file: Path, results: Mapping[str, Sequence[Path]]) -> None:
    files.copy_database(build_file, target)
    rebuild_results(target, result_tables(results))


def last_published(
    release: Release | None, kept_from: Mapping[str, date] = MappingProxyType({})
) -> gate.CurrentRelease | None:
    """
    Return the facts about a release with which the gate compares a run; None without a release.

    Args:
        release: The release.
        kept_from: First day that is kept of the tables that have a limit (`Lake.kept_from`): what the release has
            only from earlier rows is not counted.
    """
    if release is None:
        return None
    with Warehouse.open(release.warehouse) as warehouse:
        as_of, n_listeners = warehouse.query(internal_sql("last_release")).row(0)
        rows = dict(warehouse.query(internal_sql("built_tables")).iter_rows())
        if kept_from:
            limits: dict[str, object] = {
                f"{table}_from": kept_from.get(table, date.min) for table in ("listens", "events")
            }
            expired = warehouse.query(internal_sql("expired_in_release"), limits).row(0, named=True)
            n_listeners -= expired.pop("n_listeners_with_list")
            rows |= {f"marts.{table}": rows[f"marts.{table}"] - n_rows for table, n_rows in expired.items()}
    return gate.CurrentRelease(release.warehouse.stem, as_of, rows, n_listeners)


def refusal(verdict: gate.Verdict, run_id: str, last: gate.CurrentRelease | None) -> str:
    """Return the message of a refusal; empty if the run passed the gate."""
    if verdict.passed:
        return ""
    current = last.name if last else "there is none yet"
    return f"The gate refused {run_id}: {'; '.join(verdict.reasons)}. The last release stays current ({current})"


def gate_outcome(evidence: gate.Evidence, recipe: Recipe, run_id: str) -> Outcome:
    """Apply the gate to a run, and return its verdict as the outcome of a step."""
    verdict = gate.decide(evidence, recipe.gate)
    counts = {"passed": verdict.passed, "preference": verdict.preference}
    return Outcome({"verdict": verdict.as_dict()}, counts, refusal(verdict, run_id, evidence.current_release))


def settle_ledger(home: Home) -> None:
    """Finish what an interrupted publication left of the ledger: keep the lines of the current release only."""
    ledger = Ledger(home)
    for run_id in ledger.pending():
        if run_id == registry.current_name(home):
            ledger.commit(run_id)
        else:
            ledger.discard(run_id)
            files.remove(home.path / "releases" / run_id)


def roll_back(home: Home, name: str, actor: Actor, done_at: datetime) -> None:
    """
    Make an earlier release current again, and log who did it; raises like `registry.rollback`.

    Args:
        home: The home; the caller must hold its lock.
        name: The release.
        actor: Who does it.
        done_at: When, with time zone.
    """
    with logged(home, actor, "rollback", f"from {registry.current_name(home)} to {name}", done_at):
        settle_ledger(home)
        registry.rollback(home, name)


def restart_ledger(home: Home) -> tuple[date, Path | None]:
    """Start a damaged ledger anew (see `ledger.amend.start_anew`); raises SetupError if nothing is published."""
    release = last_published(registry.current(home))
    if release is None:
        raise SetupError(f"{home.path} has no release yet, so nothing was closed. Create one: recsys nightly")
    last_batch = max((batch.batch_no for batch in Lake(home).batches()), default=0)
    return start_anew(home, release.name, release.as_of, last_batch)


def publish_tables(
    home: Home, run_id: str, build_file: Path, results: Mapping[str, Sequence[Path]], note: Callable[..., None]
) -> Path:
    """Publish newly built tables, with the lists and the model of the current release; return the warehouse file."""
    last = registry.current(home)
    name = registry.free_name(home, f"{run_id}-tables")
    written = write_release(home, name, build_file=build_file, results=results, fingerprints=None, note=note)
    model, exported = (last.model, last.export) if last else (None, None)
    registry.publish(home, name, replace(written, model=model, export=exported))
    return written.warehouse
