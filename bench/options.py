"""
Shared by all benchmarks: their command line, their smallest size and the folders of real data.

A benchmark is a module whose `main` is decorated with `benchmark` and called in its last lines. Heavy libraries are
imported in the functions that use them, so that `--help` answers at once, and no data is read before `main` runs. Every
option that determines the running time is a `size` or `size_argument`; `--smallest` sets each to its smallest value, so
that tests can run any benchmark. This module imports only the standard library, click and `recsys.errors`, because the
scripts of peers run in environments that have nothing else of ours.
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
    The command of a benchmark: its help is the docstring of its module, `--smallest` sets every size to its smallest.

    Attributes:
        headline: Regular expression that finds the main figure in the output; its first group is the number.
    """

    def __init__(self, *args: Any, headline: str, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.headline = headline
        text = "Run at the smallest size, in at most a minute; the figures mean nothing."
        self.params.append(
            click.Option(
                ["--smallest"], is_flag=True, is_eager=True, expose_value=False, callback=_take_smallest, help=text
            )
        )

    @override
    def invoke(self, ctx: click.Context) -> Any:
        """Run the benchmark; print an error that the user can fix in one line and exit with its status."""
        try:
            return self._invoke(ctx)
        except RecsysError as error:
            click.echo(f"{type(error).__name__}: {error}", err=True)
            ctx.exit(error.exit_code)

    def _invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as absent:
            if str(absent.name).split(".")[0] in OWN:
                raise
            install = "make setup installs it; by hand: pip install -e '.[audio,reports,dashboards,dev]'"
            raise Missing(f"{absent.name} is not installed for {sys.executable}. {install}") from absent


def _take_smallest(context: click.Context, _parameter: click.Parameter, is_given: bool) -> None:
    if is_given:
        sizes = [parameter for parameter in context.command.params if isinstance(parameter, _Size | _SizeArgument)]
        context.default_map = {parameter.name: parameter.smallest for parameter in sizes if parameter.name}


def benchmark(*, headline: str, description: str | None = None) -> Callable[[Callable[..., None]], Benchmark]:
    """
    Return a decorator that turns a script's `main` into a command.

    Args:
        headline: Regular expression that finds the main figure in the output; its first group is the number.
        description: Text of `--help`; None for the docstring of the module that defines `main`.
    """

    def command(main: Callable[..., None]) -> Benchmark:
        documentation = description or sys.modules[main.__module__].__doc__ or ""
        paragraphs = inspect.cleandoc(documentation).split("\n\n")
        text = "\n\n".join(f"\b\n{paragraph}" for paragraph in paragraphs)  # \b keeps click from rewrapping lines
        wide = {"max_content_width": 120}
        decorated: Benchmark = click.command(cls=Benchmark, headline=headline, help=text, context_settings=wide)(main)
        return decorated

    return command


def size(*names: str, default: Any, smallest: Any, **attributes: Any) -> Decorator:
    """Add an option that determines the running time, with its value at `--smallest`."""
    return click.option(*names, cls=_Size, default=default, smallest=smallest, show_default=True, **attributes)


def size_argument(name: str, *, smallest: Any, **attributes: Any) -> Decorator:
    """Add an argument that determines the running time, with its value at `--smallest`."""
    return click.argument(name, cls=_SizeArgument, smallest=smallest, **attributes)


home_argument = click.argument(
    "home", default="data/demo/home", envvar="RECSYS_HOME", type=click.Path(path_type=Path), metavar="[HOME]"
)


def data_folder() -> Path:
    """Return the folder of real research data; raises Missing if RECSYS_DATA does not name one."""
    return _folder("RECSYS_DATA", "real research data")


def audio_folder() -> Path:
    """Return the folder of real recordings; raises Missing if RECSYS_AUDIO does not name one."""
    return _folder("RECSYS_AUDIO", "real music and noise")


def _folder(variable: str, content: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        raise Missing(f"{variable} is not set. Set it to the folder of {content}: {variable}=FOLDER python -m ...")
    if not Path(value).is_dir():
        raise Missing(f"{variable} is {value!r}, which is not a folder. Set it to the folder of {content}")
    return Path(value)


def require(package: str, install: str) -> None:
    """Raise Missing if a peer's package is not installed in its own environment; `install` says how to install it."""
    if find_spec(package) is None:
        raise Missing(f"{package} is not installed for {sys.executable}. {install}")
