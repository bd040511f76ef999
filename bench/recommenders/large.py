"""
EASE, ALS, both kNN, the blend and the sequential model at 500,000 tracks and 200,000 listeners: CPU time and memory.

The likes are synthetic: tracks in scenes of about 250, with a long-tailed popularity within the scene; a listener likes
tracks of three scenes, and a tenth of everything else. Each track has an artist. Each model runs in a process of its
own, so that the peak is its own, and its line is printed as it is done; a model that fails leaves the others theirs.
"""

import resource
import subprocess
import sys
from time import perf_counter, process_time

import click
import numpy as np
import polars as pl

from bench.options import benchmark, size
from bench.peers.environments import ROOT
from recsys.dataset.interactions import Interactions

MODELS = ("ease", "item_knn", "als", "user_knn", "blend", "sequential")
SCENE, N_SCENES, OUTSIDE, PER_ARTIST = 250, 3, 0.1, 8
K = 10


@benchmark(headline=r"(\d+\.\d) GB")
@size("--tracks", "n_tracks", default=500_000, smallest=1_000, help="Tracks in the catalogue.")
@size("--users", "n_users", default=200_000, smallest=300, help="Listeners.")
@size("--liked", "n_liked", default=40, smallest=15, help="Mean likes per listener.")
@size("--ranked", "n_ranked", default=2_000, smallest=50, help="Listeners who get lists.")
@size(
    "--model", "models", multiple=True, type=click.Choice(MODELS), default=MODELS, smallest=MODELS[:1], help="Models."
)
@click.option("--here", is_flag=True, help="Run the one model in this process.")
def main(n_tracks: int, n_users: int, n_liked: int, n_ranked: int, models: tuple[str, ...], here: bool) -> None:
    """Measure each model in a process of its own; print one line each."""
    sizes = [f"--tracks={n_tracks}", f"--users={n_users}", f"--liked={n_liked}", f"--ranked={n_ranked}"]
    for model in models:
        if here:
            print(measured(model, made_up(n_tracks, n_users, n_liked), n_ranked), flush=True)
            continue
        command = [sys.executable, "-m", "bench.recommenders.large", "--here", f"--model={model}", *sizes]
        if status := subprocess.run(command, cwd=ROOT, check=False).returncode:
            print(f"{model:10} failed: exit status {status}", flush=True)


def measured(model: str, interactions: Interactions, n_ranked: int) -> str:
    """Fit one model and recommend; return the figures as one line."""
    from recsys.recommenders.base import Recommender
    from recsys.recommenders.parts.filters import Filters

    started, cpu_started = perf_counter(), process_time()
    fitted = Recommender.named(model).fit(interactions)
    fit_s, fit_cpu_s = perf_counter() - started, process_time() - cpu_started
    user_ids = interactions.users.ids()[:n_ranked]
    cpu_started = process_time()
    lists = fitted.recommend(user_ids, K, filters=Filters.of(interactions))
    per_user_ms = (process_time() - cpu_started) / len(user_ids) * 1e3
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    shape = f"{len(interactions.tracks):,} x {len(interactions.users):,}, {interactions.matrix.nnz:,} pairs"
    fit = f"fit {fit_cpu_s:.0f} CPU-s ({fit_s:.0f} s)"
    return f"{model:10} {shape}: {fit}, {per_user_ms:.1f} CPU-ms per list, {len(lists):,} rows, peak {peak_gb:.1f} GB"


def made_up(n_tracks: int, n_users: int, n_liked: int) -> Interactions:
    """Return seeded synthetic interactions with artists, scenes, and a long-tailed popularity."""
    rng = np.random.default_rng(7)
    n_scenes = max(1, n_tracks // SCENE)
    counts = np.maximum(2, rng.lognormal(np.log(n_liked) - 0.5, 1, n_users).astype(int)).clip(max=50 * n_liked)
    user = np.repeat(np.arange(n_users), counts)
    scenes = rng.integers(0, n_scenes, (n_users, N_SCENES))[user, rng.integers(0, N_SCENES, len(user))]
    scene = np.where(rng.random(len(user)) < OUTSIDE, rng.integers(0, n_scenes, len(user)), scenes)
    track = (scene * SCENE + (SCENE * rng.random(len(user)) ** 3).astype(int)) % n_tracks
    ages = rng.integers(0, 365, len(user)).astype(np.float32)
    pairs = pl.DataFrame({"user": user, "track": track, "age_days": ages}).unique(
        ["user", "track"], keep="first", maintain_order=True
    )
    named = pairs.select(
        user_id=pl.format("u{}", "user"), track_id=pl.format("t{}", "track"), strength=1.0, age_days="age_days"
    )
    tracks = np.arange(n_tracks)
    catalogue = pl.DataFrame({"track": tracks, "artist": tracks // PER_ARTIST}).select(
        track_id=pl.format("t{}", "track"), artist=pl.format("ar{}", "artist")
    )
    return Interactions.of(named, catalogue=catalogue)


if __name__ == "__main__":
    main()
