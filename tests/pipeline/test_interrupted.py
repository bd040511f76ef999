"""Nights that are killed, run twice at once, or run out of disk: the last release stays, and resuming mends it."""

import json
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from recsys import files
from recsys.home import Home, locked
from recsys.pipeline.plan import steps
from recsys.pipeline.run import Event, Run
from recsys.releases import registry

from ..nights import World

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


@pytest.fixture(scope="module")
def begun(finished: Run, world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Home]:
    """Copies of a home as each step of an undisturbed night begins: look, do not touch."""
    folder = tmp_path_factory.mktemp("begun")
    home = fresh_home(folder / "home", finished)
    copies = {}

    def keep(event: Event) -> None:
        if event["event"] == "start":
            copies[event["step"]] = Home(shutil.copytree(home.path, folder / event["step"], symlinks=True))

    world.run_nightly(home, tell=keep)
    return copies


@pytest.fixture
def as_begun(begun: dict[str, Home], copy_of: Callable[[Home], Home]) -> Callable[[str], Home]:
    """Return a home of one's own in which a step begins."""
    return lambda step: copy_of(begun[step])


# Starts a night that kills its own process, without warning, as a step begins or before its mark is written.
DYING = """
import os, signal, sys
from recsys import files
from recsys.pipeline.run import Run
step, moment = sys.argv.pop(1), sys.argv.pop(1)
log, write_json = Run.log, files.write_json

def dying_log(run, **event):
    log(run, **event)
    if (event["event"], event.get("step")) == ("start", step):
        os.kill(os.getpid(), signal.SIGKILL)

def dying_write_json(path, value):
    if path.name == f"{step}.done.json":
        os.kill(os.getpid(), signal.SIGKILL)
    write_json(path, value)

if moment == "on entering":
    Run.log = dying_log
else:
    files.write_json = dying_write_json
from recsys.cli import main
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["on entering", "when done, before it is noted"])
@pytest.mark.parametrize("step", ["ingest", *steps()])
def test_a_night_killed_in_a_step_resumes_to_the_same_export(
    step: str, moment: str, as_begun: Callable[[str], Home], finished: Run, world: World
) -> None:
    """Killed in any step, before or after its work: resumed, it exports what an undisturbed night does, to the byte."""
    home = as_begun(step)
    words = command(home, world, "--resume")[len(RECSYS) :]

    killed = subprocess.run([sys.executable, "-c", DYING, step, moment, *words], check=False, capture_output=True)
    world.run_nightly(home, resume=True)

    assert killed.returncode == -signal.SIGKILL
    assert_undisturbed(home, finished)


@pytest.mark.slow
@pytest.mark.parametrize("step", ["ingest", "build", "train"])
def test_a_night_killed_amid_a_long_step_resumes_to_the_same_export(
    step: str, as_begun: Callable[[str], Home], finished: Run, world: World
) -> None:
    """Killed at some moment inside a step that takes its time."""
    home = as_begun(step)
    n_begun = len(_begun(home))
    with subprocess.Popen(
        command(home, world, "--resume"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as night:
        until = time.monotonic() + DEADLINE_S
        while step not in _begun(home)[n_begun:]:
            assert night.poll() is None
            assert time.monotonic() < until
        time.sleep(random.Random(step).uniform(0.1, 0.3))
        night.send_signal(signal.SIGKILL)
    last_begun = _begun(home)[-1]

    world.run_nightly(home, resume=True)

    assert last_begun == step
    assert_undisturbed(home, finished)


def assert_undisturbed(home: Home, finished: Run) -> None:
    """The home has published what the undisturbed night has, and nothing half done is left in the lake."""
    assert registry.current_name(home) == finished.run_id
    assert digest(home.path / "exports" / "current") == digest(finished.export)
    assert not list((home.lake / "_staging").iterdir())


def _begun(home: Home) -> list[str]:
    logs = list(home.runs.glob("*/log.jsonl"))
    lines = logs[0].read_text().splitlines() if logs else []
    events = [json.loads(line) for line in lines if line.endswith("}")]
    return [event["step"] for event in events if event["event"] == "start"]


@pytest.mark.slow
def test_a_publication_made_twice_never_leaves_readers_without_one(
    finished: Run, world: World, copy_of: Callable[[Home], Home]
) -> None:
    """Tables built again from the same inputs are published beside the old ones: every door stays open throughout."""
    home = copy_of(finished.home)
    words = ["--home", str(home.path), "build", "--date", str(world.last_day), "--recipe", str(world.recipe)]
    doors = [home.warehouse, home.path / "marts/current/track_daily.parquet", home.path / "models/champion/config.json"]
    missing = 0
    for _ in range(2):
        with subprocess.Popen([*RECSYS, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as build:
            while build.poll() is None:
                missing += sum(not door.exists() for door in doors)
        assert build.returncode == 0

    assert missing == 0
    assert len(registry.release_names(home)) == 3


@pytest.mark.slow
def test_resuming_against_another_champion_judges_again(
    finished: Run, world: World, copy_of: Callable[[Home], Home], tmp_path: Path
) -> None:
    """A night interrupted before its gate, then overtaken by a better champion, does not slip past the gate."""
    home = fresh_home(tmp_path / "overtaken", finished)
    worse = tmp_path / "worse.toml"
    worse.write_text('recommender = "popular"\ncompare = []\n')
    words = ["--home", str(home.path), "nightly", "--inbox", str(world.raw), "--date", str(world.last_day)]
    dying = [sys.executable, "-c", DYING, "gate", "on entering", *words, "--recipe", str(worse)]
    subprocess.run(dying, check=False, capture_output=True)
    subprocess.run(command(home, world), check=True, capture_output=True)

    resumed = subprocess.run([*RECSYS, *words, "--recipe", str(worse), "--resume"], check=False, capture_output=True)

    assert resumed.returncode == 4
    assert b"worse than champion" in resumed.stderr
    assert_undisturbed(home, finished)


@pytest.mark.slow
def test_a_full_disk_loses_nothing(
    finished: Run, world: World, copy_of: Callable[[Home], Home], tmp_path: Path
) -> None:
    """With no room for large files the night fails, the last release stays, and with room it can be resumed."""
    home = copy_of(finished.home)
    larger = tmp_path / "larger.toml"
    larger.write_text(world.recipe.read_text().replace("[export]\n", "[export]\nk = 30\n"))
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
