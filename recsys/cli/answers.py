"""Commands that answer questions: sql, query, describe, find, similar, match, product, explain."""

from pathlib import Path
from typing import Any

import click

from recsys.cli.options import output_options, recipe_of, recipe_option, warehouse_of
from recsys.errors import InputError
from recsys.home import Home
from recsys.installation.extras import require


@click.command()
@click.argument("query")
@click.option("--warehouse", type=click.Path(path_type=Path), help="Another warehouse file than the published one.")
@output_options
@click.pass_obj
def sql(home: Home, query: str, warehouse: Path | None, form: str, out: Path | None) -> None:
    """Answer one query on the published warehouse, read-only."""
    from recsys.cli.show import tables

    with warehouse_of(home, warehouse) as opened:
        tables.answer(opened.question(query), form, out)


@click.command()
@click.argument("name", required=False)
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter; may stand several times.")
@output_options
@click.pass_obj
def query(home: Home, name: str | None, params: tuple[str, ...], form: str, out: Path | None) -> None:
    """List the named queries, or answer one."""
    from recsys.cli.show import tables
    from recsys.warehouse import query as asking

    if name is None:
        tables.answer(asking.queries(), form, out)
    else:
        with warehouse_of(home) as warehouse:
            tables.answer(asking.run_query(warehouse, name, _given(params)), form, out)


def _given(params: tuple[str, ...]) -> dict[str, str]:
    for param in params:
        if "=" not in param:
            raise InputError(f"--param is {param!r}; expected NAME=VALUE, such as n=10")
    return {name: value for name, _, value in (param.partition("=") for param in params)}


@click.command()
@click.argument("table", required=False)
@click.option("--markdown", is_flag=True, help="Print the whole data dictionary as Markdown.")
@output_options
@click.pass_obj
def describe(home: Home, table: str | None, markdown: bool, form: str, out: Path | None) -> None:
    """List the tables, or one table's columns and lineage."""
    from recsys.reports.data_dictionary import data_dictionary

    with warehouse_of(home) as warehouse:
        if markdown:
            click.echo(data_dictionary(warehouse))
        else:
            _described(warehouse, table, form, out)


def _described(warehouse: Any, table: str | None, form: str, out: Path | None) -> None:
    from recsys.cli.show import tables
    from recsys.warehouse import query as asking

    if table is None:
        tables.answer(asking.tables(warehouse), form, out)
    else:
        about, columns = asking.describe(warehouse, table)
        tables.about(about)
        tables.answer(columns, form, out)


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option("-n", type=click.IntRange(min=1), default=20, show_default=True, help="How many at most.")
@output_options
@click.pass_obj
def find(home: Home, words: tuple[str, ...], n: int, form: str, out: Path | None) -> None:
    """Find tracks, artists and listeners by name or id."""
    from recsys.cli.show import tables
    from recsys.warehouse import query as asking

    with warehouse_of(home) as warehouse:
        tables.answer(asking.find(warehouse, " ".join(words), n), form, out)


@click.command()
@click.argument("track_or_file")
@click.option("--where", help='SQL on what is known of tracks: "tempo between 90 and 110 and energy < 0.5".')
@click.option("-n", "n_wanted", type=click.IntRange(min=1), default=10, show_default=True, help="Tracks.")
@click.option("--per-artist", type=click.IntRange(min=1), default=2, show_default=True, help="Of one artist, at most.")
@click.option(
    "--per-release", type=click.IntRange(min=1), default=1, show_default=True, help="Of one release, at most."
)
@recipe_option
@output_options
@click.pass_obj
def similar(home: Home, /, track_or_file: str, recipe: Path | None, form: str, out: Path | None, **asked: Any) -> None:
    """List what sounds like a track of the catalogue, or like a file."""
    from recsys.cli.show import tables
    from recsys.published.similar import named, sounds_like
    from recsys.releases import registry
    from recsys.search.by_sound import ListLimits
    from recsys.search.vector_index import Index

    wanted = ListLimits(asked["n_wanted"], asked["per_artist"], asked["per_release"])
    audio = recipe_of(home, recipe).audio
    with warehouse_of(home) as warehouse:
        index = Index.load(registry.index_folder(home))
        found = sounds_like(warehouse, index, named(track_or_file, audio), wanted, where=asked["where"])
    tables.answer(found, form, out)


def _drawable(_ctx: click.Context, _option: click.Parameter, form: str | None) -> str | None:
    """Refuse a report that cannot be drawn here before the hours that matching may take."""
    if form == "html":
        require("matplotlib")
    return form


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--report", "form", type=click.Choice(["html", "csv", "json"]), callback=_drawable, help="Write a report."
)
@click.option("--out", type=click.Path(path_type=Path), help="The report's file. [default: <home>/reports/match]")
@click.option("--against", type=click.Path(path_type=Path), help="A folder of music to find, not the catalogue's.")
@recipe_option
@click.pass_obj
def match(home: Home, /, path: Path, form: str | None, out: Path | None, recipe: Path | None, **asked: Any) -> None:
    """Find the recordings of the catalogue that a file, or the files of a folder, use."""
    from recsys.cli.show import events, music
    from recsys.published import matching

    terms = recipe_of(home, recipe)
    found = matching.match(home, path, terms, progress=events.looked_through, **asked)
    if form is None:
        music.matched(found)
    else:
        page = out or home.path / "reports" / "match" / f"{path.resolve().stem}.{form}"
        matching.report(home, found, form, page, terms)
        click.echo(page)


@click.command()
@click.argument("name", required=False)
@click.argument("key", required=False)
@output_options
@click.pass_obj
def product(home: Home, name: str | None, key: str | None, form: str, out: Path | None) -> None:
    """List the products, or show one list of a product."""
    from recsys.cli.show import tables
    from recsys.published import products

    if name is None or key is None:
        tables.answer(products.products(), form, out)
    else:
        tables.answer(products.product(home, name, key), form, out)


@click.command()
@click.argument("listener")
@click.argument("track")
@click.option("-n", type=click.IntRange(min=1), default=10, show_default=True, help="How many tracks at most.")
@click.pass_obj
def explain(home: Home, listener: str, track: str, n: int) -> None:
    """Say which of a listener's tracks speak for another track."""
    from recsys.cli.show import models
    from recsys.published import explain as explaining

    models.explained(explaining.explain(home, listener, track), n)
