"""Homes of older versions are migrated by the first command that writes, also if it is killed at any moment."""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from bench.kills import current_rows, lake_and_rows, migration_kills
from bench.older_homes import FORMS
from recsys import files
from recsys.cli import main
from recsys.home import VERSION, Home, locked
from recsys.lake.store import Lake
from recsys.migration.migrate import migrate
from recsys.migration.steps import MIGRATIONS
from recsys.pipeline.run import Run
from recsys.releases import registry
from recsys.warehouse.query import Warehouse

from ..nights import World


class Killed(BaseException):
    """The end of a process, which no code handles."""


@pytest.fixture
def former(finished: Run, copy_of: Callable[[Home], Home]) -> Callable[[int], Home]:
    """Return a function that copies the finished home in the form of an older version."""

    def made(version: int) -> Home:
        home = copy_of(finished.home)
        FORMS[version](home)
        return home

    return made


def call(home: Home, *words: str) -> Result:
    """Call the command line in this process."""
    return CliRunner().invoke(main, ["--home", str(home.path), *words])


def files_of(folder: Path) -> dict[str, str]:
    """Return the checksum of each file below a folder, links followed to files only, without the lock."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): files.sha256_of(path) for path in found}


def test_every_older_version_has_steps_and_a_home_in_the_tests() -> None:
    """A new version needs the steps from the former one, and a home in its form."""
    assert list(MIGRATIONS) == list(FORMS) == list(range(VERSION))


@pytest.mark.parametrize("version", FORMS)
def test_a_reading_command_changes_nothing(version: int, former: Callable[[int], Home]) -> None:
    """It works on what an older version wrote, or names the command that makes what is missing."""
    home = former(version)
    before = files_of(home.path)

    listed, lacking, health = call(home, "query", "top_tracks"), call(home, "review", "list"), call(home, "doctor")

    assert listed.exit_code == 0
    assert lacking.exit_code == 2
    assert "build it anew: recsys build" in lacking.output
    assert "such as recsys build, migrates the home to 1" in " ".join(health.output.split())
    assert files_of(home.path) == before


def test_a_home_of_version_0_gets_checksums_and_the_marts_it_lacks(former: Callable[[int], Home]) -> None:
    """The batch log gets the checksum of every file, readers an empty mart; what was there is kept."""
    home = former(0)
    logs, released = files_of(home.lake / "_ledger"), registry.current_name(home)

    done = call(home, "prune")

    noted = {name: sha256 for batch in Lake(home).batches() for name, sha256 in batch.checksums.items()}
    stored = files_of(home.lake)
    assert f"{home.path} is migrated from version 0 to 1" in done.stderr
    assert home.version == VERSION
    assert noted == {name: sha256 for name, sha256 in stored.items() if "/ds=" in name}
    assert files_of(home.path / "migrations" / "0-to-1" / "lake" / "_ledger") == logs
    assert registry.release_names(home) == [released, f"{released}-migrated"]
    assert call(home, "review", "list").exit_code == 0
    with Warehouse.open(home.published_warehouse()) as warehouse:
        assert warehouse.query("select * from marts.duplicate_links").is_empty()
    assert call(home, "rollback", str(released)).exit_code == 0


def test_a_second_command_migrates_nothing(former: Callable[[int], Home]) -> None:
    """A migrated home has the current version."""
    home = former(0)
    call(home, "prune")
    before = files_of(home.path)

    again = call(home, "prune")

    assert "migrated" not in again.stderr
    assert files_of(home.path) == before


def test_a_lake_that_lacks_rows_is_not_taken_for_whole(former: Callable[[int], Home]) -> None:
    """Checksums of a lake that does not agree with its batch log are not noted; the home keeps its version."""
    home = former(0)
    next(home.lake.glob("listens/ds=*/*.parquet")).unlink()

    refused = call(home, "prune")

    assert refused.exit_code == 3
    assert "rows are missing" in refused.stderr
    assert home.version == 0


def test_a_migration_killed_at_any_write_is_finished_by_the_next_command(
    former: Callable[[int], Home], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Attempts that are killed before or after a later write each time end where an uninterrupted one does."""
    home = former(0)
    whole = Home(shutil.copytree(home.path, tmp_path / "whole", symlinks=True))
    migrate(whole)
    sync, n_attempts = files.sync, 0
    while home.version < VERSION:
        n_attempts, n_left = n_attempts + 1, n_attempts

        def dying_sync(path: Path) -> None:
            nonlocal n_left
            if n_left == 0:
                raise Killed
            n_left -= 1
            sync(path)

        monkeypatch.setattr(files, "sync", dying_sync)
        try:
            migrate(home)
        except Killed:
            continue

    assert n_attempts > 5
    assert without_databases(home) == without_databases(whole)
    assert not list(home.path.rglob(".*.partial"))
    with Warehouse.open(home.published_warehouse()) as warehouse:
        assert warehouse.query("select * from marts.review_findings").is_empty()


