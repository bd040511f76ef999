"""
Virtual environments of peer libraries that conflict with our dependencies, one under .bench/ per file of pins here.

An environment is created on first use and again when its pins change; torch is pinned to a CPU build.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from bench.options import Missing

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BENCH = ROOT / ".bench"
PYTHON = "python3.11"  # the newest version that both libraries and this project support


def python_of(name: str, *, install: bool = True) -> Path:
    """
    Return the Python interpreter of an environment; create the environment if it is missing or outdated.

    Args:
        name: Name of a file of pins ('rectools', 'lenskit'); any other name gives this interpreter.
        install: Create the environment if needed, which downloads its packages.

    Raises:
        Missing: The environment is needed, and may not be created.
        subprocess.CalledProcessError: The installation failed; pip's message is printed above.
    """
    pins = HERE / f"{name}.txt"
    if not pins.exists():
        return Path(sys.executable)
    folder = BENCH / name
    installed, python = folder / "pins.txt", folder / "bin" / "python"
    if not installed.exists() or installed.read_text() != pins.read_text():
        if not install:
            raise Missing(installation(name))
        _create(folder, pins)
    return python


def installation(name: str) -> str:
    """Return the sentence that says how to install a library that has an environment of its own."""
    folder = BENCH.relative_to(ROOT) / name
    return (
        f"It needs an environment of its own: {PYTHON} -m venv {folder} && {folder}/bin/pip install -r "
        f"{(HERE / name).relative_to(ROOT)}.txt, then {folder}/bin/python -m ... (a comparison does this itself)"
    )


def _create(folder: Path, pins: Path) -> None:
    print(f"creating {folder} from {pins.name} ...", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    base = shutil.which(PYTHON) or sys.executable
    subprocess.run([base, "-m", "venv", str(folder)], check=True)
    install = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "-r", str(pins)]
    subprocess.run(install, check=True)
    (folder / "pins.txt").write_text(pins.read_text())  # last, so that an interrupted installation is repeated
