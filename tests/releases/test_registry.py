"""Releases: one link publishes everything, rollback restores earlier ones, prune removes none that is being read."""

import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from recsys.cli import main
from recsys.errors import Refused, UnknownIds
from recsys.home import Home
from recsys.pipeline.plan import removable_files
from recsys.pipeline.run import Run
from recsys.releases import registry

from ..nights import World

READER = """
import sys
from pathlib import Path
from recsys.warehouse.query import Warehouse
with Warehouse.open(Path(sys.argv[1]).resolve()) as warehouse:
    for _ in sys.stdin:
        print(warehouse.query("select as_of from meta.build").item(), flush=True)
"""


@pytest.fixture(scope="module")
def second(finished: Run, world: World, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A second run with another recipe, in a copy of the finished home. Tests must not change it."""
    folder = tmp_path_factory.mktemp("second")
    shutil.copytree(finished.home.path, folder / "home", symlinks=True)
    recipe = folder / "second.toml"
    recipe.write_text(world.recipe.read_text().replace("[export]\n", "[export]\nk = 5\n"))
    return world.run_nightly(Home(folder / "home"), recipe=recipe)


@pytest.fixture
def two_nights(finished: Run, second: Run, copy_of: Callable[[Home], Home]) -> tuple[Home, str, str]:
    """A home with two runs of different recipes; and the run ids, first run first."""
    return copy_of(second.home), finished.run_id, second.run_id


def test_all_doors_lead_to_the_current_release(finished: Run) -> None:
    """Warehouse, marts, model and export are of one run."""
    home = finished.home.path

    assert (home / "warehouse/current.duckdb").resolve().name == f"{finished.run_id}.duckdb"
    assert (home / "marts/current").resolve().name == finished.run_id
    assert (home / "models/champion").resolve() == finished.model
    assert (home / "exports/current").resolve() == finished.export


def test_rollback_brings_back_models_and_tables(two_nights: tuple[Home, str, str]) -> None:
    """All four links switch together, forward and back."""
    home, first, second = two_nights

    registry.rollback(home, first)

    assert (home.path / "warehouse/current.duckdb").resolve().stem == first
    assert (home.path / "models/champion").resolve().parent.name == first
    registry.rollback(home, second)
    assert (home.path / "exports/current").resolve().name == f"run={second}"


def test_rollback_to_nowhere_names_the_nearest_release(two_nights: tuple[Home, str, str]) -> None:
    """A misspelt run is refused with the nearest name."""
    home, first, _ = two_nights

    with pytest.raises(UnknownIds, match=f"Did you mean '{first}'"):
        registry.rollback(home, first[:-1] + "x")


def test_prune_keeps_the_current_release(two_nights: tuple[Home, str, str]) -> None:
    """The current release stays whatever its age; only files used by removed releases alone are deleted."""
    home, first, second = two_nights
    registry.rollback(home, first)

    gone = registry.prune(home, 1, removable_files())

    assert gone == []
    registry.rollback(home, second)
    assert registry.prune(home, 1, removable_files()) == [first]
    assert not (home.path / "warehouse" / f"{first}.duckdb").exists()
    assert (home.path / "warehouse" / f"{second}.duckdb").exists()


def test_a_reader_keeps_its_version_and_prune_waits_for_it(two_nights: tuple[Home, str, str]) -> None:
    """A process that has the old file open keeps reading; its release is pruned once the file is closed."""
    home, first, second = two_nights
    registry.rollback(home, first)
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(home.warehouse)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        print(file=reader.stdin, flush=True)
        before = reader.stdout.readline()

        registry.rollback(home, second)
        held = registry.prune(home, 1, removable_files())
        print(file=reader.stdin, flush=True)

        assert reader.stdout.readline() == before
        assert held == []
    assert registry.prune(home, 1, removable_files()) == [first]


def test_a_label_reads_on_and_its_file_goes_with_its_release(two_nights: tuple[Home, str, str]) -> None:
    """A label's file belongs to its release, for prune and rollback."""
    home, first, second = two_nights
    held = next((home.path / "warehouse" / "labels" / first).glob("*.duckdb"))
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(held)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        print(file=reader.stdin, flush=True)
        reader.stdout.readline()

        assert registry.prune(home, 1, removable_files()) == []
    assert registry.prune(home, 1, removable_files()) == [first]
    assert not held.exists()
    assert (home.path / "current/labels").resolve().name == second


@pytest.mark.slow
def test_a_pruned_night_can_be_done_again(two_nights: tuple[Home, str, str], world: World) -> None:
    """A pruned run can be repeated from the lake, under the same run id."""
    home, first, _ = two_nights
    registry.prune(home, 1, removable_files())

    again = world.run_nightly(home, resume=True)

    assert again.run_id == first
    assert registry.current_name(home) == first


@pytest.mark.slow
def test_prune_forgets_what_a_refused_night_left_behind(
    finished: Run, world: World, copy_of: Callable[[Home], Home]
) -> None:
    """The model and working files of a refused run are removed; its log and verdict stay."""
    home = copy_of(finished.home)
    worse = world.raw.parent / "worse.toml"
    worse.write_text('recommender = "popular"\ncompare = []\n')
    with pytest.raises(Refused):
        world.run_nightly(home, recipe=worse)
    (refused,) = (folder for folder in home.runs.iterdir() if folder.name != finished.run_id)

    registry.prune(home, 0, removable_files())

    assert (refused / "log.jsonl").exists()
    assert (refused / "verdict.json").exists()
    assert not (refused / "build.duckdb").exists()
    assert not (home.path / "models" / refused.name).exists()
    assert registry.current_name(home) == finished.run_id


@pytest.mark.slow
def test_prune_never_takes_the_model_in_charge(finished: Run, world: World, copy_of: Callable[[Home], Home]) -> None:
    """Tables published later keep using the run's model and export, so its release stays."""
    home = copy_of(finished.home)
    words = ["--home", str(home.path), "build", "--date", str(world.last_day), "--recipe", str(world.recipe)]
    for _ in range(2):
        assert CliRunner().invoke(main, words).exit_code == 0

    for _ in range(2):
        registry.prune(home, 1, removable_files())

    assert (home.path / "models/champion/config.json").exists()
    assert (home.path / "exports/current/_SUCCESS").exists()
    assert registry.champion(home) is not None
    assert finished.run_id in registry.release_names(home)
