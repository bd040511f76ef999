"""
The README's examples and outputs: `make readme` writes what the commands print, a slow test holds it against them.

An example is a line that begins with `recsys --home data/demo/home`. An output stands between
`<!-- output: COMMAND -->` and `<!-- end -->`: that of `recsys --home data/demo/home COMMAND`, or of `make demo`, on the
demo world in a new home.
"""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from click.testing import CliRunner

from recsys.cli import main

README = Path(__file__).parents[1] / "README.md"
HOME = "data/demo/home"
LAST_DAY = "2026-06-30"
WIDTH = 110
_OUTPUT = re.compile(r"<!-- output: (?P<command>.+?) -->\n.*?<!-- end -->", re.DOTALL)
_DRAWN = re.compile(
    r"(marts\.artist_shown\b[^\n\d]*|\d+ (?:tables|kinds of lists), )([\d,]+)"
)  # rows that follow the lists, and those the random listener key
_TIME = re.compile(r" *[\d,.]+ s$", re.MULTILINE)
_RUN = re.compile(rf"(?<={LAST_DAY}-)[0-9a-f]{{8}}")


def examples(text: str) -> list[list[str]]:
    """List the arguments of every example, without the program and its home."""
    program = f"recsys --home {HOME} "
    return [shlex.split(line.removeprefix(program)) for line in text.splitlines() if line.startswith(program)]


def rewritten(text: str, run: Callable[[list[str]], str]) -> str:
    """Put what each command prints between its marks."""

    def printed(found: re.Match[str]) -> str:
        told = _DRAWN.sub(_blurred, run(shlex.split(found["command"])).strip())
        lines = "\n".join(line.rstrip() for line in told.splitlines())
        return f"<!-- output: {found['command']} -->\n```\n{lines}\n```\n<!-- end -->"

    return _OUTPUT.sub(printed, text)


def _blurred(found: re.Match[str]) -> str:
    return found[1] + re.sub(r"\d", "x", found[2])


def run_on(home: str) -> Callable[[list[str]], str]:
    """Return a function that runs a command on a home and returns what it prints."""

    def run(words: list[str]) -> str:
        done = CliRunner(env={"COLUMNS": str(WIDTH)}).invoke(main, ["--home", home, *words])
        if done.exit_code:
            raise SystemExit(f"recsys {shlex.join(words)} failed: {done.output}")
        return done.stdout

    return run


def demo_in(folder: Path) -> Callable[[list[str]], str]:
    """Do in an empty folder what `make demo` does in data/demo; return a function that tells any command's output."""
    run = run_on(str(folder / "home"))
    run(["demo", str(folder)])
    ended = run(["nightly", "--inbox", str(folder / "raw"), "--date", LAST_DAY])
    return lambda words: excerpt(ended) if words == ["make", "demo"] else run(words)


def excerpt(summary: str) -> str:
    """Keep of a night's summary what is the same everywhere: no times, no lists, the run without its hash."""
    kept, judged, _ = summary.partition(" listeners, on days that no model was trained on:")
    return _TIME.sub(lambda time: f"{'x.x s':>{len(time[0])}}", _RUN.sub("xxxxxxxx", f"{kept}{judged}\n..."))


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        README.write_text(rewritten(README.read_text(), demo_in(Path(folder))))
