"""The command that prints metrics."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recsys.cli.options import DATE, named_values, output_options, recipe_of, recipe_option
from recsys.home import Home

if TYPE_CHECKING:
    import polars as pl


@click.command()
@click.argument("name", required=False)
@click.option("--by", default="", metavar="DIMENSIONS", help="Dimensions, such as country,week.")
@click.option("--from", "first", type=DATE, help="First day. [default: the first of the log]")
@click.option("--to", "last", type=DATE, help="Last day. [default: the last of the log]")
@click.option("--where", multiple=True, metavar="DIMENSION=VALUE", help="Keep one group; repeatable.")
@click.option("--label", "label_id", metavar="LABEL", help="Read the file of this label alone.")
@click.option("--markdown", is_flag=True, help="Print the definitions as Markdown.")
@click.option("--export", "exported", type=click.Choice(["dbt"]), help="Write all definitions to the folder --out.")
@recipe_option
@output_options
@click.pass_obj
def metric(home: Home, /, name: str | None, form: str, out: Path | None, **options: Any) -> None:
    """
    List the metrics, or print one by some dimensions.

    Groups with too few listeners are merged into one row, whose dimensions are empty.
    """
    from recsys.cli.show import tables

    if options["exported"] or options["markdown"]:
        _defined(out, is_markdown=options["markdown"])
    else:
        tables.answer(_rows(home, name, **options), form, out)


def _defined(out: Path | None, *, is_markdown: bool) -> None:
    from recsys.cli.show import tables
    from recsys.metrics import dbt, listing

    if is_markdown:
        click.echo(listing.as_markdown())
    elif out is None:
        raise click.UsageError("--export writes several files. Add --out FOLDER, a folder that does not exist yet")
    else:
        left_out = dbt.write_dbt(out)
        tables.notes(f"Left out, since shares of a total have no form there: {', '.join(left_out)}")


def _rows(home: Home, name: str | None, **options: Any) -> "pl.DataFrame":
    from recsys.metrics import listing
    from recsys.metrics.read import Filters
    from recsys.published.metrics import metric_of_home

    if name is None:
        return listing.listed()
    by = [part.strip() for part in options["by"].split(",") if part.strip()]
    filters = Filters(_day(options["first"]), _day(options["last"]), named_values("--where", options["where"]))
    settings = recipe_of(home, options["recipe"]).labels
    return metric_of_home(home, name, by, filters, settings=settings, label_id=options["label_id"])


def _day(instant: datetime | None) -> Any:
    return instant.date() if instant else None
