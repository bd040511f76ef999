"""
Every command. Each reads its options, calls one function of the package and shows what came back.

Heavy libraries are imported inside the commands that need them, so that `recsys --help` answers at once.
"""

import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from typing_extensions import override

from recsys.errors import InputError, RecsysError
from recsys.home import Home, locked

if TYPE_CHECKING:
    from recsys.run import Run

_DEMO = Path("data/demo")


class _Group(click.Group):
    """Prints a mendable error's message alone and exits with its code; `--traceback` shows the rest."""

    @override
    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except RecsysError as wrong:
            if ctx.params.get("traceback"):
                raise
            click.echo(f"{type(wrong).__name__}: {wrong}", err=True)
            ctx.exit(wrong.exit_code)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    envvar="RECSYS_HOME",
    default="data/home",
    show_default=True,
    help="Where lake, warehouse, models and exports live.",
)
@click.option("--traceback", is_flag=True, help="Show where an error came from.")
@click.version_option(package_name="recsys")
@click.pass_context
def main(ctx: click.Context, home: Path, traceback: bool) -> None:  # noqa: ARG001 - read by the group itself
    """Turn listening logs and metadata into a warehouse, recommendations and nightly exports."""
    ctx.obj = Home(home.absolute())


def _today(home: Home) -> date:
    from recsys.lake import Lake

    return datetime.now(Lake(home).zone).date()


_DATE = click.DateTime(["%Y-%m-%d"])
_dated = click.option("--date", "as_of", type=_DATE, help="Last day of the logs that counts. [default: yesterday]")
_timed = click.option(
    "--time-zone", help="The market's, at whose midnight a day ends; kept from the first file on. [default: UTC]"
)
_told = click.option("--recipe", type=click.Path(path_type=Path, dir_okay=False), help="[default: <home>/recipe.toml]")


def _run(home: Home, as_of: datetime | None, recipe: Path | None) -> "Run":
    from recsys import show
    from recsys.run import Run

    return Run.of(home, _day(home, as_of), _recipe(home, recipe), tell=show.event)


def _day(home: Home, as_of: datetime | None) -> date:
    return as_of.date() if as_of else _today(home) - timedelta(days=1)


def _keep_clock(home: Home, time_zone: str | None) -> None:
    from recsys.lake import Lake

    if time_zone is not None:
        Lake(home).set_zone(time_zone)


def _recipe(home: Home, path: Path | None) -> Any:
    from recsys.recipe import read_recipe

    own = home.path / "recipe.toml"
    return read_recipe(path or (own if own.exists() else None))


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as", "table", help="Raw table, where the columns do not tell (listens, events, tracks ...).")
@click.option(
    "--format", "format_name", default="auto", show_default=True, help="csv, jsonl, parquet, lastfm, billboard or auto."
)
@_timed
@click.pass_obj
def ingest(home: Home, paths: tuple[Path, ...], table: str | None, format_name: str, time_zone: str | None) -> None:
    """Take files into the lake, bad rows to the quarantine."""
    from recsys import show
    from recsys.ingest import run as ingesting

    found = ingesting.source_files(paths)
    with locked(home), show.ingest_progress(sum(path.stat().st_size for path in found)) as progress:
        _keep_clock(home, time_zone)
        today = _today(home)
        report = ingesting.ingest(home, found, today=today, table=table, format_name=format_name, progress=progress)
    show.ingested(report)
    if report.unreadable:
        raise InputError(f"{len(report.unreadable)} of {len(found)} files cannot be read; the others are in the lake")


@main.group()
def audio() -> None:
    """Hear the catalogue: scan a folder of music, train an encoder on it."""


@audio.command()
@click.argument("folder", type=click.Path(path_type=Path))
@_told
@click.pass_obj
def scan(home: Home, folder: Path, recipe: Path | None) -> None:
    """Analyse what is new in a folder of music; a scan that was stopped goes on."""
    from recsys import show
    from recsys.scan import library, run

    settings, n_bytes = _recipe(home, recipe).audio, sum(path.stat().st_size for path in library.audio_files(folder))
    with locked(home), show.ingest_progress(n_bytes) as progress:
        report = run.scan(home, folder, today=_today(home), settings=settings, progress=progress)
    show.scanned(report)


