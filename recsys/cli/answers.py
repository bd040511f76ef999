"""Commands that read the published release: sql, query, describe, find, search, similar, match, product, explain."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recsys.cli.options import named_values, output_options, recipe_of, recipe_option, warehouse_of
from recsys.home import Home
from recsys.installation.extras import require

if TYPE_CHECKING:
    from recsys.recipe import Recipe


@click.command()
@click.argument("query")
@click.option("--warehouse", type=click.Path(path_type=Path), help="Warehouse file. [default: the published one]")
@output_options
@click.pass_obj
def sql(home: Home, query: str, warehouse: Path | None, form: str, out: Path | None) -> None:
    """Run one SQL query on the published warehouse, read-only."""
    from recsys.cli.show import tables

    with warehouse_of(home, warehouse) as opened:
        tables.answer(opened.untrusted_query(query), form, out)


@click.command()
@click.argument("name", required=False)
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Value of a parameter; repeatable.")
@output_options
@click.pass_obj
def query(home: Home, name: str | None, params: tuple[str, ...], form: str, out: Path | None) -> None:
    """List the saved queries, or run one."""
    from recsys.cli.show import tables
    from recsys.warehouse import query as warehouse_query

    if name is None:
        tables.answer(warehouse_query.queries(), form, out)
    else:
        with warehouse_of(home) as warehouse:
            tables.answer(warehouse_query.run_query(warehouse, name, named_values("--param", params)), form, out)


@click.command()
@click.argument("table", required=False)
@click.option("--markdown", is_flag=True, help="Print the whole data dictionary as Markdown.")
@output_options
@click.pass_obj
def describe(home: Home, table: str | None, markdown: bool, form: str, out: Path | None) -> None:
    """List the tables, or the columns and lineage of one."""
    from recsys.reports.data_dictionary import data_dictionary

    with warehouse_of(home) as warehouse:
        if markdown:
            click.echo(data_dictionary(warehouse))
        else:
            _described(warehouse, table, form, out)


def _described(warehouse: Any, table: str | None, form: str, out: Path | None) -> None:
    from recsys.cli.show import tables
    from recsys.warehouse import query as warehouse_query

    if table is None:
        tables.answer(warehouse_query.tables(warehouse), form, out)
    else:
        table_row, columns = warehouse_query.describe(warehouse, table)
        tables.description(table_row)
        tables.answer(columns, form, out)


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option("-n", type=click.IntRange(min=1), default=20, show_default=True, help="Maximum number of results.")
@output_options
@click.pass_obj
def find(home: Home, words: tuple[str, ...], n: int, form: str, out: Path | None) -> None:
    """Find tracks, artists and listeners by name or id."""
    from recsys.cli.show import tables
    from recsys.warehouse import query as warehouse_query

    with warehouse_of(home) as warehouse:
        tables.answer(warehouse_query.find(warehouse, " ".join(words), n), form, out)


@click.command()
@click.argument("text")
@click.option("-n", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Maximum number of results.")
@recipe_option
@output_options
@click.pass_obj
def search(home: Home, text: str, n: int, recipe: Path | None, form: str, out: Path | None) -> None:
    """
    Search the catalogue by terms, such as "calm piano, 70-90 bpm, minor, 1990s, like TRACK".

    Tags, tempo, key, loudness, energy, year, language, label, artist, country, territory, length, and words of names;
    docs/search.md describes them all. Every result says why it is there.
    """
    from recsys.cli.show import music, tables
    from recsys.published.search import search_home

    results = search_home(home, text, recipe_of(home, recipe).audio, n=n)
    if form == "table" and out is None:
        music.search_results(results.rows)
    else:
        tables.answer(results.rows, form, out)
    tables.notes(*results.notes())


@click.command()
@click.argument("track_or_file")
@click.option("--where", help='SQL condition on track columns, such as "tempo between 90 and 110 and energy < 0.5".')
@click.option("-n", "n_wanted", type=click.IntRange(min=1), default=10, show_default=True, help="Number of tracks.")
@click.option(
    "--per-artist",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Maximum number of tracks per artist.",
)
@click.option(
    "--per-release",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Maximum number of tracks per release.",
)
@click.option(
    "--by", type=click.Choice(["sound", "lyrics"]), default="sound", show_default=True, help="What is compared."
)
@recipe_option
@output_options
@click.pass_obj
def similar(
    home: Home, /, track_or_file: str, recipe: Path | None, form: str, out: Path | None, **options: Any
) -> None:
    """List the tracks whose sound or lyrics are most similar to a track; or whose sound is, to a file."""
    from recsys.cli.show import tables
    from recsys.search.by_sound import ListLimits

    limits = ListLimits(options["n_wanted"], options["per_artist"], options["per_release"])
    if options["by"] == "lyrics":
        from recsys.published.similar_lyrics import similar_lyrics

        rows = similar_lyrics(home, track_or_file, limits, where=options["where"])
    else:
        from recsys.published.similar import similar_sound

        rows = similar_sound(home, track_or_file, limits, recipe_of(home, recipe).audio, where=options["where"])
    tables.answer(rows, form, out)


def _check_drawable(_ctx: click.Context, _option: click.Parameter, form: str | None) -> str | None:
    """Raise SetupError for an HTML report without matplotlib before matching starts, which may take hours."""
    if form == "html":
        require("matplotlib")
    return form


def _check_alone(ctx: click.Context, _option: click.Parameter, strangers: Path | None) -> Path | None:
    """Raise UsageError unless either files to search or strangers to calibrate on are given."""
    if (strangers is None) == (ctx.params.get("path") is None):
        raise click.UsageError("Give either PATH, the files to search, or --calibrate FOLDER")
    return strangers


@click.command()
@click.argument("path", type=click.Path(path_type=Path), required=False, is_eager=True)
@click.option(
    "--report",
    "form",
    type=click.Choice(["html", "csv", "json"]),
    callback=_check_drawable,
    help="Write a report in this format.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="File of the report. [default: <home>/reports/match/<name>]"
)
@click.option(
    "--against", type=click.Path(path_type=Path), help="Find recordings of this folder instead of the catalogue."
)
@click.option(
    "--calibrate",
    "strangers",
    type=click.Path(path_type=Path),
    callback=_check_alone,
    help="Set the thresholds of matching on a folder of music that is not in the catalogue.",
)
@recipe_option
@click.pass_obj
def match(
    home: Home, /, path: Path | None, form: str | None, out: Path | None, recipe: Path | None, **options: Any
) -> None:
    """Find recordings of the catalogue in a file, or in the files of a folder."""
    strangers, terms = options.pop("strangers"), recipe_of(home, recipe)
    if path is None:
        _calibrate(home, strangers, terms, **options)
    else:
        _match(home, path, terms, form, out, **options)


def _calibrate(home: Home, strangers: Path, recipe: "Recipe", **options: Any) -> None:
    from recsys.cli.show import events, music
    from recsys.published import matching

    music.calibrated(matching.calibrate(home, strangers, recipe, progress=events.searched_file, **options))


def _match(home: Home, path: Path, recipe: "Recipe", form: str | None, out: Path | None, **options: Any) -> None:
    from recsys.cli.show import events, music
    from recsys.published import matching

    found = matching.match(home, path, recipe, progress=events.searched_file, **options)
    if form is None:
        music.matched(found)
    else:
        page = out or home.path / "reports" / "match" / f"{path.resolve().stem}.{form}"
        matching.write_report(home, found, form, page, recipe)
        click.echo(page)
    found.require_complete()


@click.command()
@click.argument("name", required=False)
@click.argument("key", required=False)
@output_options
@click.pass_obj
def product(home: Home, name: str | None, key: str | None, form: str, out: Path | None) -> None:
    """
    List the products, or print one list of a product.

    KEY is the id of the listener, track, artist or playlist that the list belongs to.
    """
    from recsys.cli.show import tables
    from recsys.published import products

    if name is None or key is None:
        tables.answer(products.products(), form, out)
    else:
        tables.answer(products.product(home, name, key), form, out)


@click.command("next")
@click.argument("tracks", nargs=-1, required=True, metavar="TRACK...")
@click.option("-n", type=click.IntRange(min=1), default=10, show_default=True, help="Maximum number of tracks.")
@output_options
@click.pass_obj
def next_tracks(home: Home, tracks: tuple[str, ...], n: int, form: str, out: Path | None) -> None:
    """List what to play next after these tracks; the one played last is named last."""
    from recsys.cli.show import tables
    from recsys.published import next_tracks

    tables.answer(next_tracks.next_tracks(home, tracks, n), form, out)


@click.command()
@click.argument("listener")
@click.argument("track")
@click.option(
    "-n", type=click.IntRange(min=1), default=10, show_default=True, help="Maximum number of played tracks to show."
)
@click.pass_obj
def explain(home: Home, listener: str, track: str, n: int) -> None:
    """Show why a track is recommended: which played tracks contributed most."""
    from recsys.cli.show import models
    from recsys.published import explain as explaining

    models.explained(explaining.explain(home, listener, track), n)


@click.command()
@click.argument("name", metavar="ACTIVITY", required=False)
@click.option("--curve", help="Points of minute, beats per minute and energy: '0 110 .4, 10 150 .8, 30 120 .5'.")
@click.option("--minutes", type=click.FloatRange(1, 600), help="Length. [default: 40, or that of the curve]")
@click.option("--listener", "user_id", default="", help="Listener whose genres and country count.")
@click.option("--start", "start_min", type=click.FloatRange(min=0), default=0.0, help="Minutes that have passed.")
@click.option("--heard", multiple=True, metavar="TRACK", help="A track that was heard; repeated, in their order.")
@click.option("--skipped", multiple=True, metavar="TRACK", help="A track that was skipped; may be repeated.")
@output_options
@click.pass_obj
def soundtrack(home: Home, /, form: str, out: Path | None, **options: Any) -> None:
    """
    Plan a soundtrack for an ACTIVITY (run, study or wind-down) or along a curve of tempo and energy.

    After a skip, run it again with --start, --heard and --skipped: the rest is planned anew.
    """
    from recsys.cli.show import tables
    from recsys.published.soundtrack import Request, soundtrack

    with warehouse_of(home) as warehouse:
        tables.answer(soundtrack(warehouse, Request.of(**options)), form, out)
