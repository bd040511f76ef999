"""
A small synthetic world and one finished nightly run on it, shared by all tests.

Tests must not change the shared home; `copy_of` gives a copy to change.
"""

import gzip
import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.demo import World as Settings
from recsys.demo import write_world
from recsys.home import Home, locked
from recsys.pipeline.nightly import nightly
from recsys.pipeline.plan import step_outputs
from recsys.pipeline.run import Event, Run
from recsys.recipe import read_recipe
from recsys.synth.arrange import Style, arrange
from recsys.synth.render import render
from recsys.synth.tune import compose

LAST_DAY = date(2026, 6, 30)
SMALL = Settings(
    as_of=LAST_DAY,
    scale=0.2,
    n_labels=6,
    n_artists=160,
    n_tracks=2_000,
    listens_per_listener=240,
    n_tracks_with_audio=0,
)
RATE_HZ = 22_050
RECIPE = """
recommender = "als"
compare = []
[export]
candidates = 100
[recommenders.als]
factors = 16
epochs = 5
"""


@dataclass(frozen=True)
class World:
    """
    A generated world.

    Attributes:
        raw: Folder of the raw files.
        recipe: Recipe of the nightly runs on them.
        last_day: Last day of the data.
    """

    raw: Path
    recipe: Path
    last_day: date

    def truth(self) -> pl.DataFrame:
        """Read what was planted: kind, id, date, details."""
        return pl.read_ndjson(self.raw.parent / "truth.jsonl", infer_schema_length=None)

    def run_nightly(
        self,
        home: Home,
        *,
        days_before: int = 0,
        recipe: Path | None = None,
        resume: bool = False,
        tell: Callable[[Event], None] = lambda _event: None,
    ) -> Run:
        """Run the nightly run in this process, as of `days_before` days before the last day."""
        with locked(home):
            return nightly(
                home,
                self.raw,
                as_of=self.last_day - timedelta(days=days_before),
                today=self.last_day,
                recipe=read_recipe(recipe or self.recipe),
                resume=resume,
                tell=tell,
            )


def catalogue_of(raw: Path) -> pl.DataFrame:
    """Read track_id and isrc of the delivered tracks, without invalid lines."""
    rows = []
    for line in gzip.decompress((raw / "tracks.jsonl.gz").read_bytes()).decode(errors="replace").splitlines():
        with suppress(ValueError):
            row = json.loads(line)
            rows.append({"track_id": str(row.get("track_id") or ""), "isrc": str(row.get("isrc") or "")})
    return pl.DataFrame(rows).filter(pl.col("track_id").str.starts_with("trk_"))


def song(seed: int) -> np.ndarray:
    """Compose and render a tune of at most 24 s, stereo."""
    rng = np.random.default_rng(seed)
    arrangement = arrange(compose(f"song {seed}", rng), Style.random(rng), rng, longest_s=24)
    return render(arrangement, rate_hz=RATE_HZ, longest_s=24)


def _deliver_signals(raw: Path) -> None:
    """Deliver radio spins of twelve weeks: those of every second of the first 60 recordings rise in the last week."""
    ids = catalogue_of(raw)["track_id"].unique().sort()[:60]
    rows = [
        (LAST_DAY - timedelta(days=days), "radio", track, "spins", 5 + n % 7 + (80 if n % 2 and days < 7 else days % 3))
        for n, track in enumerate(ids)
        for days in range(84)
    ]
    columns = ["day", "source", "track_id", "metric", "value"]
    pl.DataFrame(rows, columns, orient="row").write_csv(raw / "signals.csv")


def _deliver_sound(raw: Path) -> None:
    """Deliver audio features and vectors of the first 300 tracks, so that no nightly run has to analyse audio."""
    ids = catalogue_of(raw)["track_id"].unique().sort()[:300]
    rng = np.random.default_rng(7)
    features = {"tempo_bpm": rng.uniform(60, 180, len(ids)), "energy": rng.uniform(0, 1, len(ids))}
    modes = [("major", "minor")[row % 2] for row in range(len(ids))]
    pl.DataFrame({"track_id": ids, "mode": modes, **features}).write_csv(raw / "audio_features.csv")
    vectors = rng.standard_normal((len(ids), 8)).tolist()
    pl.DataFrame({"track_id": ids, "encoder": "delivered", "vector": vectors}).write_parquet(
        raw / "audio_vectors.parquet"
    )


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Generate six labels and five hundred listeners, with all planted events and invalid rows."""
    folder = tmp_path_factory.mktemp("world")
    write_world(folder, SMALL)
    _deliver_sound(folder / "raw")
    _deliver_signals(folder / "raw")
    (folder / "recipe.toml").write_text(RECIPE)
    return World(folder / "raw", folder / "recipe.toml", LAST_DAY)


@pytest.fixture(scope="session")
def finished(world: World, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run one uninterrupted nightly run; tests must not change its home."""
    return world.run_nightly(Home(tmp_path_factory.mktemp("finished") / "home"))


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Home], Home]:
    """Return a function that copies a home; links stay links."""

    def copied(home: Home) -> Home:
        shutil.copytree(home.path, tmp_path / "home", symlinks=True)
        return Home(tmp_path / "home")

    return copied


def result_table(run: Run, name: str) -> pl.DataFrame:
    """Read the table `name` that a step of the run made."""
    return pl.read_parquet(step_outputs()[name].path(run))