@audio.command("train")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("encoder", type=click.Path(path_type=Path))
@click.option("--start", type=click.Choice(["pretrained", "random"]), default="pretrained", show_default=True)
@click.option("--epochs", type=click.IntRange(min=1), default=10, show_default=True, help="Times all music is heard.")
@click.option("--with-unknown", is_flag=True, help="Learn also from music of whose consent nothing is known.")
@click.pass_obj
def train_encoder(home: Home, /, folder: Path, encoder: Path, **asked: Any) -> None:
    """Train an encoder on the music in FOLDER whose holders allow it; training that was stopped goes on."""
    from recsys import show
    from recsys.audio.train import TrainSettings, train
    from recsys.scan.consent import training_tracks

    with _warehouse(home) as warehouse:
        tracks = training_tracks(warehouse, folder)
    show.trained(train(tracks, TrainSettings(**asked), encoder, progress=show.epoch), encoder)


@main.command()
@_dated
@_told
@click.option("--backfill", metavar="A..B", help="Compute these days again even if untouched (YYYY-MM-DD..YYYY-MM-DD).")
@click.pass_obj
def build(home: Home, as_of: datetime | None, recipe: Path | None, backfill: str | None) -> None:
    """Build the tables, hold each to its contract, publish them."""
    from recsys import steps
    from recsys.run import step_of

    run, period = _run(home, as_of, recipe), _period(backfill)
    with locked(home):
        with step_of(run, "build") as counts:
            counts.update(steps.build(run, period))
        click.echo(steps.publish_tables(run))


def _period(text: str | None) -> tuple[date, date] | None:
    if text is None:
        return None
    try:
        first, last = (date.fromisoformat(day) for day in text.split(".."))
    except ValueError as wrong:
        raise InputError(f"--backfill is {text!r}; expected two days, such as 2026-01-01..2026-01-31") from wrong
    if first > last:
        raise InputError(f"--backfill is {text!r}, which ends before it begins; expected the earlier day first")
    return first, last


def _advance(run: "Run", needed: str, command: str, last: str) -> None:
    from recsys import nightly as whole

    with locked(run.home):
        run.needs(needed, command)
        whole.advance(run, last)


@main.command()
@_dated
@_told
@click.pass_obj
def train(home: Home, as_of: datetime | None, recipe: Path | None) -> None:
    """Fit the recipe's recommenders on the training window."""
    _advance(_run(home, as_of, recipe), "build", "build", "train")


_FILE = click.Path(path_type=Path, dir_okay=False)
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


@main.command()
@_dated
@_told
@_compared
@click.pass_obj
def evaluate(home: Home, /, as_of: datetime | None, recipe: Path | None, **asked: Any) -> None:
    """Judge recommenders: the night's, or all of them on a split."""
    from recsys import show

    if asked["folder"] or asked["protocol"]:
        _compare(_protocol(home, as_of, recipe, asked), asked)
    else:
        run = _run(home, as_of, recipe)
        _advance(run, "train", "train", "evaluate")
        show.quality(run)


def _protocol(home: Home, as_of: datetime | None, recipe: Path | None, asked: dict[str, Any]) -> Any:
    from recsys import comparison, protocols

    if asked["folder"]:
        return protocols.fixed(asked["folder"], exclude_seen=asked["exclude_seen"])
    return comparison.protocol_of(home, asked["protocol"], as_of=_day(home, as_of), recipe=_recipe(home, recipe))


def _compare(protocol: Any, asked: dict[str, Any]) -> None:
    from recsys import comparison, show
    from recsys.tune import Budget

    terms = comparison.Terms(Budget(asked["trials"], asked["cpu_minutes"] * 60), asked["k"])
    candidates = comparison.item_ids(asked["candidates"]) if asked["candidates"] else None
    names = asked["names"] or comparison.default_names()
    found = comparison.compare(protocol, names, terms, candidates=candidates, tell=show.event)
    found.write(json=asked["json_path"], rankings=asked["rankings"])
    show.compared(found)


