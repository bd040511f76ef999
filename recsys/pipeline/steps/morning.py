"""The morning reports of what was just published."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from recsys.home import Home
from recsys.installation import extras
from recsys.pipeline.results import Outcome, step
from recsys.recipe import Recipe
from recsys.releases.registry import Release
from recsys.reports.morning.write import folder_of, write_reports


@step()
def morning(
    *,
    release_file: Path,  # noqa: ARG001 - it is published
    last_release: Release | None,
    home: Home,
    recipe: Recipe,
    as_of: date,
    note: Callable[..., None],
) -> Outcome:
    """Write the morning reports of the current release, for the operator and every label."""
    lacking = extras.missing_message("matplotlib")
    if last_release is None or lacking:
        note(event="warning", text=f"no morning report. {lacking or 'It needs a release'}")
        return Outcome(counts={"n_reports": 0})
    folder = folder_of(home, as_of)
    operator, *labels = last_release.warehouses()
    n_reports = write_reports(folder, operator, labels, recipe.morning)
    return Outcome(counts={"n_reports": n_reports, "folder": str(folder)})
