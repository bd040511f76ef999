"""
What the platform costs: `recsys nightly` against the same night as a plain script, on the same files.

Bar: at most 1.35 times the script's time, on 2 million listens. All run as whole processes, in turn; no world has
recordings to hear, which would take both as long. Beside them runs the script as it was at first: tables, models and
top-k alone, without rules, groups, forecasts and products. Seconds of the wall's clock and of all cores are told; the
parts of the script are told by itself (see `bench.nightly.plain`), those of the night by its log.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.nightly.plain import AS_OF, RECIPE, world
from bench.options import benchmark, size

BAR = 1.35
NIGHT, PLAIN, FIRST = "recsys nightly", "plain script", "plain, as at first"
DATE = f"{AS_OF:%Y-%m-%d}"


@dataclass(frozen=True)
class Spent:
    """What a process took: wall and CPU time [s], peak memory [GiB]; and what it printed."""

    wall_s: float
    cpu_s: float
    peak_gib: float
    printed: str


def spent(command: list[str]) -> Spent:
    """Run a command to its end; raises RuntimeError where it fails."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        printed = process.stdout.read() if process.stdout else ""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with status {process.returncode}; what it said stands above")
    cpu_s = used.ru_utime + used.ru_stime
    return Spent(time.perf_counter() - started, cpu_s, used.ru_maxrss / 2**20, printed)


def measure(folder: Path) -> dict[str, Spent]:
    """Run the night and then the script, whole and as at first, each in an empty folder."""
    home, out, recipe = folder / "home", folder / "plain", folder / "recipe.toml"
    recipe.write_text(RECIPE)
    raw, options = str(folder / "raw"), ["--date", DATE, "--recipe", str(recipe)]
    night = ["-c", "from recsys.cli import main; main()", "--home", str(home), "nightly", "--inbox", raw, *options]
    script = ["-m", "bench.nightly.plain", "--raw", raw, "--out", str(out), *options]
    commands = {NIGHT: night, PLAIN: script, FIRST: [*script, "--as-at-first"]}
    found = {}
    for name, command in commands.items():
        for used in (home, out) if name == NIGHT else (out,):
            shutil.rmtree(used, ignore_errors=True)
        found[name] = spent([sys.executable, *command])
    return found


def steps(home: Path) -> dict[str, float]:
    """Return the seconds of each step of a home's only night."""
    (log,) = home.glob("runs/*/log.jsonl")
    events = map(json.loads, log.read_text().splitlines())
    return {event["step"]: event["seconds"] for event in events if event["event"] == "done"}


@benchmark(headline=r"ratio +(\d+\.\d\d) \(")
@size("--scale", default=2.0, smallest=0.05, help="Millions of listens, or so.")
@size("--rounds", "n_rounds", default=3, smallest=1, help="How often both run.")
def main(scale: float, n_rounds: int) -> None:
    """Make the world, time both, print the table."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        n_listens = world(folder, scale)
        rounds = [measure(folder) for _ in range(n_rounds)]
        night = steps(folder / "home")
    print(f"{n_listens:,} listens, {n_rounds} rounds, median (min to max)")
    for clock in ("wall_s", "cpu_s"):
        print_clock(clock, {name: [getattr(each[name], clock) for each in rounds] for name in (NIGHT, PLAIN, FIRST)})
    print("largest process [GiB]: " + ", ".join(f"{name} {rounds[-1][name].peak_gib:.2f}" for name in rounds[-1]))
    print("last night [s]: " + ", ".join(f"{step} {seconds:.1f}" for step, seconds in night.items()))
    print("last plain script:\n" + rounds[-1][PLAIN].printed.rstrip())


def print_clock(clock: str, seconds: dict[str, list[float]]) -> None:
    """Print the times of all by one clock, and their ratios."""
    print({"wall_s": "wall", "cpu_s": "all cores"}[clock])
    for name, values in seconds.items():
        print(f"  {name + ' [s]':<30} {spread(values)}")
    ratios = {name: np.divide(seconds[NIGHT], seconds[name]).tolist() for name in (PLAIN, FIRST)}
    met = "met" if statistics.median(ratios[PLAIN]) <= BAR else "not met"
    print(f"  {'ratio':<30} {spread(ratios[PLAIN])}; bar <= {BAR}: {met}")
    print(f"  {'ratio to the script at first':<30} {spread(ratios[FIRST])}")


def spread(values: list[float]) -> str:
    """Write median, least and greatest."""
    return f"{statistics.median(values):8.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