@main.command()
@click.argument("recommender")
@_dated
@_told
@click.option("--trials", type=click.IntRange(min=1), default=30, show_default=True, help="Settings tried in all.")
@click.pass_obj
def tune(home: Home, recommender: str, as_of: datetime | None, recipe: Path | None, trials: int) -> None:
    """Search a recommender's settings on the validation period; a search that was cut off goes on."""
    from recsys import comparison, show
    from recsys.tune import Budget

    day, told = _day(home, as_of), _recipe(home, recipe)
    with locked(home):
        task = comparison.task_of(home, recommender, as_of=day, recipe=told)
        show.tuned(recommender, comparison.search(home, task, Budget(trials), tell=show.event))


@main.command()
@_told
@click.option("--weeks", type=click.IntRange(min=1), default=12, show_default=True, help="Weeks of retraining.")
@click.option("--listeners", type=click.IntRange(min=1), default=1000, show_default=True, help="How many, at most.")
@click.option("--recommender", default="als", show_default=True, help="Which is retrained every week.")
@click.option("--seed", type=click.IntRange(min=0), default=7, show_default=True, help="Of taste and dice.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder. [default: <home>/reports/feedback_loop]")
@click.pass_obj
def simulate(
    home: Home, recipe: Path | None, weeks: int, listeners: int, recommender: str, seed: int, out: Path | None
) -> None:
    """Simulate weeks of learning from one's own lists, with and without the recipe's rules; writes a report."""
    from recsys import show, simulation
    from recsys.feedback.loop import LoopSettings
    from recsys.feedback.report import write_report

    settings = LoopSettings(weeks=weeks, recommender=recommender, seed=seed)
    told = _recipe(home, recipe)
    found = simulation.simulate_home(home, told, settings, n_listeners=listeners, tell=show.event)
    page = write_report(out or home.path / "reports" / "feedback_loop", found.weeks, settings, found.about)
    show.simulated(found.weeks, page)


@main.command()
@_dated
@_told
@click.pass_obj
def recommend(home: Home, as_of: datetime | None, recipe: Path | None) -> None:
    """Fit on everything and make every listener's list."""
    _advance(_run(home, as_of, recipe), "evaluate", "evaluate", "recommend")


@main.command()
@_dated
@_told
@click.pass_obj
def export(home: Home, as_of: datetime | None, recipe: Path | None) -> None:
    """Pass the gate, write the export and publish everything."""
    from recsys import show

    run = _run(home, as_of, recipe)
    _advance(run, "recommend", "recommend", "publish")
    show.summary(run)


@main.command()
@_dated
@_told
@click.option("--inbox", type=click.Path(path_type=Path), help="Folder with new files. [default: <home>/inbox]")
@_timed
@click.option("--resume", is_flag=True, help="Keep what an interrupted run of the same inputs has finished.")
@click.pass_obj
def nightly(
    home: Home,
    as_of: datetime | None,
    recipe: Path | None,
    inbox: Path | None,
    time_zone: str | None,
    resume: bool,
) -> None:
    """Do everything: new files in, tables, models, gate, export."""
    from recsys import nightly as whole
    from recsys import show

    told = _recipe(home, recipe)
    with locked(home):
        _keep_clock(home, time_zone)
        day, today = _day(home, as_of), _today(home)
        run = whole.nightly(
            home, _inbox(home, inbox), as_of=day, today=today, recipe=told, resume=resume, tell=show.event
        )
        show.summary(run)


def _inbox(home: Home, given: Path | None) -> Path:
    if given is not None and not given.exists():
        raise InputError(f"--inbox is {given}, which does not exist; expected a folder with source files")
    return given or home.inbox


def _answers(command: Any) -> Any:
    command = click.option("--out", type=click.Path(path_type=Path), help="Write to this file instead of the screen.")(
        command
    )
    for form in ("parquet", "json", "csv"):
        command = click.option(f"--{form}", "form", flag_value=form, help=f"Answer as {form}.")(command)
    return click.option("--table", "form", flag_value="table", default="table", help="Answer as a table. [default]")(
        command
    )


