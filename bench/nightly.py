"""
What the platform costs: `recsys nightly` against the same night as a plain script, on the same files.

Bar: at most 1.35 times the script's time, on 2 million listens. Both run as whole processes, in turn; no world has
recordings to hear, which would take both as long. Seconds of the wall's clock and of all cores are told; the seconds of
the script's parts are those that it prints (see `bench.plain_night`), the seconds of the night's those of its log.
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

from bench.options import benchmark, size
from bench.plain_night import AS_OF, RECIPE, world

BAR = 1.35
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


def measure(folder: Path) -> tuple[Spent, Spent]:
    """Run the night and then the script, each in an empty folder."""
    home, out, recipe = folder / "home", folder / "plain", folder / "recipe.toml"
    recipe.write_text(RECIPE)
    for used in (home, out):
        shutil.rmtree(used, ignore_errors=True)
    told = ["--date", DATE, "--recipe", str(recipe)]
    command = [sys.executable, "-c", "from recsys.cli import main; main()", "--home", str(home)]
    ours = spent([*command, "nightly", "--inbox", str(folder / "raw"), *told])
    script = [sys.executable, "-m", "bench.plain_night"]
    return ours, spent([*script, "--raw", str(folder / "raw"), "--out", str(out), *told])


def steps(home: Path) -> dict[str, float]:
    """Return the seconds of each step of a home's only night."""
    (log,) = home.glob("runs/*/log.jsonl")
    events = map(json.loads, log.read_text().splitlines())
    return {event["step"]: event["seconds"] for event in events if event["event"] == "done"}


@benchmark(headline=r"ratio +(\d+\.\d\d) \(")
@size("--scale", default=2.0, smallest=0.1, help="Millions of listens, or so.")
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
        ours, plain = ([getattr(each, clock) for each in side] for side in zip(*rounds, strict=True))
        ratios = [mine / theirs for mine, theirs in zip(ours, plain, strict=True)]
        print(f"{'wall' if clock == 'wall_s' else 'CPU, all cores'}")
        for name, values in (("recsys nightly [s]", ours), ("plain script [s]", plain), ("ratio", ratios)):
            print(f"  {name:<20} {statistics.median(values):8.2f} ({min(values):.2f} to {max(values):.2f})")
        met = "met" if statistics.median(ratios) <= BAR else "not met"
        print(f"  bar: ratio <= {BAR}: {met}")
    peaks = (max(side.peak_gib for side in each) for each in zip(*rounds, strict=True))
    print("largest process: recsys nightly {:.2f} GiB, plain script {:.2f} GiB".format(*peaks))
    print("last night [s]: " + ", ".join(f"{step} {seconds:.1f}" for step, seconds in night.items()))
    print("last plain night:\n" + rounds[-1][1].printed.rstrip())


if __name__ == "__main__":
    main()
