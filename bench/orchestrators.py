"""
The nightly run under Airflow and Dagster, by the files of docs/deploy.

Each case is a home for which `recsys nightly` ends with another exit code. Measured are the state of the orchestrator's
run and the exit codes of all attempts: 2 and 4 must not be repeated, 3 must. Waiting times between attempts are set to
a second. The refusal by the gate (4) is played by a stand-in for `recsys`; all others are the real command.
"""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bench.options import benchmark, size
from bench.peers.environments import ROOT, python_of

LAST_DAY = "2026-06-30"
RECIPE = 'recommender = "als"\ncompare = []\n[recommenders.als]\nfactors = 16\nepochs = 5\n'
ATTEMPTS = {0: [0], 2: [2], 3: [3, 3, 3, 3], 4: [4]}  # exit codes that are expected; three retries
COMMAND = f"""#!/bin/sh
if [ -n "$STAND_IN" ]; then
    code=$STAND_IN
else
    PYTHONPATH={ROOT} {sys.executable} -c 'from recsys.cli import main; main()' "$@" --date {LAST_DAY} >&2
    code=$?
fi
echo $code >> "$ATTEMPTS"
exit $code
"""


@dataclass(frozen=True)
class Ended:
    """How an orchestrator's run ended: whether it succeeded, and the exit codes of all attempts."""

    succeeded: bool
    codes: list[int]


@benchmark(headline=r"as expected: (\d+) of")
@size("--cases", default=4, smallest=1, type=click.IntRange(1, 4), help="Number of cases, the cheapest first.")
@size("--install/--no-install", default=True, smallest=False, help="Create the environments that are missing.")
def main(cases: int, install: bool) -> None:
    """Run every case under both orchestrators, and print a table."""
    for name in ("airflow", "dagster"):
        python_of(name, install=install)
    n_expected = 0
    with TemporaryDirectory() as folder:
        print(
            "| exit code of `recsys nightly` | orchestrator | its run | exit codes of all attempts |\n|---|---|---|---|"
        )
        for code in (4, 2, 3, 0)[:cases]:
            home = _home(Path(folder) / str(code), code)
            for name, run in (("Airflow", _airflow), ("Dagster", _dagster)):
                with _environment(Path(folder) / f"{code}-{name}", home, code) as environment:
                    succeeded = run(Path(folder) / f"{code}-{name}", environment)
                    ended = Ended(succeeded, [int(line) for line in Path(environment["ATTEMPTS"]).read_text().split()])
                n_expected += ended == Ended(code == 0, ATTEMPTS[code])
                print(f"| {code} | {name} | {'success' if ended.succeeded else 'failed'} | {ended.codes} |", flush=True)
    print(f"\nas expected: {n_expected} of {2 * cases}")


def _home(path: Path, code: int) -> Path:
    """Make a home for which the nightly run ends with an exit code; with a demo world in its inbox for 0."""
    path.mkdir()
    if code == 3:
        (path / "version.json").write_text(json.dumps({"version": 99, "program": "9.9.9"}))
    if code == 0:
        from recsys.demo import World, write_world

        (path / "recipe.toml").write_text(RECIPE)
        world = World(scale=0.1, n_labels=6, n_artists=160, n_tracks=2_000, n_tracks_with_audio=0)
        write_world(path / "world", world)
        (path / "world" / "raw").rename(path / "inbox")
    return path


@contextmanager
def _environment(folder: Path, home: Path, code: int) -> Iterator[dict[str, str]]:
    """Yield the environment variables of an orchestrator, whose path begins with the command `recsys`."""
    command = folder / "bin" / "recsys"
    command.parent.mkdir(parents=True)
    command.write_text(COMMAND)
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    (folder / "attempts.txt").touch()
    own = {
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "RECSYS_HOME": str(home),
        "ATTEMPTS": str(folder / "attempts.txt"),
        "STAND_IN": "4" if code == 4 else "",
    }
    yield {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | own


def _copy(name: str, wait: str, target: Path) -> Path:
    """Copy a file of docs/deploy, with a second between two attempts."""
    text = (ROOT / "docs" / "deploy" / f"{name}.py").read_text(encoding="utf-8")
    if wait not in text:
        raise ValueError(f"{name}.py does not contain {wait!r} any more")
    target.mkdir()
    (target / f"{name}.py").write_text(text.replace(wait, f"{wait.partition('=')[0].replace('minutes', 'seconds')}=1"))
    return target / f"{name}.py"


def _airflow(folder: Path, environment: dict[str, str]) -> bool:
    airflow = [str(python_of("airflow")), "-m", "airflow"]
    dags = _copy("airflow_nightly", "minutes=20", folder / "dags").parent
    environment |= {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    for words in (["db", "migrate"], ["dags", "reserialize"]):
        subprocess.run([*airflow, *words], env=environment, check=True, capture_output=True)
    return _succeeds([*airflow, "dags", "test", "recsys_nightly"], environment)


def _dagster(folder: Path, environment: dict[str, str]) -> bool:
    job = _copy("dagster_nightly", "seconds_to_wait=1200", folder / "jobs")
    words = ["-m", "dagster", "job", "execute", "-f", str(job), "-j", "recsys_nightly"]
    return _succeeds([str(python_of("dagster")), *words], environment)


def _succeeds(command: list[str], environment: dict[str, str]) -> bool:
    return subprocess.run(command, env=environment, check=False, capture_output=True).returncode == 0


if __name__ == "__main__":
    main()
