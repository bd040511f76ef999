"""Commands for models and the nightly run: train, evaluate, tune, simulate, recommend, export, nightly."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recsys.cli.options import (
    DATE,
    continue_run,
    date_option,
    day_of,
    now,
    opened,
    recipe_of,
    recipe_option,
    run_of,
    set_time_zone,
    time_zone_option,
    today_of,
)
from recsys.errors import InputError
from recsys.home import Home

if TYPE_CHECKING:
    from recsys.pipeline.lineage import Tell

_FILE = click.Path(path_type=Path, dir_okay=False)
_verbose = click.option(
    "--verbose", is_flag=True, help="Also show the counts of each step and the number of rows of each table."
)


_COMPARISON_OPTIONS = (
    click.option(
        "--split",
        "folder",
        type=click.Path(path_type=Path),
        help="Use the fixed split in this folder (docs/benchmarks.md).",
    ),
    click.option(
        "--protocol",
        type=click.Choice(["temporal", "leave-last-out"]),
        help="Split the published warehouse this way; settings are tuned on the validation part.",
    ),
    click.option("--recommender", "names", multiple=True, help="Evaluate only this recommender; repeatable."),
    click.option(
        "--exclude-seen",
        type=click.Choice(["train+validation", "train", "none"]),
        default="train+validation",
        show_default=True,
        help="With --split: exclude tracks that a listener played in these parts of the split.",
    ),
    click.option(
        "--order",
        type=click.Choice(["time", "rows", "none"]),
        help="With --split: what tells which plays are later. [default: time if there are timestamps, otherwise rows "
        "unless they are sorted by item]",
    ),
    click.option(
        "--candidates", type=_FILE, help="Parquet file with a column item_id: the tracks to rank. [default: all]"
    ),
    click.option(
        "--trials", type=click.IntRange(min=1), default=10, show_default=True, help="Tuning trials per model."
    ),
    click.option(
        "--cpu-minutes",
        type=float,
        default=10.0,
        show_default=True,
        help="CPU time for tuning per model; after it, no further trial starts.",
    ),
    click.option(
        "-k", type=click.IntRange(min=1), default=10, show_default=True, help="Length of the evaluated lists."
    ),
    click.option(
        "--json",
        "json_path",
        type=_FILE,
        help="Write all metrics, groups and costs to this JSON file, after each model.",
    ),
    click.option("--rankings", type=_FILE, help="Write the lists to this Parquet file."),
)


def _comparison_options(command: Any) -> Any:
    for option in reversed(_COMPARISON_OPTIONS):
        command = option(command)
    return command


@click.command()
@date_option
@recipe_option
@click.pass_obj
def train(home: Home, as_of: datetime | None, recipe: Path | None) -> None:
    """Fit the recipe's recommenders on the training window."""
    continue_run(run_of(home, as_of, recipe), "build", "train")


@click.command()
@date_option
@recipe_option
@_comparison_options
@click.pass_obj
def evaluate(home: Home, /, as_of: datetime | None, recipe: Path | None, **options: Any) -> None:
    """Evaluate the run's recommenders; with --split or --protocol, compare any recommenders."""
    from recsys.cli.show import models

    if options["folder"] or options["protocol"]:
        _compare(_protocol(home, as_of, recipe, options), options)
    else:
        run = run_of(home, as_of, recipe)
        continue_run(run, "train", "evaluate")
        models.quality(run)


def _protocol(home: Home, as_of: datetime | None, recipe: Path | None, options: dict[str, Any]) -> Any:
    from recsys.experiments import comparison, protocols

    if options["folder"]:
        given = {name: options[name] for name in ("exclude_seen", "order")}
        return protocols.from_folder(options["folder"], **given)
    return comparison.warehouse_protocol(
        home, options["protocol"], as_of=day_of(home, as_of), recipe=recipe_of(home, recipe)
    )


def _compare(protocol: Any, options: dict[str, Any]) -> None:
    from recsys.cli.show import events, models
    from recsys.experiments import comparison
    from recsys.experiments.tuning import Budget

    terms = comparison.ComparisonSettings(Budget(options["trials"], options["cpu_minutes"] * 60), options["k"])
    candidates = comparison.read_item_ids(options["candidates"]) if options["candidates"] else None
    names = options["names"] or comparison.default_recommenders()

    def keep(so_far: comparison.Comparison) -> None:
        so_far.write(json=options["json_path"], rankings=options["rankings"])

    models.compared(comparison.compare(protocol, names, terms, candidates=candidates, tell=events.event, keep=keep))


@click.command()
@click.argument("recommender")
@date_option
@recipe_option
@click.option("--trials", type=click.IntRange(min=1), default=30, show_default=True, help="Tuning trials in total.")
@click.pass_obj
def tune(home: Home, recommender: str, as_of: datetime | None, recipe: Path | None, trials: int) -> None:
    """
    Tune a recommender's settings on the validation period.

    An interrupted search is resumed.
    """
    from recsys.cli.show import events, models
    from recsys.experiments import comparison
    from recsys.experiments.tuning import Budget

    day, terms = day_of(home, as_of), recipe_of(home, recipe)
    with opened(home):
        task = comparison.warehouse_task(home, recommender, as_of=day, recipe=terms)
        models.tuned(recommender, comparison.tune_on_warehouse(home, task, Budget(trials), tell=events.event))


