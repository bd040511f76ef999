"""Writing a world: the same bytes for the same seed, any period, and helpful errors."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from recsys.cli.show import runs
from recsys.demo import World, WorldSummary, write_world
from recsys.errors import InputError
from recsys.ingest.settings import IngestSettings
from recsys.recipe import read_recipe

SMALL = World(seed=11, scale=0.04, n_labels=6, n_artists=160, n_tracks=2_000, n_tracks_with_audio=2)


def _digests(folder: Path) -> Mapping[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> WorldSummary:
    """A small world on disk, shared by the tests: read only."""
    return write_world(tmp_path_factory.mktemp("small"), SMALL)


def test_the_same_seed_gives_the_same_bytes(small: WorldSummary, tmp_path: Path) -> None:
    """Two worlds with one seed have the same files, compressed files and recordings included."""
    again = write_world(tmp_path, SMALL)

    assert _digests(small.truth.parent) == _digests(again.truth.parent)
    assert len(list((tmp_path / "raw" / "audio").glob("*.flac"))) >= 2


def test_recordings_of_all_formats_are_counted(small: WorldSummary, capsys: pytest.CaptureFixture[str]) -> None:
    """The number in the summary is that of the files beside the tables."""
    runs.world(small)

    n_files, n_recordings = len(small.files), SMALL.n_tracks_with_audio
    assert f": {n_files} files and {n_recordings} recordings" in " ".join(capsys.readouterr().out.split())


def test_another_seed_gives_another_world(small: WorldSummary, tmp_path: Path) -> None:
    """Two seeds have no raw file in common."""
    other = write_world(tmp_path, replace(SMALL, seed=12))

    assert not set(_digests(small.truth.parent / "raw").values()) & set(_digests(other.truth.parent / "raw").values())


def test_a_period_over_five_months_has_five_listening_files(tmp_path: Path) -> None:
    """The log is divided by calendar month, whatever the last day."""
    summary = write_world(tmp_path, replace(SMALL, as_of=date(2026, 2, 10), n_tracks_with_audio=0))

    logs = sorted(path.name for path in summary.files if path.name.startswith("listens"))
    assert logs == [
        "listens_2025-10.csv.gz",
        "listens_2025-11.parquet",
        "listens_2025-12.csv.gz",
        "listens_2026-01.csv.gz",
        "listens_2026-02.csv.gz",
    ]


def test_the_truth_lies_outside_the_raw_files(small: WorldSummary) -> None:
    """Ingesting the raw folder never reads the truth."""
    folder = small.truth.parent

    assert small.truth == folder / "truth.jsonl"
    assert {path.parent for path in small.files} == {folder / "raw"}


def test_the_recipe_keeps_lyrics_of_a_free_licence_only(small: WorldSummary) -> None:
    """So their meaning can be searched; all other settings are the default ones."""
    recipe = read_recipe(small.truth.parent / "home" / "recipe.toml")

    assert recipe == replace(read_recipe(), ingest=IngestSettings(keep_texts_of=("CC0-1.0",)))


def test_scale_changes_the_listeners_and_not_the_catalogue(small: WorldSummary, tmp_path: Path) -> None:
    """A world of a larger scale has the same catalogue."""
    twice = write_world(tmp_path, replace(SMALL, scale=0.08, n_tracks_with_audio=0)).rows

    assert small.rows["tracks"] == twice["tracks"]
    assert twice["listens"] > 1.5 * small.rows["listens"]


def test_a_world_too_small_is_refused() -> None:
    """A scale that gives fewer than 100 listeners raises an InputError that suggests a valid scale."""
    with pytest.raises(InputError, match=r"scale: 0\.01 gives 25 listeners, expected at least 100. Use 0\.04"):
        World(scale=0.01)


def test_a_period_too_short_is_refused() -> None:
    """A period of under 90 days raises an InputError."""
    with pytest.raises(InputError, match="n_days: found 30, expected at least 90"):
        World(n_days=30)


def test_every_part_draws_from_a_generator_of_its_own() -> None:
    """Draws of one part do not change another part."""
    world = World()

    first = world.rng("listeners").random(3).tolist()
    world.rng("another part").random(100)

    assert world.rng("listeners").random(3).tolist() == first
    assert world.rng("another part").random(3).tolist() != first
