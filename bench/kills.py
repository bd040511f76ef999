"""
Kills: nightly runs are killed at random moments and resumed; each must export the bytes of an uninterrupted run.

A moment is drawn from the duration of the uninterrupted run, so it falls into ingest, build, models, export or publish
as often as these take time. After the kill, readers see no release or a complete one.
"""

import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import DEVNULL
from typing import NamedTuple

import click

from bench.options import benchmark, size

RECIPE = 'recommender = "als"\ncompare = []\n[recommenders.als]\nfactors = 8\nepochs = 2\n'
RECSYS = [sys.executable, "-c", "from recsys.cli import main; main()"]


class Kill(NamedTuple):
    """
    One killed and resumed run.

    Attributes:
        after_s: Seconds from the start of the process to the kill.
        step: The step that was running; empty if none had begun.
        fault: What was wrong after the kill or after the resumed run; empty if nothing was.
    """

    after_s: float
    step: str
    fault: str


def kills(inbox: Path, day: str, n: int, seed: int) -> Iterator[Kill]:
    """Kill and resume `n` nightly runs of an inbox, each on a home of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "recipe.toml").write_text(RECIPE)
        words = ["nightly", "--inbox", str(inbox), "--date", day, "--recipe", str(folder / "recipe.toml")]
        started = time.perf_counter()
        _finish(folder / "whole", words)
        duration_s = time.perf_counter() - started
        expected = _digest(folder / "whole")
        rng = random.Random(seed)  # noqa: S311 - not a secret
        for _ in range(n):
            home = folder / "home"
            home.mkdir()
            shutil.copy2(folder / "whole" / "listener.key", home)
            yield _kill(home, words, rng.uniform(0, duration_s), expected)
            shutil.rmtree(home)


def _kill(home: Path, words: list[str], after_s: float, expected: dict[str, str]) -> Kill:
    with subprocess.Popen([*RECSYS, "--home", str(home), *words], stdout=DEVNULL, stderr=DEVNULL) as process:
        try:
            process.wait(after_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
    step = _last_step(home)
    published = home / "current"
    if published.is_symlink() and _digest(home) != expected:
        return Kill(after_s, step, "an incomplete release was published")
    resumed = _finish(home, [*words, "--resume"])
    if resumed.returncode:
        return Kill(after_s, step, resumed.stderr.strip().splitlines()[-1])
    return Kill(after_s, step, "" if _digest(home) == expected else "the export differs")


def _finish(home: Path, words: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*RECSYS, "--home", str(home), *words], check=False, capture_output=True, text=True)


def _digest(home: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of the current export; empty without one."""
    from recsys import files

    export = home / "exports" / "current"
    return files.checksums(export.resolve()) if export.exists() else {}


def _last_step(home: Path) -> str:
    from recsys.home import Home
    from recsys.pipeline.history import past_runs

    steps = past_runs(Home(home))["stopped_in"].drop_nulls().to_list()
    return str(steps[-1]) if steps else ""


@benchmark(headline=r"faults: (\d+)", description=__doc__)
@size("--kills", "n", default=200, smallest=1, help="Number of killed runs.")
@click.option("--seed", default=7, show_default=True, help="Seed of the moments.")
def main(n: int, seed: int) -> None:
    """Print the kills by step, and every fault."""
    from recsys.demo import World, write_world

    with tempfile.TemporaryDirectory() as name:
        settings = World(scale=0.04, n_labels=2, n_artists=20, n_tracks=200, n_tracks_with_audio=0)
        write_world(Path(name), settings)
        found = list(kills(Path(name) / "raw", str(settings.as_of), n, seed))
    for kill in found:
        if kill.fault:
            click.echo(f"after {kill.after_s:.2f} s, in {kill.step or 'no step'}: {kill.fault}")
    steps = [kill.step or "before the first or after the last" for kill in found]
    click.echo(", ".join(f"{step} {steps.count(step)}" for step in dict.fromkeys(steps)))
    click.echo(f"{len(found)} killed runs. faults: {sum(bool(kill.fault) for kill in found)}")


if __name__ == "__main__":
    main()
