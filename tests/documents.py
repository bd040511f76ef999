"""
Examples and command outputs in the documents: `make docs` updates outputs, a slow test checks that they are current.

An example is a line that begins with `recsys --home data/demo/home`. An output is the text between
`<!-- output: COMMAND -->` and `<!-- end -->`: what `recsys --home data/demo/home COMMAND` or `make demo` prints on the
demo world in a new home, or the list of benchmarks. Markdown output is included unchanged; other output is put in a
code block.
"""

import ast
import inspect
import re
import shlex
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_type_hints
from unittest.mock import patch

from click.testing import CliRunner

import recsys.api
from recsys.cli import main
from recsys.cli.show import tables
from recsys.installation.plugins import plugin
from recsys.recipe import SECTIONS
from recsys.recommenders.scorer import scorer_class, scorer_names
from recsys.rerank.base import rule_class, rule_names
from recsys.search.grammar import TERMS, terms
from recsys.settings import describe_type

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
HOME = "data/demo/home"
LAST_DAY = "2026-06-30"
WIDTH = 80
_OUTPUT = re.compile(r"<!-- output: (?P<command>.+?) -->\n.*?<!-- end -->", re.DOTALL)
_VARYING = re.compile(
    r"(marts\.artist_shown\b[^\n\d]*|\d+ (?:tables|kinds of lists), |Labels +)([\d,]+)"
)  # row counts that depend on the lists, and so on the random pseudonymisation key
_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)
_MODULE = re.compile(r"\b(?:collections\.abc|datetime|os|pathlib|recsys\.api\.\w+)\.")
_QUOTED = re.compile(r"'(OpenHome|pl\.DataFrame)'")
_TIME = re.compile(r" *[\d,.]+ s$", re.MULTILINE)
_RUN = re.compile(rf"(?<={LAST_DAY}-)[0-9a-f]{{8}}")


def examples(text: str) -> list[list[str]]:
    """List the arguments of every example that ends by itself, without the program and its --home option."""
    program = f"recsys --home {HOME} "
    commands = [line.removeprefix(program) for line in text.splitlines() if line.startswith(program)]
    return [shlex.split(command, comments=True) for command in commands if not command.startswith("dashboard")]


def rewritten(text: str, run: Callable[[list[str]], str]) -> str:
    """Replace the output of each command in a document by what `run` returns for its arguments."""

    def output(match: re.Match[str]) -> str:
        printed = _VARYING.sub(_masked, run(shlex.split(match["command"])).strip())
        lines = "\n".join(line.rstrip() for line in printed.splitlines())
        block = f"\n{lines}\n" if match["command"].endswith("--markdown") else f"```\n{lines}\n```"
        return f"<!-- output: {match['command']} -->\n{block}\n<!-- end -->"

    return _OUTPUT.sub(output, text)


def _masked(match: re.Match[str]) -> str:
    return match[1] + re.sub(r"\d", "x", match[2])


def run_on(home: str) -> Callable[[list[str]], str]:
    """Return a function that runs a command on a home and returns its output; it exits if the command fails."""

    def run(words: list[str]) -> str:
        with patch.object(tables.out, "_width", WIDTH):
            done = CliRunner().invoke(main, ["--home", home, *words])
        if done.exit_code:
            raise SystemExit(f"recsys {shlex.join(words)} failed: {done.output}")
        return done.stdout

    return run


def demo_in(folder: Path) -> Callable[[list[str]], str]:
    """Run `make demo` in an empty folder; return a function that returns the output of any command on it."""
    run = run_on(str(folder / "home"))
    run(["demo", str(folder)])
    summary = run(["nightly", "--inbox", str(folder / "raw"), "--date", LAST_DAY])

    def printed(words: list[str]) -> str:
        match words:
            case ["make", "demo"]:
                return excerpt(summary)
            case ["benchmarks", "--markdown"]:
                return benchmarks()
            case ["settings", "--markdown"]:
                return settings()
            case ["search", "terms", "--markdown"]:
                return search_terms()
            case ["api", "--markdown"]:
                return python_api()
        return run(words)

    return printed


