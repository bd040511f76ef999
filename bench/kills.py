"""
Kills: nightly runs and migrations are killed at random moments and repeated; each must end as an undisturbed one does.

A moment is drawn from the time for which the undisturbed command holds the lock of the home, so it falls into ingest,
retention, build, models, export or publish as often as these take time. Both must leave the same files in the lake; a
nightly run must export the same bytes, and a migration must leave the same rows in every table of every release. After
the kill, readers see what they saw before the command or what it publishes, complete.
"""

import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import NamedTuple

import click

from bench.options import benchmark, size

RECIPE = """
recommender = "als"
compare = []
[recommenders.als]
factors = 8
epochs = 2
[retention]
listens_days = 60
events_days = 60
"""
RECSYS = [sys.executable, "-c", "from recsys.cli import main; main()"]
POLL_S = 0.002
Digest = dict[str, str] | None


class Kill(NamedTuple):
    """
    One killed and repeated command.

    Attributes:
        after_s: Seconds from the moment at which the command had the lock to the kill.
        step: What had begun.
        fault: What was wrong after the kill or after the repeated command; empty if nothing was.
    """

    after_s: float
    step: str
    fault: str


@dataclass(frozen=True)
class _Command:
    """
    A command to kill.

    Attributes:
        words: Its arguments.
        again: Its arguments when it is repeated.
        seen: Returns what readers of a home see; None before the first release.
        stored: Returns all that is compared in the end.
        step: Returns what had begun in a home whose command was killed.
    """

    words: list[str]
    again: list[str]
    seen: Callable[[Path], Digest]
    stored: Callable[[Path], Digest]
    step: Callable[[Path], str]

    def kills(self, former: Path, n: int, seed: int) -> Iterator[Kill]:
        """Kill and repeat the command `n` times, each on a copy of the home `former`, which stays as it is."""
        rng = random.Random(seed)  # noqa: S311 - not a secret
        with tempfile.TemporaryDirectory() as name:
            whole, home = Path(name) / "whole", Path(name) / "home"
            _copy(former, whole)
            duration_s, n_killed = self._time(whole), 0
            while n_killed < n:
                _copy(former, home)
                if kill := self._kill(home, rng.uniform(0, duration_s), former, whole):
                    n_killed += 1
                    yield kill
                shutil.rmtree(home)

    def _time(self, home: Path) -> float:
        """Run the command undisturbed; return for how many seconds it had the lock."""
        with _start(home, self.words) as process:
            _wait_for_lock(home, process)
            started = time.perf_counter()
            if fault := _fault(process):
                raise click.ClickException(f"the undisturbed command failed: {fault}")
        return time.perf_counter() - started

    def _kill(self, home: Path, after_s: float, former: Path, whole: Path) -> Kill | None:
        """Kill and repeat the command; return None if it had ended before its moment."""
        with _start(home, self.words) as process:
            _wait_for_lock(home, process)
            try:
                process.wait(after_s)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            else:
                fault = _fault(process)
                return Kill(after_s, self.step(home), fault) if fault else None
        return Kill(after_s, self.step(home), self._fault_of(home, former, whole))

    def _fault_of(self, home: Path, former: Path, whole: Path) -> str:
        """Repeat the killed command; return what was wrong before or after."""
        if self.seen(home) not in (self.seen(former), self.seen(whole)):
            return "readers saw an incomplete release"
        with _start(home, self.again) as repeated:
            if fault := _fault(repeated):
                return fault
        return "" if self.stored(home) == self.stored(whole) else "the outcome differs from the undisturbed one"


def kills(inbox: Path, day: str, n: int, seed: int) -> Iterator[Kill]:
    """Kill and resume `n` nightly runs of an inbox, each on a home of its own."""
    from recsys.ingest.pseudonym import make_listener_key

    with tempfile.TemporaryDirectory() as name:
        new, recipe = Path(name) / "new", Path(name) / "recipe.toml"
        new.mkdir()
        make_listener_key(new / "listener.key")
        recipe.write_text(RECIPE)
        words = ["nightly", "--inbox", str(inbox), "--date", day, "--recipe", str(recipe)]
        yield from _Command(words, [*words, "--resume"], _export, _lake_and_export, _last_step).kills(new, n, seed)


def migration_kills(older: Path, n: int, seed: int) -> Iterator[Kill]:
    """Kill and repeat `n` migrations of a home that has the form of an older version, each of a copy."""
    return _Command(["prune"], ["prune"], current_rows, lake_and_rows, _migrated).kills(older, n, seed)


def _copy(former: Path, home: Path) -> None:
    shutil.copytree(former, home, symlinks=True)
    (home / ".lock").unlink(missing_ok=True)


