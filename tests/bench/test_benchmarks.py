"""Every benchmark, found by walking `bench/`, answers `--help` at once and runs at its smallest size."""

import ast
import json
import os
import re
import subprocess
import sys
from importlib import import_module
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import pytest
from click.testing import CliRunner

from bench.options import Benchmark, benchmark, require, size, size_argument
from recsys.audio.features.learned_scorers import FOLDER as WEIGHTS
from recsys.files import sha256_of
from recsys.pipeline.run import Run

ROOT = Path(__file__).parents[2]
BENCHMARKS = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "bench").rglob("*.py"))
    if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")
]
SLOW_TO_IMPORT = ("torch", "sklearn", "streamlit", "librosa", "faiss", "matplotlib", "implicit", "lightfm", "pandas")
REAL_DATA = ("RECSYS_DATA", "RECSYS_AUDIO")
HELPS = f"""
import contextlib, io, json, runpy, sys
messages = {{}}
for name in {BENCHMARKS!r}:
    sys.argv, printed = [name, "--help"], io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
        except SystemExit as ended:
            slow = [module for module in {SLOW_TO_IMPORT!r} if module in sys.modules]
            messages[name] = [ended.code, printed.getvalue(), slow]
print(json.dumps(messages))
"""


def test_every_benchmark_answers_help_without_data_or_heavy_libraries() -> None:
    """The help shows the docstring and `--smallest`, without RECSYS_DATA and RECSYS_AUDIO."""
    bare = {name: value for name, value in os.environ.items() if name not in REAL_DATA}

    done = subprocess.run([sys.executable, "-c", HELPS], cwd=ROOT, env=bare, capture_output=True, text=True, check=True)

    messages = json.loads(done.stdout)
    assert sorted(messages) == sorted(BENCHMARKS)
    for name, (status, text, loaded) in messages.items():
        assert (name, status, loaded) == (name, 0, [])
        assert "--smallest" in text
        assert first_line(name) in text


def first_line(name: str) -> str:
    """Return the first line of a benchmark's docstring."""
    source = (ROOT / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8")
    return str(ast.get_docstring(ast.parse(source))).splitlines()[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_runs_at_its_smallest_size(name: str, finished: Run) -> None:
    """It prints its main figure, and no run changes the shipped weights."""
    shipped = {path: sha256_of(path) for path in WEIGHTS.rglob("*.*")}
    command = [sys.executable, "-m", name, "--smallest"]

    with TemporaryDirectory() as folder:  # a short path: browsers put sockets into it
        environment = os.environ | {"RECSYS_HOME": str(finished.home.path), "TMPDIR": folder}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    if done.returncode == 3 and done.stderr.startswith("Missing: "):
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr[-3000:]
    figures = re.findall(headline_of(name), done.stdout)
    assert figures, done.stdout[-3000:]
    assert all(isfinite(float(figure.replace(",", ""))) for figure in figures)
    assert {path: sha256_of(path) for path in WEIGHTS.rglob("*.*")} == shipped


def headline_of(name: str) -> str:
    """Return the regular expression of a benchmark's main figure."""
    main = import_module(name).main
    assert isinstance(main, Benchmark)
    return main.headline


@pytest.mark.parametrize(("arguments", "sizes"), [([], "100 (7, 8)"), (["--smallest"], "1 (9,)")])
def test_the_smallest_size_takes_the_place_of_defaults(arguments: list[str], sizes: str) -> None:
    """But not of values given on the command line."""

    @benchmark(headline=r"(\d+)", description="For this test.")
    @size("--rows", default=100, smallest=1)
    @size_argument("seeds", nargs=-1, type=int, default=(7, 8), smallest=(9,))
    def main(rows: int, seeds: tuple[int, ...]) -> None:
        click.echo(f"{rows} {seeds}")

    assert CliRunner().invoke(main, arguments).output.strip() == sizes
    assert CliRunner().invoke(main, [*arguments, "--rows", "5", "6"]).output.strip() == "5 (6,)"


@pytest.mark.parametrize(
    ("value", "message"), [(None, "RECSYS_DATA is not set."), ("/nowhere", "which is not a folder.")]
)
def test_a_missing_data_folder_is_an_error_of_one_line(value: str | None, message: str) -> None:
    """The exit status is 3, that of a machine that is not ready."""
    done = CliRunner().invoke(import_module("bench.analytics.airplay").main, [], env={"RECSYS_DATA": value})

    assert done.exit_code == 3
    assert done.stderr.startswith("Missing: RECSYS_DATA is ")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_library_is_an_error_that_says_how_to_install_it() -> None:
    """The exit status is 3, for a library of this environment and for a peer with an environment of its own."""

    @benchmark(headline=r"(\d+)", description="For this test.")
    @click.option("--peer", is_flag=True)
    def main(peer: bool) -> None:
        if peer:
            require("no_such_library", "It needs an environment: pip install -r bench/peers/none.txt")
        import_module("no_such_library")

    for arguments, install in (([], "pip install -e '.["), (["--peer"], "pip install -r bench/peers/none.txt")):
        done = CliRunner().invoke(main, arguments)

        assert done.exit_code == 3
        assert done.stderr.startswith("Missing: no_such_library is not installed for ")
        assert install in done.stderr