@click.command()
@recipe_option
@click.option(
    "--weeks",
    type=click.IntRange(min=1),
    default=12,
    show_default=True,
    help="Number of weeks, with one retraining each.",
)
@click.option(
    "--listeners", type=click.IntRange(min=1), default=1000, show_default=True, help="Maximum number of listeners."
)
@click.option("--recommender", default="als", show_default=True, help="The recommender that is retrained every week.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=7,
    show_default=True,
    help="Seed of the simulated listeners and of exploration.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of the report. [default: <home>/reports/feedback_loop]"
)
@click.pass_obj
def simulate(
    home: Home, recipe: Path | None, weeks: int, listeners: int, recommender: str, seed: int, out: Path | None
) -> None:
    """
    Simulate the feedback loop of weekly retraining.

    Compares lists with and without the recipe's rerank rules and exploration, and writes a report.
    """
    from recsys.cli.show import events, models
    from recsys.experiments import simulation
    from recsys.feedback.loop import LoopSettings
    from recsys.reports.feedback_loop import write_report

    settings = LoopSettings(weeks=weeks, recommender=recommender, seed=seed)
    terms = recipe_of(home, recipe)
    found = simulation.simulate_feedback_loop(home, terms, settings, n_listeners=listeners, tell=events.event)
    page = write_report(out or home.path / "reports" / "feedback_loop", found.weeks, settings, found.description)
    models.simulated(found.weeks, page)


@click.command()
@date_option
@recipe_option
@click.pass_obj
def recommend(home: Home, as_of: datetime | None, recipe: Path | None) -> None:
    """Fit the exported recommender on all data and make every listener's list."""
    continue_run(run_of(home, as_of, recipe), "evaluate", "recommend")


@click.command()
@date_option
@recipe_option
@_verbose
@click.pass_obj
def export(home: Home, as_of: datetime | None, recipe: Path | None, verbose: bool) -> None:
    """Compare the run with the published release (the gate); if it passes, write the export and publish."""
    from recsys.cli.show import runs

    run = run_of(home, as_of, recipe)
    continue_run(run, "recommend", "publish")
    runs.summary(run, verbose=verbose)


@click.group("lists")
def lists() -> None:
    """Import lists of another recommender, which a recipe names as `imported`."""


@lists.command("import")
@click.argument("path", metavar="FILE", type=_FILE)
@click.option("--name", required=True, help="Name of the other recommender.")
@click.option("--until", required=True, type=DATE, help="Last day of the listening that the lists were made from.")
@click.pass_obj
def import_(home: Home, path: Path, name: str, until: datetime) -> None:
    """Import lists from FILE: user_id, track_id, and rank or score, as Parquet or TSV."""
    from recsys.cli.show import models
    from recsys.experiments.foreign_lists import import_lists

    with opened(home):
        models.imported(import_lists(home, path, name, until.date()))


@click.command("export-model")
@click.argument("name", required=False)
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="New folder to write to.")
@click.option("--listeners", "with_listeners", is_flag=True, help="Also write listeners' vectors: personal data.")
@click.pass_obj
def export_model(home: Home, name: str | None, folder: Path | None, with_listeners: bool) -> None:
    """Export vectors of the published model or of the sound for other programs; without NAME, list them."""
    from recsys.cli.show import models
    from recsys.published import vectors

    if (name is None) != (folder is None):
        raise click.UsageError("Give NAME and --to FOLDER, or neither to list the names")
    if name is None or folder is None:
        models.vectors(vectors.available(home))
    else:
        vectors.write_vectors(vectors.vectors(home, name), folder, with_listeners=with_listeners)
        click.echo(folder)


@click.command()
@date_option
@recipe_option
@click.option("--inbox", type=click.Path(path_type=Path), help="Folder with new files. [default: <home>/inbox]")
@time_zone_option
@click.option("--resume", is_flag=True, help="Continue an interrupted run with the same inputs.")
@click.option(
    "--lineage", "lineage_to", metavar="FILE|URL", help="Append OpenLineage events to FILE, or post them to URL."
)
@_verbose
@click.pass_obj
def nightly(
    home: Home,
    as_of: datetime | None,
    recipe: Path | None,
    inbox: Path | None,
    time_zone: str | None,
    resume: bool,
    lineage_to: str | None,
    verbose: bool,
) -> None:
    """Run the whole nightly job: ingest, tables, models, lists, gate, export."""
    from recsys.cli.show import events, runs
    from recsys.pipeline import nightly as whole

    terms, show = recipe_of(home, recipe), partial(events.event, counts=verbose)
    with _followed(home, terms, lineage_to, show) as tell:
        set_time_zone(home, time_zone)
        day, today = day_of(home, as_of), today_of(home)
        run = whole.nightly(home, _inbox(home, inbox), as_of=day, today=today, recipe=terms, resume=resume, tell=tell)
        runs.summary(run, verbose=verbose)
    whole.refuse_unreadable(run)


@contextmanager
def _followed(home: Home, terms: Any, lineage_to: str | None, show: "Tell") -> Iterator["Tell"]:
    """Open the home for a nightly run that is followed: by who gets its messages, and by who reads its lineage."""
    from recsys.pipeline.lineage import followed
    from recsys.pipeline.notices import failures_sent

    with followed(home, lineage_to, show, now) as tell, failures_sent(home, terms.notify, tell), opened(home):
        yield tell


def _inbox(home: Home, given: Path | None) -> Path:
    if given is not None and not given.exists():
        raise InputError(f"--inbox is {given}, which does not exist; expected a folder with source files")
    return given or home.inbox
