"""Runs that are killed, started twice or out of disk space: the last release stays, and they can be resumed."""

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

from bench.kills import kills
from recsys import files
from recsys.home import Home, locked
from recsys.pipeline.plan import steps, steps_after
from recsys.pipeline.run import Event, Run
from recsys.releases import registry

from ..nights import World
from .lopsided import LAST_DAY, write_inbox

RECSYS = [sys.executable, "-c", "from recsys.cli import main; main()"]
DEADLINE_S = 120
POLL_S = 0.002


def command(home: Home, world: World, *more: str) -> list[str]:
    """The command line of one nightly run."""
    words = ["nightly", "--inbox", str(world.raw), "--date", str(world.last_day), "--recipe", str(world.recipe)]
    return [*RECSYS, "--home", str(home.path), *words, *more]


def fresh_home(path: Path, finished: Run) -> Home:
    """An empty home with the listener key of the uninterrupted one, so that exports can be equal."""
    home = Home(path)
    home.path.mkdir()
    home.key_file.write_bytes(finished.home.key_file.read_bytes())
    home.key_file.chmod(0o600)
    return home


def digest(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file of an export."""
    return {path.name: files.sha256_of(path) for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def begun(finished: Run, world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Home]:
    """Copies of a home at the start of each step of an uninterrupted run. Tests must not change them."""
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
    """Return a copy of the home at the start of a step."""
    return lambda step: copy_of(begun[step])


# A run that kills its own process without warning, as a step begins or before its marker is written.
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
def test_a_night_killed_in_every_step_resumes_to_the_same_export(finished: Run, world: World, tmp_path: Path) -> None:
    """A run that is killed in each step in turn, before or after its work, exports the same bytes in the end."""
    home, rng = fresh_home(tmp_path / "home", finished), random.Random(7)
    words, published = command(home, world, "--resume")[len(RECSYS) :], {step.name for step in steps_after("publish")}

    for step in ("ingest", *steps()):
        moment = rng.choice(["on entering", "when done, before it is noted"])
        killed = subprocess.run([sys.executable, "-c", DYING, step, moment, *words], check=False, capture_output=True)
        assert (killed.returncode, _begun(home)[-1]) == (-signal.SIGKILL, step)
        assert registry.current_name(home) is None or step in published
    world.run_nightly(home, resume=True)

    assert_undisturbed(home, finished)


@pytest.mark.slow
@pytest.mark.parametrize("step", ["ingest", "build", "train"])
def test_a_night_killed_amid_a_long_step_resumes_to_the_same_export(
    step: str, as_begun: Callable[[str], Home], finished: Run, world: World
) -> None:
    """A run killed at a random moment inside a long step exports the same bytes once it is resumed."""
    home = as_begun(step)
    n_begun = len(_begun(home))
    with subprocess.Popen(
        command(home, world, "--resume"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        until = time.monotonic() + DEADLINE_S
        while step not in _begun(home)[n_begun:]:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(POLL_S)
        time.sleep(random.Random(step).uniform(0.1, 0.3))
        process.send_signal(signal.SIGKILL)
    last_begun = _begun(home)[-1]

    world.run_nightly(home, resume=True)

    assert last_begun == step
    assert_undisturbed(home, finished)


def assert_undisturbed(home: Home, finished: Run) -> None:
    """The home has the export of the uninterrupted run, and no incomplete files are left in the lake."""
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
    """Rebuilt tables are published beside the old ones: every link under `current` works throughout."""
    home = copy_of(finished.home)
    words = ["--home", str(home.path), "build", "--date", str(world.last_day), "--recipe", str(world.recipe)]
    doors = [home.warehouse, home.path / "marts/current/track_daily.parquet", home.path / "models/champion/config.json"]
    missing = 0
    for _ in range(2):
        with subprocess.Popen([*RECSYS, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as build:
            while build.poll() is None:
                missing += sum(not door.exists() for door in doors)
                time.sleep(POLL_S)
        assert build.returncode == 0

    assert missing == 0
    assert len(registry.release_names(home)) == 3


@pytest.mark.slow
def test_resuming_against_another_champion_judges_again(
    finished: Run, world: World, copy_of: Callable[[Home], Home], tmp_path: Path
) -> None:
    """A run interrupted before its gate is compared with a better champion that was published meanwhile."""
    home = fresh_home(tmp_path / "overtaken", finished)
    worse = tmp_path / "worse.toml"
    worse.write_text('recommender = "popular"\ncompare = []\n')
    words = ["--home", str(home.path), "nightly", "--inbox", str(world.raw), "--date", str(world.last_day)]
    dying = [sys.executable, "-c", DYING, "gate", "on entering", *words, "--recipe", str(worse)]
    subprocess.run(dying, check=False, capture_output=True)
    subprocess.run(command(home, world), check=True, capture_output=True)

    resumed = subprocess.run([*RECSYS, *words, "--recipe", str(worse), "--resume"], check=False, capture_output=True)

    assert resumed.returncode == 4
    assert b"compared with champion" in resumed.stderr
    assert_undisturbed(home, finished)


@pytest.mark.slow
def test_a_full_disk_loses_nothing(
    finished: Run, world: World, copy_of: Callable[[Home], Home], tmp_path: Path
) -> None:
    """Without disk space the run fails and the last release stays; with space again it can be resumed."""
    home = copy_of(finished.home)
    larger = tmp_path / "larger.toml"
    larger.write_text(world.recipe.read_text().replace("[export]\n", "[export]\nk = 30\n"))
    words = [*command(home, world)[:-1], str(larger)]

    failed = subprocess.run(words, check=False, capture_output=True, text=True, preexec_fn=_no_room)

    assert failed.returncode != 0
    assert registry.current_name(home) == finished.run_id
    assert digest(home.path / "exports" / "current") == digest(finished.export)
    subprocess.run([*words, "--resume"], check=True, capture_output=True)
    assert registry.current_name(home) != finished.run_id


def _no_room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))


def test_a_second_night_at_once_says_so_and_exits(finished: Run, world: World, copy_of: Callable[[Home], Home]) -> None:
    """A second run on the same home is refused with the first one's process id, and changes nothing."""
    home = copy_of(finished.home)

    with locked(home):
        second = subprocess.run(command(home, world), check=False, capture_output=True, text=True)

    assert second.returncode == 3
    assert "HomeIsBusy" in second.stderr
    assert "process" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.slow
def test_runs_killed_at_random_moments_resume_to_the_same_export(tmp_path: Path) -> None:
    """Three seeded moments between the start and the end of the run of a small home."""
    inbox = write_inbox(tmp_path / "inbox", "no labels")

    found = list(kills(inbox, str(LAST_DAY), 3, seed=7))

    assert len(found) == 3
    assert [kill for kill in found if kill.fault] == []