def benchmarks() -> str:
    """Return a Markdown table of every benchmark's command and the first paragraph of its docstring."""
    rows = []
    for path in sorted((ROOT / "bench").rglob("*.py")):
        text = path.read_text()
        if "\n@benchmark(" in text:
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
            description = " ".join((ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0].split())
            rows.append(f"| `python -m {name}` | {description} |")
    return "\n".join(["| command | what it measures |", "|---|---|", *rows])


def search_terms() -> str:
    """Return a Markdown table of every term of the search: examples and the end of its docstring."""
    rows = []
    for name in terms():
        term = plugin(TERMS, name)
        meaning = " ".join(inspect.cleandoc(term.__doc__ or "").split("\n\n")[-1].split())
        rows.append(f"| {name} | {', '.join(f'`{example}`' for example in term.EXAMPLES)} | {meaning} |")
    return "\n".join(["| term | examples | meaning |", "|---|---|---|", *rows])


def python_api() -> str:
    """Return in Markdown every public name of the Python API with its signature and the summary of its docstring."""
    classes = [getattr(recsys.api, name) for name in recsys.api.__all__ if isinstance(getattr(recsys.api, name), type)]
    blocks = [f"## recsys\n\n{_signed('recsys.open', recsys.open)}", *map(_public_class, classes)]
    return "\n\n".join(blocks)


def _public_class(of: type[Any]) -> str:
    summary = (inspect.getdoc(of) or "").partition("\n\n")[0]
    attributes = [f"- `{_plain(f'{field.name}: {inspect.formatannotation(field.type)}')}`" for field in fields(of)]
    methods = [_signed(name, method) for name, method in vars(of).items() if _is_public(name, method)]
    return "\n\n".join([f"## {of.__name__}", summary, "\n".join(attributes), *methods])


def _is_public(name: str, member: object) -> bool:
    return inspect.isfunction(member) and (not name.startswith("_") or name in {"__len__", "_repr_html_"})


def _signed(name: str, function: Callable[..., Any]) -> str:
    summary = " ".join((inspect.getdoc(function) or "Number of rows.").partition("\n\n")[0].split())
    return f"`{_plain(f'{name}{inspect.signature(function)}')}`\n: {summary}"


def _plain(signature: str) -> str:
    """Return a signature without names of modules, and without quotes around types."""
    return _QUOTED.sub(r"\1", _MODULE.sub("", signature))


def settings() -> str:
    """Return a Markdown table per section of a recipe: each setting's default, type and range, and meaning."""
    classes = {
        **SECTIONS,
        **{f"rerank.{name}": rule_class(name) for name in rule_names()},
        **{f"recommenders.{name}": scorer_class(name).config_class for name in scorer_names()},
    }
    return "\n\n".join(_section(name, settings_class) for name, settings_class in classes.items())


def _section(name: str, settings_class: type[Any]) -> str:
    types, text = get_type_hints(settings_class, include_extras=True), inspect.getdoc(settings_class) or ""
    meanings = {found[1]: " ".join(found[2].split()) for found in _ATTRIBUTE.finditer(text.partition("Attributes:")[2])}
    defaults, summary = vars(settings_class()), " ".join(text.split("\n\n")[0].split())
    head = [f"## [{name}]", "", summary, "", "| setting | default | allowed | meaning |", "|---|---|---|---|"]
    rows = [
        f"| `{name}` | `{defaults[name]!r}` | {describe_type(types[name])} | {meanings.get(name, summary)} |"
        for name in (field.name for field in fields(settings_class))
    ]
    return "\n".join([*head, *rows])


def excerpt(summary: str) -> str:
    """Cut a nightly run's summary before its metrics, and mask times and the hash of the run id, which vary."""
    kept, evaluated, _ = summary.partition(" listeners, on days after those used for training:")
    return _TIME.sub(lambda time: f"{'x.x s':>{len(time[0])}}", _RUN.sub("xxxxxxxx", f"{kept}{evaluated}\n..."))


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        printed = demo_in(Path(folder))
        for document in DOCUMENTS:
            document.write_text(rewritten(document.read_text(), printed))
