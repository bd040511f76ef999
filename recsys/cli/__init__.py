"""
The command line. Each command reads its options, calls one function of the package and prints the result.

Heavy libraries are imported inside the commands that need them, so that `recsys --help` is fast.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click
from typing_extensions import override

from recsys import __version__
from recsys.cli import (
    answers,
    backup,
    compose,
    data,
    labels,
    mastering,
    metrics,
    mixing,
    models,
    notify,
    practice,
    privacy,
    quarantine,
    report,
    review,
    rights,
    serve,
    state,
    studio,
    tags,
    transparency,
    tunes,
    upkeep,
)
from recsys.errors import RecsysError, SetupError
from recsys.home import Home
from recsys.installation.extras import explain_missing
from recsys.installation.paths import commit
from recsys.reports.wording import without_controls


@contextmanager
def _explain_machine() -> Iterator[None]:
    """Replace what the machine refuses (disk, memory, permissions) by a SetupError; a closed pipe ends the command."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as head, has seen enough
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(0) from None
    except OSError as refused:
        raise SetupError(
            f"{refused.strerror or refused}: {refused.filename or 'no file was named'}. {_remedy(refused)}"
        ) from refused
    except MemoryError as refused:
        raise SetupError("The memory is not sufficient. Raise the limit, or run this on a larger machine") from refused


def _remedy(refused: OSError) -> str:
    """Say what to do about an error of the operating system."""
    if refused.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "Free space on the disk, then run it again"
    if refused.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return "Make it readable and writable for this user"
    return "Examine the machine and the home: recsys doctor"


class _Group(click.Group):
    """Command group that prints only the message of a `RecsysError` and exits with its code, unless `--traceback`."""

    @override
    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            with explain_missing(), _explain_machine():
                return super().invoke(ctx)
        except RecsysError as error:
            if ctx.params.get("traceback"):
                raise
            click.echo(f"{type(error).__name__}: {without_controls(str(error))}", err=True)
            ctx.exit(error.exit_code)


def _version(ctx: click.Context, _option: click.Parameter, is_given: bool) -> None:
    """Print version and commit, and exit; the commit is looked up only for this, because that may run git."""
    if is_given and not ctx.resilient_parsing:
        of_code = f"commit {found}" if (found := commit()) else "unknown commit"
        click.echo(f"recsys {__version__}, {of_code.replace('-dirty', ', modified')}")
        ctx.exit()


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    envvar="RECSYS_HOME",
    default="data/home",
    show_default=True,
    help="Folder of the lake, warehouse, models and exports.",
)
@click.option("--traceback", is_flag=True, help="Show where an error was raised.")
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
@click.pass_context
def main(ctx: click.Context, home: Path, traceback: bool) -> None:  # noqa: ARG001 - read by the group itself
    """Turn listening logs and metadata into a warehouse, recommendations and nightly exports."""
    ctx.obj = Home(home.absolute())


for _command in (
    *(data.ingest, quarantine.quarantine, data.audio, data.build, data.contracts, data.takedown),
    *(models.train, models.evaluate, models.tune, models.simulate, models.recommend, models.export),
    *(models.lists, models.export_model, models.nightly),
    *(answers.sql, answers.query, answers.describe, answers.find, answers.search, metrics.metric),
    *(answers.similar, answers.match, tunes.same_tune, answers.product, answers.next_tracks, answers.explain),
    answers.soundtrack,
    *(studio.separate, studio.denoise, mastering.master),
    compose.compose,
    *(mixing.tune_vocal, mixing.mix, practice.practise),
    *(tags.tags, labels.labels, report.report, review.review, rights.rights, notify.notify, state.state),
    transparency.transparency,
    *(serve.serve, serve.serve_key),
    *(privacy.erase, privacy.access),
    *(backup.backup, backup.restore),
    *(upkeep.runs, upkeep.rollback, upkeep.prune, upkeep.doctor, upkeep.dashboard, upkeep.demo),
):
    main.add_command(_command)
