"""Commands of models and of the night: train, evaluate, tune, simulate, recommend, export, nightly."""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from recsys.cli.options import (
    advance,
    date_option,
    day_of,
    keep_clock,
    recipe_of,
    recipe_option,
    run_of,
    time_zone_option,
    today_of,
)
from recsys.errors import InputError
from recsys.home import Home, locked

_FILE = click.Path(path_type=Path, dir_okay=False)
_verbose = click.option("--verbose", is_flag=True, help="Show each step's counts and each table's size too.")


_COMPARED = (
    click.option(
        "--split", "folder", type=click.Path(path_type=Path), help="Compare on the fixed split in this folder."
    ),
    click.option(
        "--protocol",
        type=click.Choice(["temporal", "leave-last-out"]),
        help="Compare on the published warehouse, tuned on validation.",
    ),
    click.option("--recommender", "names", multiple=True, help="Only this one; may stand several times."),
    click.option(
        "--exclude-seen",
        type=click.Choice(["train+validation", "train", "none"]),
        default="train+validation",
        show_default=True,
        help="What a list may not name again.",
    ),
    click.option(
        "--candidates", type=_FILE, help="Parquet file of the item_id that may be recommended. [default: all]"
    ),
    click.option("--trials", type=click.IntRange(min=1), default=10, show_default=True, help="Settings tried a model."),
    click.option(
        "--cpu-minutes",
        type=float,
        default=10.0,
        show_default=True,
        help="Begin no trial after so much work a model.",
    ),
    click.option("-k", type=click.IntRange(min=1), default=10, show_default=True, help="Places that count."),
    click.option("--json", "json_path", type=_FILE, help="Write every metric, group and cost to this file."),
    click.option("--rankings", type=_FILE, help="Write the lists to this Parquet file."),
)


def _compared(command: Any) -> Any:
    for option in reversed(_COMPARED):
        command = option(command)
    return command


@click.command()
@date_option
@recipe_option
@click.pass_obj
def train(home: Home, as_of: datetime | None, recipe: Path | None) -> None:
    """Fit the recipe's recommenders on the training window."""
    advance(run_of(home, as_of, recipe), "build", "build", "train")


@click.command()
@date_option
@recipe_option
@_compared
@click.pass_obj
def evaluate(home: Home, /, as_of: datetime | None, recipe: Path | None, **asked: Any) -> None:
    """Judge recommenders: the night's, or all of them on a split."""
    from recsys.cli.show import models

    if asked["folder"] or asked["protocol"]:
        _compare(_protocol(home, as_of, recipe, asked), asked)
    else:
        run = run_of(home, as_of, recipe)
        advance(run, "train", "train", "evaluate")
        models.quality(run)


def _protocol(home: Home, as_of: datetime | None, recipe: Path | None, asked: dict[str, Any]) -> Any:
    from recsys.experiments import comparison, protocols

    if asked["folder"]:
        return protocols.fixed(asked["folder"], exclude_seen=asked["exclude_seen"])
    return comparison.home_protocol(home, asked["protocol"], as_of=day_of(home, as_of), recipe=recipe_of(home, recipe))


def _compare(protocol: Any, asked: dict[str, Any]) -> None:
    from recsys.cli.show import events, models
    from recsys.experiments import comparison
    from recsys.experiments.tuning import Budget

    terms = comparison.ComparisonSettings(Budget(asked["trials"], asked["cpu_minutes"] * 60), asked["k"])
    candidates = comparison.read_item_ids(asked["candidates"]) if asked["candidates"] else None
    names = asked["names"] or comparison.default_recommenders()
    found = comparison.compare(protocol, names, terms, candidates=candidates, tell=events.event)
    found.write(json=asked["json_path"], rankings=asked["rankings"])
    models.compared(found)


