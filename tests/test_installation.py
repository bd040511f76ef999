"""Where SQL and dashboards lie, and which commit the code is: in a checkout, in a wheel, and where nobody knows."""

import runpy
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import recsys
from recsys.cli import main
from recsys.installation import paths

ROOT = Path(__file__).parents[1]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of two files in a folder of its own."""
    package = tmp_path / "project" / "recsys"
    package.mkdir(parents=True)
    (package / "installation").mkdir()
    shutil.copy(paths.__file__, package / "installation")
    (package / "home.py").touch()
    return package


def git(folder: Path, *words: str) -> str:
    """What git answers in a folder, whoever has set it up."""
    asked = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *words]
    return subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def read(package: Path) -> dict[str, Any]:
    """What the module finds where it lies."""
    return runpy.run_path(str(package / "installation" / "paths.py"))


def test_a_checkout_is_read_where_it_lies() -> None:
    """SQL and dashboards are the top folders of the repository."""
    assert ROOT / "sql" == paths.SQL_FOLDER
    assert (paths.DASHBOARDS / "app.py").samefile(ROOT / "dashboards" / "app.py")


def test_a_wheel_is_read_from_inside_the_package(package: Path) -> None:
    """What was bundled is found, does not count as code, and tells its commit without git."""
    (package / "_bundled" / "dashboards").mkdir(parents=True)
    (package / "_bundled" / "dashboards" / "app.py").touch()
    (package / "_bundled" / "commit.txt").write_text("0123abc\n")

    found = read(package)

    assert found["SQL_FOLDER"] == package / "_bundled" / "sql"
    assert [path.name for path in found["code_files"]()] == ["home.py", "paths.py"]
    assert found["commit"]() == "0123abc"


def test_a_checkout_asks_git_for_its_commit(package: Path) -> None:
    """The commit's hash, and `-dirty` behind it once a file was changed."""
    git(package.parent, "init", "-q")
    git(package.parent, "add", ".")
    git(package.parent, "commit", "-qm", "first")
    git(package.parent, "tag", "-a", "v1", "-m", "a tag is no commit")
    head = git(package.parent, "rev-parse", "--short", "HEAD")
    clean = read(package)["commit"]()
    (package / "home.py").write_text("changed = True\n")

    assert clean == head
    assert read(package)["commit"]() == f"{head}-dirty"


def test_another_projects_commit_is_not_ours(package: Path) -> None:
    """An environment often lies inside the checkout of something else."""
    git(package.parents[1], "init", "-q")
    git(package.parents[1], "add", ".")
    git(package.parents[1], "commit", "-qm", "somebody else's")

    assert read(package)["commit"]() is None


@pytest.mark.parametrize(
    ("found", "told"),
    [("0123abc", "commit 0123abc"), ("0123abc-dirty", "commit 0123abc, modified"), (None, "unknown commit")],
)
def test_version_tells_the_commit(monkeypatch: pytest.MonkeyPatch, found: str | None, told: str) -> None:
    """Version, commit, and whether the code differs from it."""
    monkeypatch.setattr("recsys.cli.commit", lambda: found)

    assert CliRunner().invoke(main, ["--version"]).output == f"recsys {recsys.__version__}, {told}\n"


def test_help_asks_no_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only --version looks the commit up."""
    monkeypatch.setattr("recsys.cli.commit", lambda: pytest.fail("git was asked"))

    assert CliRunner().invoke(main, ["--help"]).exit_code == 0


def test_package_and_pyproject_tell_the_same_version() -> None:
    """The one is printed by --version, the other names the wheel."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert told["project"]["version"] == recsys.__version__
