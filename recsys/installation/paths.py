"""
What is installed here: where SQL and dashboards lie, and which commit the code is.

In a checkout `sql/` and `dashboards/` lie beside the package; a wheel carries them inside of it, in `_bundled`, where
`setup.py` puts them with the commit. Standard library alone: `setup.py` runs this file before anything is installed.
"""

from pathlib import Path

PACKAGE = Path(__file__).parents[1]
BUNDLED = PACKAGE / "_bundled"
ROOT = BUNDLED if BUNDLED.is_dir() else PACKAGE.parent
SQL_FOLDER = ROOT / "sql"
DASHBOARDS = ROOT / "dashboards"
COMMIT_FILE = "commit.txt"  # in ROOT, of what was built: a wheel, an unpacked sdist


def code_files() -> list[Path]:
    """List the modules of the package and the SQL that they ask, the same ones in a checkout and in a wheel."""
    modules = sorted(path for path in PACKAGE.rglob("*.py") if not path.is_relative_to(BUNDLED))
    return modules + sorted((SQL_FOLDER / "internal").glob("*.sql"))


def commit() -> str | None:
    """Return the commit that this code was built or checked out from, `-dirty` behind it where files differ from it."""
    written = ROOT / COMMIT_FILE
    return written.read_text(encoding="utf-8").strip() if written.exists() else _commit_of_checkout()


def _commit_of_checkout() -> str | None:
    """Ask git; None outside of a checkout, which an environment inside another project's checkout is too."""
    from subprocess import CalledProcessError, run  # noqa: PLC0415 - the command line needs it for --version alone

    def git(*words: str) -> str:
        asked = ["git", *words]
        return run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != ROOT.resolve():
            return None
        return git("describe", "--always", "--dirty", "--exclude=*")
    except (OSError, CalledProcessError):
        return None