@click.command()
@click.argument("recommender")
@date_option
@recipe_option
@click.option("--trials", type=click.IntRange(min=1), default=30, show_default=True, help="Settings tried in all.")
@click.pass_obj
def tune(home: Home, recommender: str, as_of: datetime | None, recipe: Path | None, trials: int) -> None:
    """Search a recommender's settings on the validation period; a search that was cut off goes on."""
    from recsys.cli.show import events, models
    from recsys.experiments import comparison
    from recsys.experiments.tuning import Budget

    day, terms = day_of(home, as_of), recipe_of(home, recipe)
    with locked(home):
        task = comparison.home_task(home, recommender, as_of=day, recipe=terms)
        models.tuned(recommender, comparison.tune_in_home(home, task, Budget(trials), tell=events.event))


@click.command()
@recipe_option
@click.option("--weeks", type=click.IntRange(min=1), default=12, show_default=True, help="Weeks of retraining.")
@click.option("--listeners", type=click.IntRange(min=1), default=1000, show_default=True, help="How many, at most.")
@click.option("--recommender", default="als", show_default=True, help="The recommender that is retrained every week.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=7,
    show_default=True,
    help="Seed of the simulated listeners and of exploration.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder. [default: <home>/reports/feedback_loop]")
@click.pass_obj
def simulate(
    home: Home, recipe: Path | None, weeks: int, listeners: int, recommender: str, seed: int, out: Path | None
) -> None:
    """Simulate weeks of learning from one's own lists, with and without the recipe's rules; writes a report."""
    from recsys.cli.show import events, models
    from recsys.experiments import simulation
    from recsys.feedback.loop import LoopSettings
    from recsys.reports.feedback_loop import write_report

    settings = LoopSettings(weeks=weeks, recommender=recommender, seed=seed)
    terms = recipe_of(home, recipe)
    found = simulation.simulate_home(home, terms, settings, n_listeners=listeners, tell=events.event)
    page = write_report(out or home.path / "reports" / "feedback_loop", found.weeks, settings, found.description)
    models.simulated(found.weeks, page)


@click.command()
@date_option
@recipe_option
@click.pass_obj
def recommend(home: Home, as_of: datetime | None, recipe: Path | None) -> None:
    """Fit on everything and make every listener's list."""
    advance(run_of(home, as_of, recipe), "evaluate", "evaluate", "recommend")


@click.command()
@date_option
@recipe_option
@_verbose
@click.pass_obj
def export(home: Home, as_of: datetime | None, recipe: Path | None, verbose: bool) -> None:
    """Pass the gate, write the export and publish everything."""
    from recsys.cli.show import runs

    run = run_of(home, as_of, recipe)
    advance(run, "recommend", "recommend", "publish")
    runs.summary(run, verbose=verbose)


@click.command()
@date_option
@recipe_option
@click.option("--inbox", type=click.Path(path_type=Path), help="Folder with new files. [default: <home>/inbox]")
@time_zone_option
@click.option("--resume", is_flag=True, help="Keep what an interrupted run of the same inputs has finished.")
@_verbose
@click.pass_obj
def nightly(
    home: Home,
    as_of: datetime | None,
    recipe: Path | None,
    inbox: Path | None,
    time_zone: str | None,
    resume: bool,
    verbose: bool,
) -> None:
    """Do everything: new files in, tables, models, gate, export."""
    from recsys.cli.show import events, runs
    from recsys.pipeline import nightly as whole

    terms, tell = recipe_of(home, recipe), partial(events.event, counts=verbose)
    with locked(home):
        keep_clock(home, time_zone)
        day, today = day_of(home, as_of), today_of(home)
        run = whole.nightly(home, _inbox(home, inbox), as_of=day, today=today, recipe=terms, resume=resume, tell=tell)
        runs.summary(run, verbose=verbose)


def _inbox(home: Home, given: Path | None) -> Path:
    if given is not None and not given.exists():
        raise InputError(f"--inbox is {given}, which does not exist; expected a folder with source files")
    return given or home.inbox
