"""What runs the commands elsewhere: image, compose file, units and orchestrators name commands and files that exist."""

import ast
import json
import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import msgspec
import pytest

from recsys.cli import main

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMMANDS = {*main.commands, "serve"}
MOST_EXPOSED = 2.0  # of systemd-analyze security, 0 (best) to 10; below 2 it says "OK"


def instructions() -> list[list[str]]:
    """Return the instructions of the Dockerfile as words."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [line.split() for line in text.splitlines() if line.strip()]


def test_the_image_is_pinned_small_and_not_run_by_root() -> None:
    """Base images have a version, .dockerignore lets through what is copied, and the user is a number."""
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = [words[1:-1] for words in instructions() if words[0] == "COPY" and "--from=build" not in words]

    assert all(re.search(r":\d+\.\d+\.\d+-", words[1]) for words in instructions() if words[0] == "FROM")
    assert {name for names in copied for name in names} == allowed
    assert all((ROOT / name).exists() for name in allowed)
    assert "*" in ignored
    assert [words[1] for words in instructions() if words[0] == "USER"] == ["10001"]
    assert json.loads(" ".join(instructions()[-1][1:]))[0] in COMMANDS


def test_containers_have_no_rights_and_listen_on_this_machine() -> None:
    """Every service of the compose file runs a command that exists, without capabilities, on loopback ports."""
    services = msgspec.yaml.decode((ROOT / "compose.yaml").read_text())["services"]

    assert sorted(services) == ["dashboards", "night", "service"]
    for service in services.values():
        assert service["command"][0] in COMMANDS
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert "privileged" not in service
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_runs_a_command_with_few_rights(path: Path) -> None:
    """Checked by systemd's own measure of exposure, where systemd is installed, and the lines that matter most."""
    unit = RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(path)

    assert unit["Service"]["ExecStart"].split()[1] in COMMANDS
    assert unit["Service"]["User"] != "root"
    assert unit["Service"]["ProtectSystem"] == "strict"
    if program := shutil.which("systemd-analyze"):
        words = [program, "security", "--offline=true", "--threshold", str(int(10 * MOST_EXPOSED)), str(path)]
        assert subprocess.run(words, capture_output=True, check=False).returncode == 0


def test_the_night_is_repeated_only_where_that_helps() -> None:
    """Unit and orchestrators leave exit codes 2 (data) and 4 (gate) alone, and repeat the others."""
    assert "RestartPreventExitStatus=2 4\n" in (DEPLOY / "systemd" / "recsys-nightly.service").read_text()
    for path in sorted(DEPLOY.glob("*_nightly.py")):
        compared = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Compare)]
        assert [ast.literal_eval(node.comparators[0]) for node in compared] == [(2, 4)]
