"""
Examples and outputs in the documents: `make docs` writes what the commands print, a slow test holds it against them.

An example is a line that begins with `recsys --home data/demo/home`. An output stands between
`<!-- output: COMMAND -->` and `<!-- end -->`: that of `recsys --home data/demo/home COMMAND`, of `make demo`, or the
list of benchmarks, on the demo world in a new home. What a command prints as Markdown stands there as it is, all else
between fences.
"""

import ast
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from click.testing import CliRunner

from recsys.cli import main
from recsys.cli.show import tables

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
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
    return [
        shlex.split(line.removeprefix(program), comments=True) for line in text.splitlines() if line.startswith(program)
    ]


def rewritten(text: str, run: Callable[[list[str]], str]) -> str:
    """Put what each command prints between its marks."""

    def printed(found: re.Match[str]) -> str:
        told = _DRAWN.sub(_blurred, run(shlex.split(found["command"])).strip())
        lines = "\n".join(line.rstrip() for line in told.splitlines())
        shown = f"\n{lines}\n" if found["command"].endswith("--markdown") else f"```\n{lines}\n```"
        return f"<!-- output: {found['command']} -->\n{shown}\n<!-- end -->"

    return _OUTPUT.sub(printed, text)


def _blurred(found: re.Match[str]) -> str:
    return found[1] + re.sub(r"\d", "x", found[2])


def run_on(home: str) -> Callable[[list[str]], str]:
    """Return a function that runs a command on a home and returns what it prints."""

    def run(words: list[str]) -> str:
        with patch.object(tables.out, "_width", WIDTH):
            done = CliRunner().invoke(main, ["--home", home, *words])
        if done.exit_code:
            raise SystemExit(f"recsys {shlex.join(words)} failed: {done.output}")
        return done.stdout

    return run


def demo_in(folder: Path) -> Callable[[list[str]], str]:
    """Do in an empty folder what `make demo` does in data/demo; return a function that tells any command's output."""
    run = run_on(str(folder / "home"))
    run(["demo", str(folder)])
    ended = run(["nightly", "--inbox", str(folder / "raw"), "--date", LAST_DAY])

    def printed(words: list[str]) -> str:
        match words:
            case ["make", "demo"]:
                return excerpt(ended)
            case ["benchmarks", "--markdown"]:
                return benchmarks()
        return run(words)

    return printed


def benchmarks() -> str:
    """Return a table of every benchmark's command, and what it measures: the first paragraph of its documentation."""
    rows = []
    for path in sorted((ROOT / "bench").rglob("*.py")):
        text = path.read_text()
        if "\n@benchmark(" in text:
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
            about = " ".join((ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0].split())
            rows.append(f"| `python -m {name}` | {about} |")
    return "\n".join(["| command | what it measures |", "|---|---|", *rows])


def excerpt(summary: str) -> str:
    """Keep of a night's summary what is the same everywhere: no times, no lists, the run without its hash."""
    kept, judged, _ = summary.partition(" listeners, on days that no model was trained on:")
    return _TIME.sub(lambda time: f"{'x.x s':>{len(time[0])}}", _RUN.sub("xxxxxxxx", f"{kept}{judged}\n..."))


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        printed = demo_in(Path(folder))
        for document in DOCUMENTS:
            document.write_text(rewritten(document.read_text(), printed))