def _warehouse(home: Home, path: Path | None = None) -> Any:
    from recsys.warehouse.query import Warehouse

    return Warehouse.open(path or home.published_warehouse())


@main.command()
@click.argument("query")
@click.option("--warehouse", type=click.Path(path_type=Path), help="Another warehouse file than the published one.")
@_answers
@click.pass_obj
def sql(home: Home, query: str, warehouse: Path | None, form: str, out: Path | None) -> None:
    """Answer one SELECT on the published warehouse, read-only."""
    from recsys import show

    with _warehouse(home, warehouse) as opened:
        show.answer(opened.frame(query), form, out)


@main.command()
@click.argument("name", required=False)
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter; may stand several times.")
@_answers
@click.pass_obj
def query(home: Home, name: str | None, params: tuple[str, ...], form: str, out: Path | None) -> None:
    """List the named queries, or answer one."""
    from recsys import show
    from recsys.warehouse import query as asking

    if name is None:
        show.answer(asking.queries(), form, out)
    else:
        with _warehouse(home) as warehouse:
            show.answer(asking.ask(warehouse, name, _given(params)), form, out)


def _given(params: tuple[str, ...]) -> dict[str, str]:
    for param in params:
        if "=" not in param:
            raise InputError(f"--param is {param!r}; expected NAME=VALUE, such as n=10")
    return {name: value for name, _, value in (param.partition("=") for param in params)}


@main.command()
@click.argument("track_or_file")
@click.option("--where", help='SQL on what is known of tracks: "tempo between 90 and 110 and energy < 0.5".')
@click.option("-n", "n_wanted", type=click.IntRange(min=1), default=10, show_default=True, help="Tracks.")
@click.option("--per-artist", type=click.IntRange(min=1), default=2, show_default=True, help="Of one artist, at most.")
@click.option(
    "--per-release", type=click.IntRange(min=1), default=1, show_default=True, help="Of one release, at most."
)
@_told
@_answers
@click.pass_obj
def similar(home: Home, /, track_or_file: str, recipe: Path | None, form: str, out: Path | None, **asked: Any) -> None:
    """List what sounds like a track of the catalogue, or like a file."""
    from recsys import registry, show
    from recsys.similarity.ask import sounds_like
    from recsys.similarity.discover import Wanted
    from recsys.similarity.index import Index

    wanted, encoder = Wanted(asked["n_wanted"], asked["per_artist"], asked["per_release"]), _recipe(home, recipe).audio
    with _warehouse(home) as warehouse:
        index = Index.load(registry.index_folder(home))
        found = sounds_like(warehouse, index, track_or_file, wanted, where=asked["where"], encoder=encoder.encoder)
    show.answer(found, form, out)


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--report", "form", type=click.Choice(["html", "csv", "json"]), help="Write a report.")
@click.option("--out", type=click.Path(path_type=Path), help="The report's file. [default: <home>/reports/match]")
@click.option("--against", type=click.Path(path_type=Path), help="A folder of music to find, not the catalogue's.")
@_told
@click.pass_obj
def match(home: Home, /, path: Path, form: str | None, out: Path | None, recipe: Path | None, **asked: Any) -> None:
    """Find the recordings of the catalogue that a file, or the files of a folder, use."""
    from recsys import show
    from recsys.matching import published

    told = _recipe(home, recipe)
    found = published.match(home, path, told, progress=show.looked_through, **asked)
    if form is None:
        show.matched(found)
    else:
        page = out or home.path / "reports" / "match" / f"{path.resolve().stem}.{form}"
        published.report(home, found, form, page, told)
        click.echo(page)


@main.command()
@click.argument("tracks", nargs=-1, required=True)
@click.option("--grounds", default="", help="Why; kept beside it.")
@click.pass_obj
def takedown(home: Home, tracks: tuple[str, ...], grounds: str) -> None:
    """Take recordings out of every index at once, and out of all lists from the next night on."""
    from recsys import show
    from recsys.takedown import take_down

    with locked(home):
        show.taken_down(take_down(home, tracks, grounds, today=_today(home)))


