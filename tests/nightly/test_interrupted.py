"""Nights that are killed, run twice at once, or run out of disk: the last release stays, and resuming mends it."""

import json
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from recsys import files, registry
from recsys.home import Home, locked
from recsys.nightly import STEPS
from recsys.run import Run

from .conftest import World

RECSYS = [sys.executable, "-c", "from recsys.cli import main; main()"]
DEADLINE_S = 120


def command(home: Home, world: World, *more: str) -> list[str]:
    """One night on the command line."""
    night = ["nightly", "--inbox", str(world.raw), "--date", str(world.last_day), "--recipe", str(world.recipe)]
    return [*RECSYS, "--home", str(home.path), *night, *more]


def fresh_home(path: Path, finished: Run) -> Home:
    """An empty home with the listener key of the undisturbed one, so that their exports can be the same."""
    home = Home(path)
    home.path.mkdir()
    home.key_file.write_bytes(finished.home.key_file.read_bytes())
    home.key_file.chmod(0o600)
    return home


def digest(folder: Path) -> dict[str, str]:
    """Every file of an export and its hash."""
    return {path.name: files.sha256_of(path) for path in sorted(folder.iterdir())}


def kill_in(step: str, home: Home, world: World, delay_s: float) -> None:
    """Start a night and kill it without warning once the log says that a step has begun."""
    with subprocess.Popen(command(home, world), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as night:
        until = time.monotonic() + DEADLINE_S
        while not _has_begun(step, home) and night.poll() is None:
            assert time.monotonic() < until, f"{step} did not begin"
        time.sleep(delay_s)
        night.send_signal(signal.SIGKILL)


def _has_begun(step: str, home: Home) -> bool:
    logs = list(home.runs.glob("*/log.jsonl"))
    lines = logs[0].read_text().splitlines() if logs else []
    return any(json.loads(line).get("step") == step for line in lines if line.endswith("}"))


@pytest.mark.slow
@pytest.mark.parametrize("step", ["ingest", *STEPS])
def test_a_killed_night_resumes_to_the_same_export(step: str, finished: Run, world: World, tmp_path: Path) -> None:
    """Killed in any step, at any moment of it: resumed, it exports what an undisturbed night exports, byte for byte."""
    home = fresh_home(tmp_path / "home", finished)
    kill_in(step, home, world, delay_s=random.Random(step).uniform(0, 0.4))

    subprocess.run(command(home, world, "--resume"), check=True, capture_output=True)

    assert registry.current_name(home) == finished.run_id
    assert digest(home.path / "exports" / "current") == digest(finished.export)
    assert not list((home.lake / "_staging").iterdir())


@pytest.mark.slow
def test_a_full_disk_loses_nothing(
    finished: Run, world: World, copy_of: Callable[[Home], Home], tmp_path: Path
) -> None:
    """With no room for large files the night fails, the last release stays, and with room it can be resumed."""
    home = copy_of(finished.home)
    larger = tmp_path / "larger.toml"
    larger.write_text(world.recipe.read_text() + "[export]\nk = 30\n")
    night = [*command(home, world)[:-1], str(larger)]

    failed = subprocess.run(night, check=False, capture_output=True, text=True, preexec_fn=_no_room)

    assert failed.returncode != 0
    assert registry.current_name(home) == finished.run_id
    assert digest(home.path / "exports" / "current") == digest(finished.export)
    subprocess.run([*night, "--resume"], check=True, capture_output=True)
    assert registry.current_name(home) != finished.run_id


def _no_room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))


def test_a_second_night_at_once_says_so_and_exits(finished: Run, world: World, copy_of: Callable[[Home], Home]) -> None:
    """The home is held by one run; another is told by which process, and changes nothing."""
    home = copy_of(finished.home)

    with locked(home):
        second = subprocess.run(command(home, world), check=False, capture_output=True, text=True)

    assert second.returncode == 3
    assert "HomeIsBusy" in second.stderr
    assert "process" in second.stderr
    assert "Traceback" not in second.stderr
