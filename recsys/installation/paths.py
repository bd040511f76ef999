"""
Paths of the installed project (package, SQL, dashboards) and the commit of its code.

In a checkout, `sql/` and `dashboards/` are beside the package. In a wheel they are inside it, in `_bundled`, where
`setup.py` copies them together with the commit. This file imports the standard library only, because `setup.py` runs it
before anything is installed.
"""

from pathlib import Path

PACKAGE = Path(__file__).parents[1]
BUNDLED = PACKAGE / "_bundled"
ROOT = BUNDLED if BUNDLED.is_dir() else PACKAGE.parent
SQL_FOLDER = ROOT / "sql"
DASHBOARDS = ROOT / "dashboards"
COMMIT_FILE = "commit.txt"  # in ROOT of a wheel or an unpacked sdist


def code_files() -> list[Path]:
    """List the Python modules and internal SQL files of the package; a checkout and a wheel have the same ones."""
    modules = sorted(path for path in PACKAGE.rglob("*.py") if not path.is_relative_to(BUNDLED))
    return modules + sorted((SQL_FOLDER / "internal").glob("*.sql"))


def commit() -> str | None:
    """Return the commit that the code was built or checked out from, with `-dirty` if files differ; None if unknown."""
    file = ROOT / COMMIT_FILE
    return file.read_text(encoding="utf-8").strip() if file.exists() else _commit_of_checkout()


def _commit_of_checkout() -> str | None:
    """Return the commit from git; None outside a checkout of this project, even inside that of another project."""
    from subprocess import CalledProcessError, run  # noqa: PLC0415 - only `recsys --version` needs it

    def git(*arguments: str) -> str:
        command = ["git", *arguments]
        return run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != ROOT.resolve():
            return None
        return git("describe", "--always", "--dirty", "--exclude=*")
    except (OSError, CalledProcessError):
        return None
