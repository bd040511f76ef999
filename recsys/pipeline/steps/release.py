"""Steps for the release: apply the gate, write the export, and publish everything at the same moment."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from recsys import files
from recsys.evaluate.significance import Interval
from recsys.home import Home
from recsys.lake.store import Batch
from recsys.ledger.lines import Lines
from recsys.ledger.store import Ledger
from recsys.pipeline.export import Export, manifest, write_export
from recsys.pipeline.interleaved import judged
from recsys.pipeline.publication import gate_outcome, write_release
from recsys.pipeline.results import Artefact, Outcome, step, whole_folder
from recsys.pipeline.without_list import ALL_HEARD
from recsys.recipe import Recipe
from recsys.releases import registry
from recsys.releases.gate import CurrentRelease, Evidence
from recsys.releases.release import Release


def _read_release(folder: Path) -> Release:
    return registry.read(Home(folder.parents[1]), folder.name)


VERDICT = Artefact(  # of the gate
    "verdict", write=files.write_json, location=lambda run: run.folder / "verdict.json", lifetime="always"
)
EXPORT = Artefact(  # the lists, for the system that serves them
    "export", write=whole_folder(write_export), location=lambda run: run.export
)
RELEASE = Artefact("release", read=_read_release, location=lambda run: run.home.path / "releases" / run.run_id)


@step(VERDICT)
def gate(
    *,
    built_tables: pl.DataFrame,
    daily_plays: pl.DataFrame,
    metric_differences: pl.DataFrame,
    recommendations: pl.DataFrame,
    listeners_without_list: pl.DataFrame,
    interleaved_plays: pl.DataFrame,
    last_published: CurrentRelease | None,
    recipe: Recipe,
    run_id: str,
    as_of: date,
) -> Outcome:
    """Decide whether this run's release may replace the current one."""
    evidence = Evidence(
        as_of=as_of,
        row_counts=dict(built_tables.iter_rows()),
        current_release=last_published,
        ndcg_differences={name: Interval(*values) for name, *values in metric_differences.drop("p_value").iter_rows()},
        n_listeners=recommendations["user_id"].n_unique() + listeners_without_list.filter(reason=ALL_HEARD).height,
        plays_by_day=dict(daily_plays.iter_rows()),
        interleaving=judged(interleaved_plays, recipe),
    )
    return gate_outcome(evidence, recipe, run_id)


@step(EXPORT)
def export(
    *,
    verdict: dict[str, Any],
    recommendations: pl.DataFrame,
    listeners_without_list: pl.DataFrame,
    listeners_without_list_file: Path,
    candidates_file: Path,
    products_file: Path,
    run_metrics: pl.DataFrame,
    built_tables: pl.DataFrame,
    model_file: Path,
    export_file: Path,
    batches: list[Batch],
    lake_fingerprint: str,
    recipe: Recipe,
    run_id: str,
    as_of: date,
) -> Outcome:
    """Export the lists, with a manifest of their data, recipe and model."""
    description = manifest(
        run_id=run_id,
        as_of=as_of,
        recipe=recipe,
        batches=batches,
        lake_fingerprint=lake_fingerprint,
        verdict=verdict,
        lists=recommendations,
        n_without_list=listeners_without_list.height,
        metrics=run_metrics,
        tables=dict(built_tables.iter_rows()),
        model=model_file,
    )
    tables = [candidates_file, listeners_without_list_file, *sorted(products_file.glob("*.parquet"))]
    whole = Export(recommendations, tables, description)
    return Outcome({EXPORT.name: whole}, {"n_files": whole.n_files, "folder": str(export_file)})


@step(RELEASE)
def publish(
    *,
    home: Home,
    build_file: Path,
    published_results: dict[str, list[Path]],
    new_lines: Lines,
    fingerprints_file: Path,
    model_file: Path,
    export_file: Path,
    run_id: str,
    note: Callable[..., None],
) -> Outcome:
    """Write the release, with the run's results in the warehouse, and make it and the new lines of the ledger valid."""
    ledger = Ledger(home)
    if run_id in registry.release_names(home):  # complete from an interrupted run: only the link is missing
        registry.make_current(home, run_id)
    else:
        written = write_release(
            home, run_id, build_file=build_file, results=published_results, fingerprints=fingerprints_file, note=note
        )
        ledger.prepare(run_id, new_lines)
        registry.publish(home, run_id, replace(written, model=model_file, export=export_file))
    ledger.commit(run_id)
    return Outcome(counts={"release": run_id})
