"""
Overhead of the platform: `recsys nightly` beside a plain script that does the same work on the same files.

Bar: at most 1.35 times the script's time, on 2 million listens. Both run as whole processes, alternating, on worlds
without audio, whose analysis would take both the same time. A reduced script is timed as well: tables, models and top-k
alone, without rerank rules, communities, forecasts and products. Prints wall time and CPU time of all cores, the time
of each step of the nightly run from its log, and what the script prints about its own parts (`bench.nightly.plain`).
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

from bench.nightly.plain import AS_OF, RECIPE, write_silent_world
from bench.options import benchmark, size

BAR = 1.35
NIGHTLY, PLAIN, REDUCED = "recsys nightly", "plain script", "reduced script"
DATE = f"{AS_OF:%Y-%m-%d}"


@dataclass(frozen=True)
class ProcessCost:
    """Wall time, CPU time [s] and peak memory [GiB] of a process, and its output."""

    wall_s: float
    cpu_s: float
    peak_gib: float
    output: str


def run(command: list[str]) -> ProcessCost:
    """Run a command to its end; raises RuntimeError if it fails."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        output = process.stdout.read() if process.stdout else ""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        raise RuntimeError(f"{' '.join(command)}: exit status {process.returncode}, expected 0; see its output above")
    cpu_s = used.ru_utime + used.ru_stime
    return ProcessCost(time.perf_counter() - started, cpu_s, used.ru_maxrss / 2**20, output)


def measure(folder: Path) -> dict[str, ProcessCost]:
    """Run the nightly run, the script and the reduced script, each in an empty folder."""
    home, out, recipe = folder / "home", folder / "plain", folder / "recipe.toml"
    recipe.write_text(RECIPE)
    raw, options = str(folder / "raw"), ["--date", DATE, "--recipe", str(recipe)]
    nightly = ["-c", "from recsys.cli import main; main()", "--home", str(home), "nightly", "--inbox", raw, *options]
    script = ["-m", "bench.nightly.plain", "--raw", raw, "--out", str(out), *options]
    commands = {NIGHTLY: nightly, PLAIN: script, REDUCED: [*script, "--reduced"]}
    costs = {}
    for name, command in commands.items():
        for used in (home, out) if name == NIGHTLY else (out,):
            shutil.rmtree(used, ignore_errors=True)
        costs[name] = run([sys.executable, *command])
    return costs


def steps(home: Path) -> dict[str, float]:
    """Return the seconds of each step of a home's only nightly run."""
    (log,) = home.glob("runs/*/log.jsonl")
    events = map(json.loads, log.read_text().splitlines())
    return {event["step"]: event["seconds"] for event in events if event["event"] == "done"}


@benchmark(headline=r"ratio +(\d+\.\d\d) \(")
@size("--scale", default=2.0, smallest=0.05, help="Size of the world, in about a million listens.")
@size("--rounds", "n_rounds", default=3, smallest=1, help="Times that each is run.")
def main(scale: float, n_rounds: int) -> None:
    """Generate the world, time all three, print the tables."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        n_listens = write_silent_world(folder, scale)
        rounds = [measure(folder) for _ in range(n_rounds)]
        step_seconds = steps(folder / "home")
    print(f"{n_listens:,} listens, {n_rounds} rounds, median (min to max)")
    for clock in ("wall_s", "cpu_s"):
        print_clock(clock, {name: [getattr(costs[name], clock) for costs in rounds] for name in rounds[0]})
    print("largest process [GiB]: " + ", ".join(f"{name} {rounds[-1][name].peak_gib:.2f}" for name in rounds[-1]))
    print("last nightly run [s]: " + ", ".join(f"{step} {seconds:.1f}" for step, seconds in step_seconds.items()))
    print("last plain script:\n" + rounds[-1][PLAIN].output.rstrip())


def print_clock(clock: str, seconds: dict[str, list[float]]) -> None:
    """Print the times by one clock (`wall_s` or `cpu_s`), and the ratios of the nightly run to both scripts."""
    print({"wall_s": "wall time", "cpu_s": "CPU time of all cores"}[clock])
    for name, values in seconds.items():
        print(f"  {name + ' [s]':<30} {median_and_range(values)}")
    ratios = {name: np.divide(seconds[NIGHTLY], seconds[name]).tolist() for name in (PLAIN, REDUCED)}
    met = "met" if statistics.median(ratios[PLAIN]) <= BAR else "not met"
    print(f"  {'ratio':<30} {median_and_range(ratios[PLAIN])}; bar <= {BAR}: {met}")
    print(f"  {'ratio to the reduced script':<30} {median_and_range(ratios[REDUCED])}")


def median_and_range(values: list[float]) -> str:
    """Format the median, minimum and maximum."""
    return f"{statistics.median(values):8.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
