"""
The README's examples: run them, and write what they print. `make readme` rewrites README.md; a test runs each one.

An example is a line that begins with `recsys --home data/demo/home`; an output stands between
`<!-- output: COMMAND -->` and `<!-- end -->` and is that of `recsys --home data/demo/home COMMAND`.
"""

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from recsys.cli import main

README = Path(__file__).parents[1] / "README.md"
HOME = "data/demo/home"
_OUTPUT = re.compile(r"<!-- output: (?P<command>.+?) -->\n.*?<!-- end -->", re.DOTALL)


def examples(text: str) -> list[list[str]]:
    """List the arguments of every example, without the program and its home."""
    program = f"recsys --home {HOME} "
    return [shlex.split(line.removeprefix(program)) for line in text.splitlines() if line.startswith(program)]


def rewritten(text: str, run: Callable[[list[str]], str]) -> str:
    """Put what each command prints between its marks."""

    def printed(found: re.Match[str]) -> str:
        lines = "\n".join(line.rstrip() for line in run(shlex.split(found["command"])).rstrip().splitlines())
        return f"<!-- output: {found['command']} -->\n```\n{lines}\n```\n<!-- end -->"

    return _OUTPUT.sub(printed, text)


def run_on(home: str) -> Callable[[list[str]], str]:
    """Return a function that runs a command on a home and returns what it prints."""

    def run(words: list[str]) -> str:
        done = CliRunner().invoke(main, ["--home", home, *words], env={"COLUMNS": "110"})
        if done.exit_code:
            raise SystemExit(f"recsys {shlex.join(words)} failed: {done.output}")
        return done.stdout

    return run


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(), run_on(sys.argv[1] if len(sys.argv) > 1 else HOME)))