def without_databases(home: Home) -> dict[str, str]:
    """Return the files of a home without those whose bytes differ from copy to copy, and without their checksums."""
    kept = files_of(home.path)
    return {name: sha256 for name, sha256 in kept.items() if not name.endswith((".duckdb", registry.CHECKSUMS))}


def test_a_home_whose_release_is_damaged_is_migrated(former: Callable[[int], Home]) -> None:
    """A warehouse that cannot be opened is left to the next build."""
    home = former(0)
    home.published_warehouse().write_bytes(b"no database")

    migrate(home)

    assert home.version == VERSION
    assert len(registry.release_names(home)) == 1


def test_a_new_home_has_the_current_version(tmp_path: Path) -> None:
    """Locking writes it; a home that an interrupted command left without data is new."""
    home = Home(tmp_path / "home")
    (home.path / "inbox").mkdir(parents=True)

    with locked(home):
        assert files.read_json(home.version_file)["version"] == VERSION
    assert not (home.path / "migrations").exists()


@pytest.mark.parametrize(
    "words", [["prune"], ["runs"], ["query", "top_tracks"], ["quarantine", "list"], ["build"], ["similar", "t"]]
)
def test_a_newer_home_is_refused(words: list[str], finished: Run, copy_of: Callable[[Home], Home]) -> None:
    """No command reads or changes it; the message names the program that wrote it."""
    home = copy_of(finished.home)
    files.write_json(home.version_file, {"version": VERSION + 1, "program": "9.1.2"})
    before = files_of(home.path)

    refused = call(home, *words)

    assert refused.exit_code == 3
    assert f"has version {VERSION + 1} of the form of a home" in refused.stderr
    assert "Install recsys 9.1.2 or newer" in refused.stderr
    assert files_of(home.path) == before


def test_the_doctor_examines_a_newer_home_no_further(finished: Run, copy_of: Callable[[Home], Home]) -> None:
    """It reports the version as the only problem."""
    home = copy_of(finished.home)
    files.write_json(home.version_file, {"version": VERSION + 1, "program": "9.1.2"})

    shown = call(home, "doctor")

    assert shown.exit_code == 3
    assert "Install recsys 9.1.2 or newer" in " ".join(shown.output.split())
    assert "lake files" not in shown.output


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"version": "one"}'])
def test_a_damaged_version_is_reported(content: str, tmp_path: Path) -> None:
    """Nothing is guessed."""
    home = Home(tmp_path)
    home.version_file.write_text(content)

    refused = call(home, "prune")

    assert refused.exit_code == 3
    assert "version.json is missing or damaged" in refused.stderr


def test_a_changed_row_or_file_is_a_fault_of_a_killed_migration(finished: Run, copy_of: Callable[[Home], Home]) -> None:
    """One value of one mart differs from the undisturbed home, then one byte of the lake."""
    home = copy_of(finished.home)
    whole, rows = lake_and_rows(home.path), current_rows(home.path)

    with duckdb.connect(home.published_warehouse()) as connection:
        connection.execute("update marts.artist_profile set name = 'x' where rowid = 0")
    changed = lake_and_rows(home.path)
    log = next((home.lake / "_ledger").glob("*.json"))
    log.write_text(log.read_text() + " ")
    damaged = lake_and_rows(home.path)

    assert current_rows(home.path) != rows
    assert {name for name in whole if changed[name] != whole[name]} == {"0:marts.artist_profile"}
    assert {name for name in whole if damaged[name] != changed[name]} == {f"_ledger/{log.name}"}


@pytest.mark.slow
def test_migrations_killed_by_signal_at_random_moments_end_as_an_undisturbed_one(
    former: Callable[[int], Home],
) -> None:
    """The next command leaves the same lake and the same rows in every release; readers never see half of one."""
    found = list(migration_kills(former(0).path, 3, seed=5))

    assert len(found) == 3
    assert [kill for kill in found if kill.fault] == []


@pytest.mark.slow
@pytest.mark.parametrize("version", FORMS)
def test_a_night_on_a_migrated_home_exports_what_any_other_does(
    version: int, former: Callable[[int], Home], finished: Run, world: World, tmp_path: Path
) -> None:
    """The next nightly run of a migrated home has the lists and labels' figures of a home that was never older."""
    home = former(version)
    whole = Home(shutil.copytree(finished.home.path, tmp_path / "whole", symlinks=True))
    recipe = tmp_path / "other.toml"
    recipe.write_text(world.recipe.read_text() + "seed = 8\n")
    call(home, "prune")

    runs = [world.run_nightly(of, recipe=recipe) for of in (home, whole)]

    lists, figures = [[files.sha256_of(path) for path in paths] for paths in zip(*map(_outcome, runs), strict=True)]
    assert registry.current_name(home) == runs[0].run_id == runs[1].run_id
    assert len(set(lists)) == len(set(figures)) == 1
    assert Lake(home).verify() == Lake(whole).verify()


def _outcome(run: Run) -> tuple[Path, Path]:
    return run.export / "recommendations.parquet", run.folder / "label_figures.parquet"
