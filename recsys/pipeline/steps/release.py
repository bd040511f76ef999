"""The release: the gate decides, the export is written, and everything becomes current at once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl

from recsys import files
from recsys.evaluate.significance import Interval
from recsys.home import Home
from recsys.lake.store import Lake
from recsys.pipeline import export as exporting
from recsys.pipeline.publication import last_published, place_tables, refusal
from recsys.pipeline.results import Artefact, Outcome, step
from recsys.recipe import Recipe
from recsys.releases import gate as gating
from recsys.releases import registry
from recsys.releases.release import Release

VERDICT = Artefact(
    "verdict", write=files.write_json, place=lambda run: run.folder / "verdict.json", is_kept=True
)  # of the gate
EXPORT = Artefact("export", place=lambda run: run.export)  # the lists, for whoever serves them
RELEASE = Artefact("release", place=lambda run: run.home.path / "releases" / run.run_id)


@step(VERDICT)
def gate(
    *,
    built_tables: pl.DataFrame,
    daily_plays: pl.DataFrame,
    metric_differences: pl.DataFrame,
    recommendations: pl.DataFrame,
    last_release: Release | None,
    recipe: Recipe,
    run_id: str,
    as_of: date,
) -> Outcome:
    """Decide whether this run's release may replace the current one."""
    evidence = gating.Evidence(
        as_of=as_of,
        rows=dict(built_tables.iter_rows()),
        current=last_published(last_release),
        differences={name: Interval(*values) for name, *values in metric_differences.drop("p_value").iter_rows()},
        n_listeners=recommendations["user_id"].n_unique(),
        plays_by_day=dict(daily_plays.iter_rows()),
    )
    verdict = gating.decide(evidence, recipe.gate)
    refused = refusal(verdict, run_id, last_release)
    return Outcome({VERDICT.name: verdict.as_dict()}, {"passed": verdict.passed}, refused)


@step(EXPORT)
def export(
    *,
    verdict_file: Path,  # noqa: ARG001 - the gate has passed
    recommendations: pl.DataFrame,
    candidates_file: Path,
    products_file: Path,
    run_metrics: pl.DataFrame,
    built_tables: pl.DataFrame,
    model_file: Path,
    export_file: Path,
    lake: Lake,
    recipe: Recipe,
    run_id: str,
    as_of: date,
) -> Outcome:
    """Write the lists with their manifest, and hold them against it."""
    about = exporting.manifest(
        run_id=run_id,
        as_of=as_of,
        recipe=recipe,
        lake=lake,
        lists=recommendations,
        metrics=run_metrics,
        tables=dict(built_tables.iter_rows()),
        model=model_file,
    )
    tables = [candidates_file, *sorted(products_file.glob("*.parquet"))]
    manifest = exporting.write_export(export_file, recommendations, tables, about)
    exporting.validate(export_file)
    return Outcome(counts={"n_files": len(manifest["files"]), "folder": str(export_file)})


@step(RELEASE)
def publish(
    *,
    home: Home,
    build_file: Path,
    published_results: dict[str, Path],
    fingerprints_file: Path,
    model_file: Path,
    export_file: Path,
    run_id: str,
    note: Callable[..., None],
) -> Outcome:
    """Put the results into the warehouse file and make everything current at once."""
    if run_id in registry.release_names(home):  # made whole by an interrupted run: only the link is left to do
        registry.make_current(home, run_id)
    else:
        placed = place_tables(
            home, run_id, build_file=build_file, results=published_results, fingerprints=fingerprints_file, note=note
        )
        registry.publish(home, run_id, replace(placed, model=model_file, export=export_file))
    return Outcome(counts={"release": run_id})
