"""What pyproject.toml cannot say: SQL and dashboards travel inside the package, and what is built knows its commit."""

import runpy
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

INSTALLATION = runpy.run_path(str(Path(__file__).parent / "recsys" / "installation" / "paths.py"))


def _write_commit(folder: Path) -> None:
    if commit := INSTALLATION["commit"]():
        (folder / INSTALLATION["COMMIT_FILE"]).write_text(f"{commit}\n", encoding="utf-8")


class BuildPackage(build_py):
    """Builds the package with what lies beside it in a checkout; an editable install reads the checkout itself."""

    def run(self) -> None:
        """Build, with nothing left of an earlier build: SQL files and modules are found by walking their folders."""
        if self.editable_mode:
            super().run()
            return
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        bundled = Path(self.build_lib) / INSTALLATION["BUNDLED"].relative_to(INSTALLATION["PACKAGE"].parent)
        for folder in (INSTALLATION["SQL_FOLDER"], INSTALLATION["DASHBOARDS"]):
            shutil.copytree(folder, bundled / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
        _write_commit(bundled)


class SourceArchive(sdist):
    """Writes the commit beside `pyproject.toml`, where no git can be asked any more."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Copy the files, then write the commit."""
        super().make_release_tree(base_dir, files)
        _write_commit(Path(base_dir))


setup(cmdclass={"build_py": BuildPackage, "sdist": SourceArchive})
