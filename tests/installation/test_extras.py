"""Every command reports a missing optional package with the command that installs it, from one checked table."""

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

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAME = re.compile(r"[\w.-]+")
# Every command as it is run here -> the extra that it needs.
COMMANDS = {
    "ingest no.csv": None,
    "ingest --undo no_batch": None,
    "quarantine list": None,
    "quarantine show no_batch": None,
    "quarantine replay": None,
    "quarantine drop no_batch": None,
    "audio scan .": "audio",
    "audio train . encoder": "audio",
    "build": None,
    "contracts": None,
    "takedown trk_1": None,
    "train": None,
    "evaluate": None,
    "tune als": None,
    "simulate": "reports",
    "recommend": None,
    "export": None,
    "export-model": None,
    "lists import lists.parquet --name other --until 2026-06-16": None,
    "nightly --inbox nowhere": None,
    "sql select": None,
    "query": None,
    "describe": None,
    "metric": None,
    "find love": None,
    "search love": None,
    "serve": "serve",
    "serve-key add player --scope lists": None,
    "serve-key remove player": None,
    "serve-key list": None,
    "similar trk_1": "audio",
    "match mix.mp3": "audio",
    "same-tune tune.mid": "audio",
    "same-tune take.wav": "audio",
    "compose melody": "audio",
    "compose continue tune.abc": "audio",
    "compose vary tune.abc": "audio",
    "compose chords tune.abc": "audio",
    "compose band tune.abc": "audio",
    "compose like suggestions/1.abc": None,
    "compose train . --mine": "audio",
    "compose lines notes.txt": None,
    "compose texture": "audio",
    "master song.wav": "audio",
    "product": None,
    "next trk_1": None,
    "separate song.wav": "audio,studio",
    "denoise song.wav": "audio,studio",
    "soundtrack run": None,
    "tags train labels.csv": None,
    "tags clusters": None,
    "tune-vocal take.wav --key C": "audio,studio",
    "mix stems": "audio",
    "practise take.wav --score tune.abc": "audio,studio",
    "explain anna trk_1": None,
    "labels audit lb_1": None,
    "labels void lb_1 2026-01-05 2026-01-11": None,
    "labels restart": None,
    "erase anna": None,
    "access anna --out held.json": None,
    "backup copies": None,
    "restore copies": None,
    "notify test": None,
    "notify late": None,
    "state log": None,
    "state backup copy.sqlite": None,
    "state forget anna@example.org": None,
    "report artist ar_1": "reports",
    "report label lb_1": "reports",
    "review list": None,
    "review accept f1": None,
    "review reject f1": None,
    "rights check": None,
    "transparency summary page.html": None,
    "transparency recording trk_1": None,
    "rights royalties 2026-01 --pot 1": None,
    "rights notice list": None,
    "rights notice issue shares_over T0345246801 --to Beta": "reports",
    "rights notice answer 00001 accepted": None,
    "rights statements 2026-01 out --pot 1 --currency EUR": None,
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
for command in json.loads(sys.argv[2]):
    result = CliRunner().invoke(main, ["--home", "home", *command.split()])
    is_bug = result.exception is not None and not isinstance(result.exception, SystemExit)
    print(json.dumps([command, result.exit_code, repr(result.exception) if is_bug else result.stderr]))
"""


def distributions_of(requirements: list[str]) -> set[str]:
    """The canonical names of the distributions in a list of requirements."""
    return {canonical(match[0]) for requirement in requirements if (match := NAME.match(requirement))}


def canonical(distribution: str) -> str:
    """The canonical spelling of a name that may be written with dashes, dots or underscores."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def installed_by(requirements: list[str]) -> set[str]:
    """The top-level modules of these requirements, without those of distributions that are not installed."""
    required = distributions_of(requirements)
    return {
        module
        for module, distributions in packages_distributions().items()
        if required & {canonical(distribution) for distribution in distributions}
    }


def imported() -> Iterator[str]:
    """The top-level module of every import in recsys and dashboards."""
    for path in [*(ROOT / "recsys").rglob("*.py"), *(ROOT / "dashboards").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield str(node.module).partition(".")[0]


def test_the_table_agrees_with_pyproject() -> None:
    """The table has exactly one module for each distribution of an extra, under that extra."""
    optional = {
        name: PROJECT["optional-dependencies"][name]
        for name in ("audio", "dashboards", "onnx", "reports", "serve", "spark", "studio")
    }
    for extra, requirements in optional.items():
        modules = {module for module, of in extras.EXTRAS.items() if of == extra}
        installed = installed_by(requirements)
        assert len(modules) == len(requirements)
        assert modules <= installed | {"pyspark"}  # no test needs Spark, so it may not be installed


def test_every_import_is_of_a_dependency_or_an_extra() -> None:
    """A module that a base install may lack is always reported with the command that installs it."""
    ours = {"recsys", "dashboards"}
    standard = set(sys.stdlib_module_names) | {"compression"}  # of Python 3.14; backported below
    known = installed_by(PROJECT["dependencies"]) | extras.EXTRAS.keys()

    assert set(imported()) - standard - ours - known == set()


def test_all_contains_every_extra_but_dev_and_spark() -> None:
    """`recsys[all]` refers to the other extras by name, so that no requirement is declared twice."""
    optional = PROJECT["optional-dependencies"]

    assert optional["all"] == [f"recsys[{','.join(sorted(optional.keys() - {'all', 'dev', 'spark'}))}]"]


def test_one_message_names_all_missing_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each extra is named once."""
    for module in ("av", "soundfile", "matplotlib"):
        monkeypatch.setitem(sys.modules, module, None)

    message = extras.missing_message("av", "click", "soundfile", "matplotlib")

    assert message == (
        "Not installed, but needed for this: av, soundfile, matplotlib. Install with: "
        "pip install 'recsys[audio,reports]'"
    )
    assert extras.missing_message("click") is None


def test_a_missing_module_of_no_extra_is_a_bug() -> None:
    """Only optional modules are reported by a message; any other import error keeps its traceback."""
    with pytest.raises(SetupError, match=r"pip install 'recsys\[audio\]'"), extras.explain_missing():
        raise ModuleNotFoundError(name="faiss.contrib")
    with pytest.raises(ModuleNotFoundError), extras.explain_missing():
        raise ModuleNotFoundError(name="recsys.misspelt")


def test_a_report_is_refused_before_the_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A command checks for its optional packages before it starts to analyse audio."""
    for module in ("matplotlib", "av"):
        monkeypatch.setitem(sys.modules, module, None)
    home = ["--home", str(tmp_path)]

    report = CliRunner().invoke(main, [*home, "match", "no_such_mix.mp3", "--report", "html"])
    training = CliRunner().invoke(main, [*home, "audio", "train", "no_such_folder", "encoder"])

    assert (report.exit_code, training.exit_code) == (3, 3)
    assert "pip install 'recsys[reports]'" in report.stderr
    assert "pip install 'recsys[audio]'" in training.stderr


def test_a_page_says_what_is_missing() -> None:
    """The message replaces the part of the page that needs the extra; the rest of the page is shown."""

    def page() -> None:
        import streamlit as st  # noqa: PLC0415 - a page is a script

        from dashboards import parts  # noqa: PLC0415

        def needs_an_extra() -> None:
            raise ModuleNotFoundError(name="faiss")

        parts.attempt(needs_an_extra)
        st.markdown("the rest")

    shown = AppTest.from_function(page).run()

    assert escaped("pip install 'recsys[audio]'") in shown.error[0].value
    assert [element.value for element in shown.markdown] == ["the rest"]


def command_names(group: click.Group, prefix: str = "") -> Iterator[str]:
    """The full name of every command, such as 'audio scan'."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from command_names(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}"


@pytest.mark.slow
def test_every_command_of_a_base_install_works_or_names_the_extra_it_needs(tmp_path: Path) -> None:
    """No command ends in a traceback when all optional packages are missing."""
    listed = {name for name in command_names(main) if any(f"{line} ".startswith(f"{name} ") for line in COMMANDS)}
    assert listed == set(command_names(main))
    missing = json.dumps([*extras.EXTRAS])

    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT, missing, json.dumps(list(COMMANDS))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    for line in ran.stdout.splitlines():
        command, status, message = json.loads(line)
        extra = COMMANDS[command]
        assert "Error(" not in message, f"{command}: {message}"
        if command.startswith("demo"):
            assert (status, "The world will have no recordings" in message) == (0, True)
        else:
            assert ("Not installed" in message) == (extra is not None), f"{command}: {message}"
            assert extra is None or (status, f"pip install 'recsys[{extra}]'" in message) == (3, True)
    assert len(ran.stdout.splitlines()) == len(COMMANDS)
    assert (tmp_path / "world/raw/tracks.jsonl.gz").exists()
