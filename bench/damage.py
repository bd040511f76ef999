"""
Damaged homes: files are flipped, truncated, deleted or replaced, and every reading command is run on the damaged home.

A command must print what it prints on the intact home, or fail with a message and the exit code 2 or 3. A traceback is
a fault, and so is other output with the exit code 0: wrong rows. `recsys doctor` says how much of the damage it finds.
"""

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import click

from bench.options import benchmark, size

GARBAGE_BYTES = 300
DERIVED = ("reports", ".lock")  # nothing reads them
MAY_DIFFER = ("doctor", "runs")  # they report the state of the home, so damage changes what they print


class Trial(NamedTuple):
    """
    The outcome of one command on one damaged home.

    Attributes:
        command: The command line.
        damage: What was done to which file.
        outcome: 'same', 'message', 'wrong rows' or 'traceback'.
        detail: The first line of the message or of the error.
    """

    command: str
    damage: str
    outcome: str
    detail: str


def _flip(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def _truncate(path: Path, rng: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: rng.randrange(path.stat().st_size)])


def _delete(path: Path, rng: random.Random) -> None:  # noqa: ARG001 - all kinds have the same parameters
    path.unlink()


def _replace(path: Path, rng: random.Random) -> None:
    path.write_bytes(rng.randbytes(GARBAGE_BYTES))


DAMAGES: dict[str, Callable[[Path, random.Random], None]] = {
    "flip a bit of": _flip,
    "truncate": _truncate,
    "delete": _delete,
    "replace": _replace,
}


def kinds_of_files(home: Path) -> dict[str, list[Path]]:
    """Return the files of a home by kind: the first folder and the name, without ids of runs, batches and labels."""
    kinds: dict[str, list[Path]] = {}
    for path in sorted(home.rglob("*")):
        parts = path.relative_to(home).parts
        if path.is_file() and not path.is_symlink() and path.stat().st_size and parts[0] not in DERIVED:
            is_named = parts[0] in {"runs", "marts", "exports", "models", "indexes"}
            kinds.setdefault(f"{parts[0]}/{path.name}" if is_named else "/".join((*parts[:2], path.suffix)), []).append(
                path
            )
    return kinds


def damage(home: Path, seed: int) -> str:
    """Damage one file of a home, chosen by kind first, so that each kind is as likely; return what was done."""
    rng = random.Random(seed)  # noqa: S311 - not a secret
    kinds = kinds_of_files(home)
    path = rng.choice(kinds[rng.choice(sorted(kinds))])
    name = rng.choice(sorted(DAMAGES))
    DAMAGES[name](path, rng)
    return f"{name} {path.relative_to(home)}"


def reading_commands(home: Path) -> list[list[str]]:
    """Return the command lines that read a home, with the ids of a listener and a track that have rows."""
    from recsys.home import Home
    from recsys.warehouse.query import Warehouse

    with Warehouse.open(Home(home).published_warehouse()) as warehouse:
        user, track = warehouse.query("select user_id, track_id from marts.recommendations order by all limit 1").row(0)
    everything = "select * from marts.recommendations order by user_id, rank"
    return [
        ["sql", everything, "--csv"],
        ["find", track, "--csv"],
        ["query", "top_tracks", "--csv"],
        ["describe", "track_daily", "--csv"],
        ["product", "discovery", user, "--csv"],
        ["product", "similar_tracks", track, "--csv"],
        ["explain", user, track],
        ["similar", "trk_000", "--csv"],
        ["runs"],
        ["doctor"],
    ]


def outcomes(home: Path, commands: list[list[str]], intact: dict[str, str], damaged: str) -> Iterator[Trial]:
    """Run each command on a damaged home and compare it with its output on the intact one."""
    for words in commands:
        command = " ".join(words[:2])
        done = _run(home, words)
        is_clean = done.exception is None or isinstance(done.exception, SystemExit)
        if not is_clean:
            yield Trial(command, damaged, "traceback", f"{type(done.exception).__name__}: {done.exception}")
        elif done.exit_code:
            outcome = "message" if done.exit_code in {2, 3} else "traceback"
            yield Trial(command, damaged, outcome, (done.stderr or done.stdout).partition("\n")[0])
        else:
            is_same = words[0] in MAY_DIFFER or done.stdout == intact[command]
            yield Trial(command, damaged, "same" if is_same else "wrong rows", done.stdout[:200])


def trials(home: Path, seeds: range) -> Iterator[Trial]:
    """Damage a copy of a home once per seed and run every reading command on it."""
    commands = reading_commands(home)
    intact = {" ".join(words[:2]): _run(home, words).stdout for words in commands}
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "home"
            shutil.copytree(home, copy, symlinks=True)
            yield from outcomes(copy, commands, intact, damage(copy, seed))


def _run(home: Path, words: list[str]) -> "click.testing.Result":
    from click.testing import CliRunner

    from recsys.cli import main as recsys

    return CliRunner().invoke(recsys, ["--home", str(home), *words])


@benchmark(headline=r"wrong rows: (\d+)", description=__doc__)
@click.option("--home", type=click.Path(path_type=Path), envvar="RECSYS_HOME", required=True, help="A finished home.")
@size("--damages", default=200, smallest=2, help="Number of damaged homes.")
@click.option("--seed", default=7, show_default=True, help="First seed.")
def main(home: Path, damages: int, seed: int) -> None:
    """Print the number of outcomes of each kind, and every fault."""
    found = list(trials(home, range(seed, seed + damages)))
    counts = Counter(trial.outcome for trial in found)
    for trial in found:
        if trial.outcome in {"wrong rows", "traceback"}:
            click.echo(f"{trial.outcome}: {trial.command} after: {trial.damage}: {trial.detail}")
    checked = [trial for trial in found if trial.command == "doctor"]
    noticed = sum(trial.outcome == "message" for trial in checked)
    click.echo(f"{damages} damaged homes, {len(found)} commands. wrong rows: {counts['wrong rows']}")
    click.echo(f"tracebacks: {counts['traceback']}, messages: {counts['message']}, same output: {counts['same']}")
    click.echo(f"recsys doctor found {noticed} of {len(checked)} damages")


if __name__ == "__main__":
    main()