def _start(home: Path, words: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen([*RECSYS, "--home", str(home), *words], stdout=DEVNULL, stderr=PIPE, text=True)


def _wait_for_lock(home: Path, process: "subprocess.Popen[str]") -> None:
    while process.poll() is None and not (home / ".lock").exists():
        time.sleep(POLL_S)


def _fault(process: "subprocess.Popen[str]") -> str:
    """Wait for the end of a command; return the last line of its message if it failed."""
    message = process.communicate()[1]
    return f"exit {process.returncode}: {message.strip().splitlines()[-1:]}" if process.returncode else ""


def _export(home: Path) -> Digest:
    """Return the SHA-256 of every file of the current export; None without a release."""
    from recsys import files

    is_published = (home / "current").is_symlink()
    return files.checksums((home / "exports" / "current").resolve()) if is_published else None


def _lake_and_export(home: Path) -> Digest:
    """Return the SHA-256 of every file of the lake and of the current export; of the last check, times differ."""
    from recsys import files

    return {name: sha256 for name, sha256 in files.checksums(home / "lake").items() if name != "_checked.json"} | (
        _export(home) or {}
    )


def _last_step(home: Path) -> str:
    from recsys.home import Home
    from recsys.pipeline.history import past_runs

    steps = past_runs(Home(home))["stopped_in"].drop_nulls().to_list()
    return str(steps[-1]) if steps else "before the first or after the last step"


def current_rows(home: Path) -> dict[str, str]:
    """Return the hash of the rows of every table of the current release."""
    return _rows_of(home / "current" / "warehouse.duckdb")


def lake_and_rows(home: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of the lake and of its backup, and the rows of all releases."""
    from recsys import files

    kept = {name: sha256 for part in ("lake", "migrations") for name, sha256 in files.checksums(home / part).items()}
    rows = [_rows_of(release / "warehouse.duckdb") for release in sorted((home / "releases").iterdir())]
    return kept | {f"{no}:{table}": rows for no, of_release in enumerate(rows) for table, rows in of_release.items()}


def _rows_of(path: Path) -> dict[str, str]:
    """Return number and hash of the rows of every table of a warehouse file, whatever their order."""
    from recsys.warehouse.internal import internal_sql
    from recsys.warehouse.query import Warehouse

    with Warehouse.open(path) as warehouse:
        names = map(".".join, warehouse.query(internal_sql("stored_tables")).rows())
        return {name: str(warehouse.query(f"select count(*), sum(hash(t)) from {name} as t").row(0)) for name in names}


def _migrated(home: Path) -> str:
    if (home / "version.json").exists():
        return "after the last step"
    return "between two steps" if (home / "migrations").exists() else "before the first step"


def _older_home(folder: Path, inbox: Path, day: str) -> Path:
    """Make a home with one release in the form of version 0."""
    from bench.older_homes import FORMS
    from recsys.home import Home

    home, recipe = folder / "older", folder / "recipe.toml"
    recipe.write_text(RECIPE)
    with _start(home, ["nightly", "--inbox", str(inbox), "--date", day, "--recipe", str(recipe)]) as process:
        if fault := _fault(process):
            raise click.ClickException(fault)
    FORMS[0](Home(home))
    return home


def _shown(found: Iterator[Kill]) -> Iterator[Kill]:
    """Print each kill to standard error as it ends, so that what was done is known if the benchmark is stopped."""
    for number, kill in enumerate(found, start=1):
        click.echo(f"{number}: after {kill.after_s:.2f} s, {kill.step}: {kill.fault or 'no fault'}", err=True)
        yield kill


def _report(command: str, found: list[Kill]) -> None:
    for kill in found:
        if kill.fault:
            click.echo(f"{command} killed after {kill.after_s:.2f} s, {kill.step}: {kill.fault}")
    steps = Counter(kill.step for kill in found)
    click.echo(f"{command}: " + ", ".join(f"{step} {n}" for step, n in steps.most_common()))


@benchmark(headline=r"faults: (\d+)", description=__doc__)
@size("--kills", "n", default=160, smallest=0, help="Number of killed nightly runs.")
@size("--migrations", "n_migrations", default=40, smallest=1, help="Number of killed migrations.")
@click.option("--seed", default=7, show_default=True, help="Seed of the moments.")
def main(n: int, n_migrations: int, seed: int) -> None:
    """Print the kills by step, and every fault."""
    from recsys.demo import World, write_world

    with tempfile.TemporaryDirectory() as name:
        settings = World(scale=0.04, n_labels=2, n_artists=20, n_tracks=200, n_tracks_with_audio=0)
        write_world(Path(name), settings)
        inbox, day = Path(name) / "raw", str(settings.as_of)
        killed_runs = list(_shown(kills(inbox, day, n, seed))) if n else []
        older = _older_home(Path(name), inbox, day) if n_migrations else None
        killed_migrations = list(_shown(migration_kills(older, n_migrations, seed))) if older else []
    _report("nightly", killed_runs)
    _report("migration", killed_migrations)
    found = killed_runs + killed_migrations
    click.echo(f"{len(found)} killed commands. faults: {sum(bool(kill.fault) for kill in found)}")


if __name__ == "__main__":
    main()
