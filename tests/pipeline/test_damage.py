"""Damaged files of a finished home: a command prints the right rows or a message, never wrong rows or a traceback."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.damage import kinds_of_files, trials
from recsys.cli import main
from recsys.home import Home
from recsys.pipeline.run import Run
from recsys.releases import registry

from ..nights import World, result_table


def test_every_part_of_a_home_may_be_damaged(finished: Run) -> None:
    """The kinds of files cover lake, warehouse, marts, models, exports, indexes, releases and runs."""
    parts = {kind.partition("/")[0] for kind in kinds_of_files(finished.home.path)}

    assert {"lake", "warehouse", "marts", "models", "exports", "indexes", "releases", "runs"} <= parts


@pytest.mark.slow
def test_damage_gives_neither_wrong_rows_nor_tracebacks(finished: Run) -> None:
    """Twelve seeded damages, ten reading commands after each."""
    found = list(trials(finished.home.path, range(12)))

    assert len(found) == 120
    assert [trial for trial in found if trial.outcome in {"wrong rows", "traceback"}] == []


@pytest.mark.slow
def test_a_night_after_damage_of_the_current_release_builds_everything_anew(
    finished: Run, world: World, copy_of: Callable[[Home], Home]
) -> None:
    """Published tables that have changed are not copied into the next release; a warning names the file."""
    home = copy_of(finished.home)
    mart = next((home.path / "marts").glob("*/communities.parquet"))
    mart.write_bytes(mart.read_bytes()[:-1] + b"?")
    events: list[dict[str, object]] = []

    run = world.run_nightly(home, days_before=0, recipe=_other_recipe(world, home.path), tell=events.append)

    assert registry.current_name(home) == run.run_id != finished.run_id
    assert any("is damaged: everything is built anew" in str(event.get("text")) for event in events)
    assert result_table(run, "recommendations").height == result_table(finished, "recommendations").height


def _other_recipe(world: World, folder: Path) -> Path:
    """Return a recipe that makes another run of the same data."""
    path = folder / "recipe.toml"
    path.write_text(world.recipe.read_text() + "seed = 8\n")
    return path


@pytest.mark.parametrize(
    ("words", "exit_code", "message"),
    [
        (["sql", "select 1", "--csv", "--out", "{}/none/x.csv"], 2, "expected a file in a folder that exists"),
        (["sql", "select 1", "--out", "{}/x"], 2, "without a format. Add --csv, --json or --parquet"),
        (["sql", "select 1", "--out", "{}/x.csv"], 0, ""),
    ],
)
def test_an_output_file_needs_a_folder_and_a_format(
    finished: Run, tmp_path: Path, words: list[str], exit_code: int, message: str
) -> None:
    """The ending of the file's name is a format too."""
    home = ["--home", str(finished.home.path)]

    done = CliRunner().invoke(main, [*home, *(word.format(tmp_path) for word in words)])

    assert (done.exit_code, message in done.stderr) == (exit_code, True)
    assert (tmp_path / "x.csv").exists() == (exit_code == 0)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(28, "No space left on device", "/home/x"), "No space left on device: /home/x. Free space on the disk"),
        (PermissionError(13, "Permission denied", "/home/x"), "Permission denied: /home/x. Make it readable"),
        (OSError(5, "Input/output error"), "Input/output error: no file was named. Examine the machine"),
        (MemoryError(), "The memory is not sufficient"),
    ],
)
def test_what_the_machine_refuses_is_a_message(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: BaseException, message: str
) -> None:
    """The exit code is 3, and there is no traceback."""

    def refuse(_home: Home) -> None:
        raise error

    monkeypatch.setattr("recsys.cli.show.runs.history", refuse)

    done = CliRunner().invoke(main, ["--home", str(tmp_path), "runs"])

    assert done.exit_code == 3
    assert done.stderr.startswith(f"SetupError: {message}")


@pytest.mark.parametrize("form", ["--csv", "--wide"])
def test_a_closed_pipe_ends_a_command_silently(finished: Run, form: str) -> None:
    """`recsys sql ... | head -1` prints neither a message nor a traceback."""
    command = [sys.executable, "-c", "from recsys.cli import main; main()", "--home", str(finished.home.path)]
    query = ["sql", "select * from range(200000)", form]
    with subprocess.Popen([*command, *query], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reading:
        assert reading.stdout is not None
        assert reading.stderr is not None
        reading.stdout.readline()
        reading.stdout.close()
        messages = reading.stderr.read().decode()

    assert reading.returncode == 0
    assert "Error" not in messages
    assert "Traceback" not in messages
