"""
What the platform costs: `recsys nightly` against the same night as a plain script, on the same files.

Bar: at most 1.6 times the script's wall time, on 2 million listens. Both run as whole processes, in turn.
Usage: python bench/nightly.py [--scale 2] [--rounds 3]
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from recsys.demo import World, write_world

AS_OF = "2026-06-30"
BAR = 1.6
RECIPE = 'recommender = "als"\ncompare = ["lightfm"]\n'


def timed(command: list[str]) -> float:
    """Run a command to its end and return its wall time [s]."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def measure(folder: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Time both, in turn, each on an empty home."""
    raw, recipe = folder / "raw", folder / "recipe.toml"
    recipe.write_text(RECIPE)
    plain_script = Path(__file__).with_name("plain_night.py")
    ours, plain = [], []
    for _ in range(rounds):
        home, out = folder / "home", folder / "plain"
        for used in (home, out):
            shutil.rmtree(used, ignore_errors=True)
        out.mkdir()
        night = ["nightly", "--inbox", str(raw), "--date", AS_OF, "--recipe", str(recipe)]
        main = "from recsys.cli import main; main()"
        ours.append(timed([sys.executable, "-c", main, "--home", str(home), *night]))
        plain.append(timed([sys.executable, str(plain_script), str(raw), AS_OF, str(out), str(recipe)]))
    return ours, plain


def main() -> None:
    """Make the world, time both, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        world = write_world(folder, World(scale=asked.scale))
        ours, plain = measure(folder, asked.rounds)
    ratios = [mine / theirs for mine, theirs in zip(ours, plain, strict=True)]
    peak_gib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    print(f"{world.rows['listens']:,} listens, {asked.rounds} rounds, median (min to max)")
    for name, seconds in (("recsys nightly [s]", ours), ("plain script [s]", plain), ("ratio", ratios)):
        print(f"{name:<20} {statistics.median(seconds):8.2f} ({min(seconds):.2f} to {max(seconds):.2f})")
    met = "met" if statistics.median(ratios) <= BAR else "not met"
    print(f"bar: ratio <= {BAR}: {met}; largest process {peak_gib:.2f} GiB")


if __name__ == "__main__":
    main()
