"""
What benchmarks share: their command line, their smallest size and the folders of real data.

A benchmark is one file whose `main` is made a command by `benchmark` and whose last lines call it. Heavy libraries are
imported in the functions that use them, so that `--help` answers at once, and no data is touched before `main` runs.
Every option that sets how long it takes is a `size` or `size_argument`; `--smallest` takes the smallest of each, and
nothing else is needed for the tests to run it. Imports the standard library, click and `recsys.errors` alone: scripts
of peers run in environments that have no more.
"""

import inspect
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from typing_extensions import override

from recsys.errors import RecsysError, SetupError

Decorator = Callable[[Callable[..., None]], Callable[..., None]]
OWN = ("bench", "dashboards", "recsys")


class Missing(SetupError):  # noqa: N818 - reads as the sentence it prints
    """Data or a library that a benchmark needs is not on this machine."""


class _Size(click.Option):
    def __init__(self, *args: Any, smallest: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.smallest = smallest


class _SizeArgument(click.Argument):
    def __init__(self, *args: Any, smallest: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.smallest = smallest


class Benchmark(click.Command):
    """
    A command with `--smallest`, whose help is its module's docstring.

    Attributes:
        headline: Pattern of the figure that it is run for, in what it prints; the first group is the number.
    """

    def __init__(self, *args: Any, headline: str, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.headline = headline
        text = "Run at the smallest size, in a minute at most; the figures mean nothing."
        self.params.append(
            click.Option(
                ["--smallest"], is_flag=True, is_eager=True, expose_value=False, callback=_take_smallest, help=text
            )
        )

    @override
    def invoke(self, ctx: click.Context) -> Any:
        """Run the benchmark; what a user can mend is told in one line and gives the project's exit status."""
        try:
            return self._invoke(ctx)
        except RecsysError as wrong:
            click.echo(f"{type(wrong).__name__}: {wrong}", err=True)
            ctx.exit(wrong.exit_code)

    def _invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as absent:
            if str(absent.name).split(".")[0] in OWN:
                raise
            install = "make setup installs it; by hand: pip install -e '.[audio,reports,dashboards,dev]'"
            raise Missing(f"{absent.name} is not installed for {sys.executable}. {install}") from absent


def _take_smallest(context: click.Context, _parameter: click.Parameter, is_asked: bool) -> None:
    if is_asked:
        sizes = [each for each in context.command.params if isinstance(each, _Size | _SizeArgument)]
        context.default_map = {each.name: each.smallest for each in sizes if each.name}


def benchmark(*, headline: str, description: str | None = None) -> Callable[[Callable[..., None]], Benchmark]:
    """
    Make a script's `main` its command.

    Args:
        headline: Pattern of the figure that the benchmark is run for, in what it prints; the first group is the number.
        description: What `--help` says; without one, the docstring of the module of `main`.
    """

    def command(main: Callable[..., None]) -> Benchmark:
        says = description or sys.modules[main.__module__].__doc__ or ""
        paragraphs = inspect.cleandoc(says).split("\n\n")
        text = "\n\n".join(f"\b\n{paragraph}" for paragraph in paragraphs)  # as it stands, lines unbroken
        wide = {"max_content_width": 120}
        made: Benchmark = click.command(cls=Benchmark, headline=headline, help=text, context_settings=wide)(main)
        return made

    return command


def size(*names: str, default: Any, smallest: Any, **attributes: Any) -> Decorator:
    """Give a benchmark an option that sets how long it takes, with its value at `--smallest`."""
    return click.option(*names, cls=_Size, default=default, smallest=smallest, show_default=True, **attributes)


def size_argument(name: str, *, smallest: Any, **attributes: Any) -> Decorator:
    """Give a benchmark an argument that sets how long it takes, with its value at `--smallest`."""
    return click.argument(name, cls=_SizeArgument, smallest=smallest, **attributes)


home_argument = click.argument(
    "home", default="data/demo/home", envvar="RECSYS_HOME", type=click.Path(path_type=Path), metavar="[HOME]"
)


def data_folder() -> Path:
    """Return the folder of real research data; raises Missing where RECSYS_DATA does not name one."""
    return _folder("RECSYS_DATA", "real research data")


def audio_folder() -> Path:
    """Return the folder of real recordings; raises Missing where RECSYS_AUDIO does not name one."""
    return _folder("RECSYS_AUDIO", "real music and noise")


def _folder(variable: str, content: str) -> Path:
    named = os.environ.get(variable)
    if not named:
        raise Missing(f"{variable} is not set. Set it to the folder of {content}: {variable}=FOLDER python -m ...")
    if not Path(named).is_dir():
        raise Missing(f"{variable} is {named!r}, which is no folder. Set it to the folder of {content}")
    return Path(named)


def require(package: str, install: str) -> None:
    """Raise Missing where the package of a peer with an environment of its own is not installed; `install` says how."""
    if find_spec(package) is None:
        raise Missing(f"{package} is not installed for {sys.executable}. {install}")
