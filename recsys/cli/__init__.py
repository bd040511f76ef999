"""
Every command. Each reads its options, calls one function of the package and shows what came back.

Heavy libraries are imported inside the commands that need them, so that `recsys --help` answers at once.
"""

from pathlib import Path
from typing import Any

import click
from typing_extensions import override

from recsys.cli import answers, data, models, upkeep
from recsys.errors import RecsysError
from recsys.home import Home


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


for _command in (
    *(data.ingest, data.audio, data.build, data.takedown),
    *(models.train, models.evaluate, models.tune, models.simulate, models.recommend, models.export, models.nightly),
    *(answers.sql, answers.query, answers.describe, answers.find),
    *(answers.similar, answers.match, answers.product, answers.explain),
    *(upkeep.runs, upkeep.rollback, upkeep.prune, upkeep.doctor, upkeep.dashboard, upkeep.demo),
):
    main.add_command(_command)
