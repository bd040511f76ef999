"""The step that writes the morning reports."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from recsys.installation import extras
from recsys.pipeline.results import Artefact, Outcome, step
from recsys.recipe import Recipe
from recsys.releases.release import Release
from recsys.reports.morning.write import folder_of, write_reports

REPORTS = Artefact("reports", location=lambda run: folder_of(run.home, run.as_of), lifetime="always")


@step(REPORTS)
def morning(
    *, release: Release, reports_file: Path, recipe: Recipe, ingest_day: date, note: Callable[..., None]
) -> Outcome:
    """Write the morning reports on the new release, one for the operator and one per label."""
    if missing := extras.missing_message("matplotlib"):
        note(event="warning", text=f"no morning report. {missing}")
        return Outcome(counts={"n_reports": 0})
    operator, *labels = release.warehouses()
    n_reports = write_reports(reports_file, operator, labels, recipe.morning, since=ingest_day)
    return Outcome(counts={"n_reports": n_reports, "folder": str(reports_file)})
