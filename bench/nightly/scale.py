"""
How the nightly run scales from 2 to 20 million listens: seconds per million listens and peak memory, step by step.

Bar: seconds per million grow by at most 1.3 times (every step but ingest; popularity and ALS), and peak memory stays
under 6 GB. Worlds have no audio, whose analysis does not depend on the number of listens. `--recipe default` runs the
default recipe, whose blend of models has a bar of its own: the fits of ten times the world take at most twelve times
the seconds (`--recipe default 1 10`).
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from bench.options import benchmark, size_argument

AS_OF = "2026-06-30"
BAR_GROWTH, BAR_GB, BAR_FITS = 1.3, 6.0, 1.2  # growth: seconds per million listens
FITS = ("train", "refit")
RECIPES = {"als": 'recommender = "als"\ncompare = []\n', "default": ""}


def run_nightly(folder: Path, recipe_text: str) -> tuple[dict[str, float], float]:
    """Run `recsys nightly` once; return the seconds of each step and the peak memory of the process [GB]."""
    recipe = folder / "recipe.toml"
    recipe.write_text(recipe_text)
    options = ["nightly", "--inbox", str(folder / "raw"), "--date", AS_OF, "--recipe", str(recipe)]
    command = [sys.executable, "-c", "from recsys.cli import main; main()", "--home", str(folder / "home"), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"recsys nightly: wait status {status}, expected 0; its message is above")
    (log,) = (folder / "home" / "runs").glob("*/log.jsonl")
    events = [json.loads(line) for line in log.read_text().splitlines()]
    return {
        event["step"]: event["seconds"] for event in events if event["event"] == "done"
    }, used.ru_maxrss * 1024 / 1e9


@benchmark(headline=r"listens: (\d+\.\d\d) s per million")
@size_argument("scales", nargs=-1, type=float, default=(2.0, 20.0), smallest=(0.05,))
@click.option("--recipe", type=click.Choice(list(RECIPES)), default="als", show_default=True, help="Recommenders.")
def main(scales: tuple[float, ...], recipe: str) -> None:
    """Run a night at every scale (about millions of listens); print one line per scale and the growth."""
    from recsys.demo import World, write_world

    per_million: list[float] = []
    fits: list[float] = []
    for scale in scales:
        with tempfile.TemporaryDirectory() as folder:
            world = write_world(Path(folder), World(scale=scale, n_tracks_with_audio=0))
            millions = world.rows["listens"] / 1e6
            seconds, peak_gb = run_nightly(Path(folder), RECIPES[recipe])
        measured = sum(seconds.values()) - seconds["ingest"]
        per_million.append(measured / millions)
        fits.append(sum(seconds[step] for step in FITS) / millions)
        with_ingest = (measured + seconds["ingest"]) / millions
        steps = ", ".join(f"{step} {taken:.1f}" for step, taken in seconds.items())
        print(
            f"{millions:6.2f} M listens: {per_million[-1]:.2f} s per million without ingest ({with_ingest:.2f} with), "
            f"peak {peak_gb:.2f} GB (bar {BAR_GB}: {'met' if peak_gb < BAR_GB else 'not met'}); {steps}",
            flush=True,
        )
    print_growth("growth of seconds per million", per_million, BAR_GROWTH)
    if recipe == "default":
        print_growth(f"growth of seconds per million of {' and '.join(FITS)}", fits, BAR_FITS)


def print_growth(label: str, per_million: list[float], bar: float) -> None:
    """Print how much more the last scale takes per million listens than the first."""
    growth = per_million[-1] / per_million[0]
    print(f"{label}: {growth:.2f} x, bar {bar}: {'met' if growth <= bar else 'not met'}")


if __name__ == "__main__":
    main()
