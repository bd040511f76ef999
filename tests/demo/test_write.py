"""Writing a world: the same bytes for the same seed, any period, and errors that say what to do."""

from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from recsys.demo import World, write_world
from recsys.errors import InputError

SMALL = 0.04


def _digests(folder: Path) -> Mapping[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """Two worlds of one seed are the same files, compressed ones included."""
    write_world(tmp_path / "one", seed=11, scale=SMALL, n_sounding=6)
    write_world(tmp_path / "two", seed=11, scale=SMALL, n_sounding=6)

    assert _digests(tmp_path / "one") == _digests(tmp_path / "two")


def test_another_seed_gives_another_world(tmp_path: Path) -> None:
    """No raw file is shared by two seeds."""
    write_world(tmp_path / "one", seed=11, scale=SMALL, n_sounding=6)
    write_world(tmp_path / "two", seed=12, scale=SMALL, n_sounding=6)

    assert not set(_digests(tmp_path / "one").values()) & set(_digests(tmp_path / "two").values())


def test_a_period_over_five_months_has_five_listening_files(tmp_path: Path) -> None:
    """The log is divided by calendar month, whatever the last day."""
    summary = write_world(tmp_path, as_of=date(2026, 2, 10), scale=SMALL, n_sounding=6)

    logs = sorted(path.name for path in summary.files if path.name.startswith("listens"))
    assert logs == [
        "listens_2025-10.csv.gz",
        "listens_2025-11.parquet",
        "listens_2025-12.csv.gz",
        "listens_2026-01.csv.gz",
        "listens_2026-02.csv.gz",
    ]


def test_the_truth_lies_outside_the_raw_files(tmp_path: Path) -> None:
    """Whoever ingests the raw folder cannot meet the truth."""
    summary = write_world(tmp_path, scale=SMALL, n_sounding=6)

    assert summary.truth == tmp_path / "truth.jsonl"
    assert {path.parent for path in summary.files} == {tmp_path / "raw"}


def test_scale_changes_the_listeners_and_not_the_catalogue(tmp_path: Path) -> None:
    """A smaller world has the whole catalogue."""
    small = write_world(tmp_path / "small", scale=SMALL, n_sounding=6).rows
    twice = write_world(tmp_path / "twice", scale=2 * SMALL, n_sounding=6).rows

    assert small["tracks"] == twice["tracks"]
    assert twice["listens"] > 1.5 * small["listens"]


def test_a_world_too_small_is_refused() -> None:
    """A scale that leaves fewer than 100 listeners is an input error that names a scale that works."""
    with pytest.raises(InputError, match=r"scale 0\.01 gives 25 listeners, expected at least 100: use 0\.04"):
        World(scale=0.01)


def test_a_period_too_short_is_refused() -> None:
    """The plants need weeks before and after them."""
    with pytest.raises(InputError, match="n_days is 30, expected at least 90"):
        World(n_days=30)


def test_every_part_draws_from_a_generator_of_its_own() -> None:
    """What one part draws shifts no other part."""
    world = World()

    first = world.rng("listeners").random(3).tolist()
    world.rng("another part").random(100)

    assert world.rng("listeners").random(3).tolist() == first
    assert world.rng("another part").random(3).tolist() != first