@main.command()
@click.argument("table", required=False)
@_answers
@click.pass_obj
def describe(home: Home, table: str | None, form: str, out: Path | None) -> None:
    """List the tables, or one table's columns and lineage."""
    from recsys import show
    from recsys.warehouse import query as asking

    with _warehouse(home) as warehouse:
        if table is None:
            show.answer(asking.tables(warehouse), form, out)
        else:
            about, columns = asking.describe(warehouse, table)
            show.about(about)
            show.answer(columns, form, out)


@main.command()
@click.argument("words", nargs=-1, required=True)
@click.option("-n", type=click.IntRange(min=1), default=20, show_default=True, help="How many at most.")
@_answers
@click.pass_obj
def find(home: Home, words: tuple[str, ...], n: int, form: str, out: Path | None) -> None:
    """Find tracks, artists and listeners by name or id."""
    from recsys import show
    from recsys.warehouse import query as asking

    with _warehouse(home) as warehouse:
        show.answer(asking.find(warehouse, " ".join(words), n), form, out)


@main.command()
@click.argument("name", required=False)
@click.argument("key", required=False)
@_answers
@click.pass_obj
def product(home: Home, name: str | None, key: str | None, form: str, out: Path | None) -> None:
    """List the products, or show one list of a product."""
    from recsys import show
    from recsys.products import published

    if name is None or key is None:
        show.answer(published.products(), form, out)
    else:
        show.answer(published.product(home, name, key), form, out)


@main.command()
@click.argument("listener")
@click.argument("track")
@click.option("-n", type=click.IntRange(min=1), default=10, show_default=True, help="How many tracks at most.")
@click.pass_obj
def explain(home: Home, listener: str, track: str, n: int) -> None:
    """Say which of a listener's tracks speak for another track."""
    from recsys import explain as explaining
    from recsys import show

    show.explained(explaining.explain(home, listener, track), n)


@main.command()
@click.pass_obj
def runs(home: Home) -> None:
    """List the runs with their verdicts and metrics."""
    from recsys import show

    show.runs(home)


@main.command()
@click.argument("run")
@click.pass_obj
def rollback(home: Home, run: str) -> None:
    """Make an earlier release current again, models and tables."""
    from recsys import registry

    with locked(home):
        registry.rollback(home, run)
    click.echo(f"{run} is current")


@main.command()
@click.option(
    "--keep", type=click.IntRange(min=0), default=7, show_default=True, help="How many of the newest releases stay."
)
@click.pass_obj
def prune(home: Home, keep: int) -> None:
    """Throw old releases away, never one that is in use."""
    from recsys import registry

    with locked(home):
        gone = registry.prune(home, keep)
    click.echo("\n".join(gone) or "nothing to prune")


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="TCP port.")
@click.option("--address", default="127.0.0.1", show_default=True, help="Another one needs a login (README, Labels).")
@click.pass_obj
def dashboard(home: Home, port: int, address: str) -> None:
    """Open the dashboards; without a login, on this machine only."""
    from recsys import dashboard as pages

    if not pages.has_login(home):
        click.echo("No login is set up: whoever opens this sees everything, so it opens on this machine only.")
    pages.start(home, address=address, port=port)


@main.command()
@click.pass_obj
def doctor(home: Home) -> None:
    """Check machine, home and data, and say what to do."""
    from recsys import doctor as doctoring
    from recsys import show

    sys.exit(show.findings(list(doctoring.examine(home))))


@main.command()
@click.argument("folder", type=click.Path(path_type=Path), default=_DEMO)
@click.option("--seed", default=7, show_default=True, help="The same seed makes the same world.")
@click.option("--scale", default=1.0, show_default=True, help="Times 2,500 listeners and a million listens.")
def demo(folder: Path, seed: int, scale: float) -> None:
    """Write a made-up world as raw files, the truth beside them."""
    from recsys import demo as world
    from recsys import show

    show.world(world.write_world(folder, seed=seed, scale=scale))
