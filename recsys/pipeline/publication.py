"""How tables become a release: the built warehouse with the results in it, as Parquet, for labels, and with indexes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from recsys import files
from recsys.home import Home
from recsys.lake.store import Lake
from recsys.pipeline import indexes
from recsys.pipeline.plan import result_tables
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
    results: dict[str, Path],
    fingerprints: Path | None,
    note: Callable[..., None],
) -> Release:
    """
    Place a release's tables and indexes in the home; `registry.publish` makes them current.

    Args:
        home: Where.
        name: The release's, which nothing on disk bears yet.
        build_file: The built warehouse.
        results: Tables that steps made, by name.
        fingerprints: The run's index of fingerprints; where there is none, the current release's is brought up to date.
        note: Logs an event.

    Returns:
        The release, without a model and an export.
    """
    warehouse, marts = home.path / "warehouse" / f"{name}.duckdb", home.path / "marts" / name
    beside = warehouse.with_name(f".{name}.partial")
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    files.copy_database(build_file, beside)
    rebuild_results(beside, result_tables(results))
    files.sync(beside)
    beside.replace(warehouse)
    write_marts(warehouse, marts)
    labels = warehouse.parent / "labels" / name
    write_labels(warehouse, labels)
    folder, last = home.path / "indexes", registry.current(home)
    sounds = indexes.place_sounds(warehouse, folder / name, last, note)
    placed = indexes.place_fingerprints(
        warehouse, folder / f"{name}-fingerprints", made=fingerprints, lake=Lake(home), last=last, note=note
    )
    return Release(warehouse, marts, index=sounds, fingerprints=placed, labels=labels)


def last_published(release: Release | None) -> gate.CurrentRelease | None:
    """Return what the gate compares with: date, rows and listeners of the current release."""
    if release is None:
        return None
    with Warehouse.open(release.warehouse) as warehouse:
        as_of, n_listeners = warehouse.query(internal_sql("last_release")).row(0)
        return gate.CurrentRelease(as_of, dict(warehouse.query(internal_sql("built_tables")).iter_rows()), n_listeners)


def refusal(verdict: gate.Verdict, run_id: str, last: Release | None) -> str:
    """Say why a run must not be published; empty where it may."""
    if verdict.passed:
        return ""
    stays = last.warehouse.stem if last else "there is none yet"
    return f"The gate refused {run_id}: {'; '.join(verdict.reasons)}. The last release stays current ({stays})"


def publish_tables(
    home: Home, run_id: str, build_file: Path, results: dict[str, Path], note: Callable[..., None]
) -> Path:
    """Make freshly built tables current, beside the lists and the model of the current release; return their file."""
    last = registry.current(home)
    name = registry.free_name(home, f"{run_id}-tables")
    placed = place_tables(home, name, build_file=build_file, results=results, fingerprints=None, note=note)
    model, exported = (last.model, last.export) if last else (None, None)
    registry.publish(home, name, replace(placed, model=model, export=exported))
    return placed.warehouse
