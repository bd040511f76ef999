"""Commands for transparency: a summary of models for people outside, and the trainings of a recording."""

from pathlib import Path

import click

from recsys.cli.options import output_options, warehouse_of
from recsys.home import Home


@click.group()
def transparency() -> None:
    """What models learned from, with which consent, and how to get out."""


@transparency.command("summary")
@click.argument("page", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def write_models(home: Home, /, page: Path) -> None:
    """Write the summary of models and their data to PAGE, an HTML file for people outside."""
    from recsys.reports.transparency import write_summary

    with warehouse_of(home) as warehouse:
        found = write_summary(home, warehouse, page)
    leaving = sum(model.n_leaving for model in found)
    click.echo(f"{len(found):,} models that learned from recordings are in {page}")
    click.echo(f"{leaving:,} of their recordings leave at the next training")


@transparency.command("recording")
@click.argument("track_id")
@output_options
@click.pass_obj
def show_trainings(home: Home, /, track_id: str, form: str, out: Path | None) -> None:
    """List the trainings that had the recording TRACK_ID, its consent then and now, and what follows."""
    from recsys.cli.show import tables
    from recsys.rights.trainings import of_recording

    with warehouse_of(home) as warehouse:
        found = of_recording(home, warehouse, track_id)
    tables.answer(found, form, out)
    tables.notes(
        "A change of consent takes effect at the next training: recsys tags train, recsys tags clusters, recsys audio "
        "train. Recommenders are trained by each nightly run, with the consent of that day."
    )
