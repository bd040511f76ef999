"""Paths of SQL and dashboards, and the commit of the code: in a checkout, in a wheel, and where it is unknown."""

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

ROOT = Path(__file__).parents[2]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package with two files, in a folder of its own."""
    package = tmp_path / "project" / "recsys"
    package.mkdir(parents=True)
    (package / "installation").mkdir()
    shutil.copy(paths.__file__, package / "installation")
    (package / "home.py").touch()
    return package


def git(folder: Path, *arguments: str) -> str:
    """The output of git in a folder, independent of the machine's git settings."""
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def read(package: Path) -> dict[str, Any]:
    """The variables of `paths.py` when it is run from this package."""
    return runpy.run_path(str(package / "installation" / "paths.py"))


def test_a_checkout_uses_the_folders_of_the_repository() -> None:
    """SQL and dashboards are top-level folders of the repository."""
    assert ROOT / "sql" == paths.SQL_FOLDER
    assert (paths.DASHBOARDS / "app.py").samefile(ROOT / "dashboards" / "app.py")


def test_a_wheel_uses_the_bundled_folders(package: Path) -> None:
    """Bundled files are found, do not count as code, and give the commit without git."""
    (package / "_bundled" / "dashboards").mkdir(parents=True)
    (package / "_bundled" / "dashboards" / "app.py").touch()
    (package / "_bundled" / "commit.txt").write_text("0123abc\n")

    module = read(package)

    assert module["SQL_FOLDER"] == package / "_bundled" / "sql"
    assert [path.name for path in module["code_files"]()] == ["home.py", "paths.py"]
    assert module["commit"]() == "0123abc"


def test_a_checkout_asks_git_for_its_commit(package: Path) -> None:
    """The short hash of the commit, with `-dirty` once a file was changed."""
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
    """A virtual environment is often inside the checkout of another project; the commit is then unknown."""
    git(package.parents[1], "init", "-q")
    git(package.parents[1], "add", ".")
    git(package.parents[1], "commit", "-qm", "somebody else's")

    assert read(package)["commit"]() is None


@pytest.mark.parametrize(
    ("commit", "shown"),
    [("0123abc", "commit 0123abc"), ("0123abc-dirty", "commit 0123abc, modified"), (None, "unknown commit")],
)
def test_version_names_the_commit(monkeypatch: pytest.MonkeyPatch, commit: str | None, shown: str) -> None:
    """`recsys --version` prints the version, the commit, and whether the code differs from it."""
    monkeypatch.setattr("recsys.cli.commit", lambda: commit)

    assert CliRunner().invoke(main, ["--version"]).output == f"recsys {recsys.__version__}, {shown}\n"


def test_help_does_not_run_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only --version looks up the commit."""
    monkeypatch.setattr("recsys.cli.commit", lambda: pytest.fail("git was run"))

    assert CliRunner().invoke(main, ["--help"]).exit_code == 0


def test_package_and_pyproject_have_the_same_version() -> None:
    """--version prints the version of the package; the wheel is named by that of pyproject.toml."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert pyproject["project"]["version"] == recsys.__version__
