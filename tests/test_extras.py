"""What is not installed is told as what to install, by every command, from one table that agrees with pyproject."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from recsys.cli import main
from recsys.errors import SetupError
from recsys.installation import extras
from recsys.reports.markdown import escaped

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAME = re.compile(r"[\w.-]+")
# A line for every command: what it is asked, and the extra without which it cannot answer.
ASKED = {
    "ingest no.csv": None,
    "audio scan .": "audio",
    "audio train . encoder": "audio",
    "build": None,
    "takedown trk_1": None,
    "train": None,
    "evaluate": None,
    "tune als": None,
    "simulate": "reports",
    "recommend": None,
    "export": None,
    "nightly --inbox nowhere": None,
    "sql select": None,
    "query": None,
    "describe": None,
    "find love": None,
    "similar trk_1": "audio",
    "match mix.mp3": "audio",
    "product": None,
    "explain anna trk_1": None,
    "runs": None,
    "rollback run": None,
    "prune": None,
    "doctor": None,
    "dashboard": "dashboards",
    "demo world --scale 0.05": None,
}
WITHOUT = """
import json, sys
sys.modules.update(dict.fromkeys(json.loads(sys.argv[1])))  # importing one of them raises ModuleNotFoundError
from click.testing import CliRunner
from recsys.cli import main
for words in json.loads(sys.argv[2]):
    shown = CliRunner().invoke(main, ["--home", "home", *words.split()])
    is_bug = shown.exception is not None and not isinstance(shown.exception, SystemExit)
    print(json.dumps([words, shown.exit_code, repr(shown.exception) if is_bug else shown.stderr]))
"""


def named(requirements: list[str]) -> set[str]:
    """The distributions that requirements name, in the spelling of `packages_distributions`."""
    return {canonical(found[0]) for each in requirements if (found := NAME.match(each))}


def canonical(distribution: str) -> str:
    """One spelling of a name that may be written with dashes, dots or underlines."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def brought_by(requirements: list[str]) -> set[str]:
    """The top modules that the distributions of these requirements bring; those not installed are left out."""
    wanted = named(requirements)
    return {
        module
        for module, distributions in packages_distributions().items()
        if wanted & {canonical(each) for each in distributions}
    }


def imported() -> Iterator[str]:
    """The top module of every import in recsys and dashboards."""
    for path in [*(ROOT / "recsys").rglob("*.py"), *(ROOT / "dashboards").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield str(node.module).partition(".")[0]


def test_the_table_agrees_with_pyproject() -> None:
    """A module comes with the extra that the table names, and every distribution of an extra has a module there."""
    optional = {name: PROJECT["optional-dependencies"][name] for name in ("audio", "dashboards", "reports", "spark")}
    for extra, requirements in optional.items():
        modules = {module for module, of in extras.EXTRAS.items() if of == extra}
        installed = brought_by(requirements)
        assert len(modules) == len(requirements)
        assert modules <= installed | {"pyspark"}  # no test needs Spark, so it may not be installed


def test_every_import_is_brought_by_a_dependency_or_an_extra() -> None:
    """So nothing that a base install lacks can be missing without the command that installs it."""
    ours = {"recsys", "dashboards"}
    known = brought_by(PROJECT["dependencies"]) | extras.EXTRAS.keys() | extras.NO_DEPS.keys()

    assert set(imported()) - set(sys.stdlib_module_names) - ours - known == set()


def test_what_is_installed_without_dependencies_is_what_make_installs() -> None:
    """The versions in the messages are those of the Makefile."""
    line = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("NO_DEPS :="))

    assert set(line.removeprefix("NO_DEPS :=").split()) == set(extras.NO_DEPS.values())


def test_all_is_every_extra_of_a_user_but_spark() -> None:
    """`recsys[all]` names the others, so none is declared twice."""
    optional = PROJECT["optional-dependencies"]

    assert optional["all"] == [f"recsys[{','.join(sorted(optional.keys() - {'all', 'dev', 'spark'}))}]"]


def test_one_message_says_all_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every missing module, each extra once, and what pip must install without its dependencies in its own command."""
    for module in ("av", "soundfile", "matplotlib", "tinysoundfont"):
        monkeypatch.setitem(sys.modules, module, None)

    told = extras.lacking("av", "tinysoundfont", "click", "soundfile", "matplotlib")

    assert told == (
        "Not installed, but needed for this: av, tinysoundfont, soundfile, matplotlib. Install with: "
        "pip install 'recsys[audio,reports]' && pip install --no-deps tinysoundfont==0.3.7"
    )
    assert extras.lacking("click") is None


def test_a_missing_module_that_no_extra_brings_is_a_bug() -> None:
    """Only what an installation may lack is told as a message; the rest keeps its traceback."""
    with pytest.raises(SetupError, match=r"pip install 'recsys\[audio\]'"), extras.explain_missing():
        raise ModuleNotFoundError(name="faiss.contrib")
    with pytest.raises(ModuleNotFoundError), extras.explain_missing():
        raise ModuleNotFoundError(name="recsys.misspelt")


def test_a_report_is_refused_before_the_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A long mix is not listened through for a page that cannot be drawn, nor music heard for weights that lack."""
    for module in ("matplotlib", "musicnn"):
        monkeypatch.setitem(sys.modules, module, None)
    home = ["--home", str(tmp_path)]

    report = CliRunner().invoke(main, [*home, "match", "no_such_mix.mp3", "--report", "html"])
    training = CliRunner().invoke(main, [*home, "audio", "train", "no_such_folder", "encoder"])

    assert (report.exit_code, training.exit_code) == (3, 3)
    assert "pip install 'recsys[reports]'" in report.stderr
    assert "pip install --no-deps musicnn==0.1.0" in training.stderr


def test_a_page_says_what_is_missing() -> None:
    """The rest of the page is shown, and the message in place of what needs the extra."""

    def page() -> None:
        import streamlit as st  # noqa: PLC0415 - a page is a script

        from dashboards import parts  # noqa: PLC0415

        def needs_an_extra() -> None:
            raise ModuleNotFoundError(name="faiss")

        parts.attempt(needs_an_extra)
        st.markdown("the rest")

    shown = AppTest.from_function(page).run()

    assert escaped("pip install 'recsys[audio]'") in shown.error[0].value
    assert [each.value for each in shown.markdown] == ["the rest"]


def leaves(group: click.Group, before: str = "") -> Iterator[str]:
    """The words that call each command."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, f"{before}{name} ")
        else:
            yield f"{before}{name}"


@pytest.mark.slow
def test_every_command_of_a_base_install_answers_or_says_which_extra_it_needs(tmp_path: Path) -> None:
    """No command ends in a traceback, whichever packages are missing; most need none of them."""
    assert {name for name in leaves(main) if not any(f"{words} ".startswith(f"{name} ") for words in ASKED)} == set()
    lacking = json.dumps([*extras.EXTRAS, *extras.NO_DEPS])

    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT, lacking, json.dumps(list(ASKED))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    for line in ran.stdout.splitlines():
        words, status, told = json.loads(line)
        extra = ASKED[words]
        assert "Error(" not in told, f"{words}: {told}"
        if words.startswith("demo"):
            assert (status, "This world has no recordings" in told) == (0, True)
        else:
            assert ("Not installed" in told) == (extra is not None), f"{words}: {told}"
            assert extra is None or (status, f"pip install 'recsys[{extra}]'" in told) == (3, True)
    assert len(ran.stdout.splitlines()) == len(ASKED)
    assert (tmp_path / "world/raw/tracks.jsonl.gz").exists()
