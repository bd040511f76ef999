"""
How a built warehouse becomes the files of a release.

They are the warehouse with this run's results, the marts as Parquet, a warehouse per label, and the vector indexes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from recsys import files
from recsys.home import Home
from recsys.lake.store import Lake
from recsys.pipeline import indexes
from recsys.pipeline.plan import result_tables
from recsys.pipeline.results import Outcome
from recsys.recipe import Recipe
from recsys.releases import gate, registry
from recsys.releases.release import Release
from recsys.warehouse.build import rebuild_results
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.labels import write_labels
from recsys.warehouse.publish import write_marts
from recsys.warehouse.query import Warehouse


def place_tables(
    home: Home,
    name: str,
    *,
    build_file: Path,
    results: Mapping[str, Sequence[Path]],
    fingerprints: Path | None,
    note: Callable[..., None],
) -> Release:
    """
    Write a release's tables and indexes into the home; `registry.publish` then makes them current.

    Args:
        home: The home.
        name: The name of the release, not used by any release yet.
        build_file: The built warehouse.
        results: The Parquet files of each table that steps made, by the table's name.
        fingerprints: The run's index of fingerprints; None: the current release's index is updated.
        note: Logs an event.

    Returns:
        The release, without a model and an export.
    """
    warehouse, marts = home.path / "warehouse" / f"{name}.duckdb", home.path / "marts" / name
    files.write_atomically(warehouse, lambda beside: _fill_warehouse(beside, build_file, results))
    write_marts(warehouse, marts)
    labels = warehouse.parent / "labels" / name
    write_labels(warehouse, labels)
    folder, last = home.path / "indexes", registry.current(home)
    sounds = indexes.place_sounds(warehouse, folder / name, last, note)
    placed = indexes.place_fingerprints(
        warehouse, folder / f"{name}-fingerprints", made=fingerprints, lake=Lake(home), last=last, note=note
    )
    return Release(warehouse, marts, index=sounds, fingerprints=placed, labels=labels)


def _fill_warehouse(target: Path, build_file: Path, results: Mapping[str, Sequence[Path]]) -> None:
    files.copy_database(build_file, target)
    rebuild_results(target, result_tables(results))


def last_published(release: Release | None) -> gate.CurrentRelease | None:
    """Return the date, rows and listeners of a release, which the gate compares with."""
    if release is None:
        return None
    with Warehouse.open(release.warehouse) as warehouse:
        as_of, n_listeners = warehouse.query(internal_sql("last_release")).row(0)
        rows = dict(warehouse.query(internal_sql("built_tables")).iter_rows())
    return gate.CurrentRelease(release.warehouse.stem, as_of, rows, n_listeners)


def refusal(verdict: gate.Verdict, run_id: str, last: gate.CurrentRelease | None) -> str:
    """Return why a run must not be published; empty if it may."""
    if verdict.passed:
        return ""
    current = last.name if last else "there is none yet"
    return f"The gate refused {run_id}: {'; '.join(verdict.reasons)}. The last release stays current ({current})"


def decided(evidence: gate.Evidence, recipe: Recipe, run_id: str) -> Outcome:
    """Return the gate's verdict on a run's release as the outcome of a step."""
    verdict = gate.decide(evidence, recipe.gate)
    return Outcome(
        {"verdict": verdict.as_dict()}, {"passed": verdict.passed}, refusal(verdict, run_id, evidence.current_release)
    )


def publish_tables(
    home: Home, run_id: str, build_file: Path, results: Mapping[str, Sequence[Path]], note: Callable[..., None]
) -> Path:
    """Publish newly built tables with the lists and the model of the current release; return the warehouse file."""
    last = registry.current(home)
    name = registry.free_name(home, f"{run_id}-tables")
    placed = place_tables(home, name, build_file=build_file, results=results, fingerprints=None, note=note)
    model, exported = (last.model, last.export) if last else (None, None)
    registry.publish(home, name, replace(placed, model=model, export=exported))
    return placed.warehouse
