"""Every benchmark, found by walking `bench/`: it answers `--help` at once, and runs at its smallest size."""

import ast
import json
import os
import re
import subprocess
import sys
from importlib import import_module
from math import isfinite
from pathlib import Path

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
told = {{}}
for name in {BENCHMARKS!r}:
    sys.argv, printed = [name, "--help"], io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
        except SystemExit as ended:
            told[name] = [ended.code, printed.getvalue(), [each for each in {SLOW_TO_IMPORT!r} if each in sys.modules]]
print(json.dumps(told))
"""


def test_every_benchmark_answers_help_without_data_or_heavy_libraries() -> None:
    """It says what it is and that it has a smallest size, where no folder of real data is known."""
    bare = {name: value for name, value in os.environ.items() if name not in REAL_DATA}

    done = subprocess.run([sys.executable, "-c", HELPS], cwd=ROOT, env=bare, capture_output=True, text=True, check=True)

    told = json.loads(done.stdout)
    assert sorted(told) == sorted(BENCHMARKS)
    for name, (status, text, loaded) in told.items():
        assert (name, status, loaded) == (name, 0, [])
        assert "--smallest" in text
        assert first_line(name) in text


def first_line(name: str) -> str:
    """Return the beginning of a script's docstring."""
    source = (ROOT / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8")
    return str(ast.get_docstring(ast.parse(source))).splitlines()[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_runs_at_its_smallest_size(name: str, finished: Run, tmp_path: Path) -> None:
    """It prints the figure that it is run for, and no run writes into the shipped weights."""
    shipped = {path: sha256_of(path) for path in WEIGHTS.rglob("*.*")}
    environment = os.environ | {"RECSYS_HOME": str(finished.home.path), "TMPDIR": str(tmp_path)}

    command = [sys.executable, "-m", name, "--smallest"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    if done.returncode == 3 and done.stderr.startswith("Missing: "):
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr[-3000:]
    figures = re.findall(headline_of(name), done.stdout)
    assert figures, done.stdout[-3000:]
    assert all(isfinite(float(figure.replace(",", ""))) for figure in figures)
    assert {path: sha256_of(path) for path in WEIGHTS.rglob("*.*")} == shipped


def headline_of(name: str) -> str:
    """Return the pattern of the figure that a benchmark is run for."""
    main = import_module(name).main
    assert isinstance(main, Benchmark)
    return main.headline


@pytest.mark.parametrize(("arguments", "sizes"), [([], "100 (7, 8)"), (["--smallest"], "1 (9,)")])
def test_the_smallest_size_takes_the_place_of_defaults(arguments: list[str], sizes: str) -> None:
    """And of nothing that is given."""

    @benchmark(headline=r"(\d+)", description="Made up.")
    @size("--rows", default=100, smallest=1)
    @size_argument("seeds", nargs=-1, type=int, default=(7, 8), smallest=(9,))
    def main(rows: int, seeds: tuple[int, ...]) -> None:
        click.echo(f"{rows} {seeds}")

    assert CliRunner().invoke(main, arguments).output.strip() == sizes
    assert CliRunner().invoke(main, [*arguments, "--rows", "5", "6"]).output.strip() == "5 (6,)"


@pytest.mark.parametrize(("given", "said"), [(None, "RECSYS_DATA is not set."), ("/nowhere", "which is no folder.")])
def test_a_folder_that_is_not_there_is_asked_for(given: str | None, said: str) -> None:
    """In one line, with the exit status of a machine that is not ready."""
    done = CliRunner().invoke(import_module("bench.analytics.airplay").main, [], env={"RECSYS_DATA": given})

    assert done.exit_code == 3
    assert done.stderr.startswith("Missing: RECSYS_DATA is ")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_library_that_is_not_installed_is_named() -> None:
    """With what to install, and the same exit status: a peer with an environment of its own, or one of ours."""

    @benchmark(headline=r"(\d+)", description="Made up.")
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
