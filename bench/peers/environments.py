"""
Environments of the libraries that do not live with ours: one under .bench/ for each file of pins beside this one.

Made on first use and again when the pins change; torch is pinned to a build for CPUs.
"""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BENCH = ROOT / ".bench"
PYTHON = "python3.11"  # the newest that both libraries install on, and ours runs on


def python_of(name: str) -> Path:
    """
    Return the interpreter of an environment, making it first where it is not there.

    Args:
        name: 'rectools', 'lenskit': that of a file of pins; without such a file, this interpreter itself.

    Raises:
        subprocess.CalledProcessError: An installation failed; what it said stands above.
    """
    pins = HERE / f"{name}.txt"
    if not pins.exists():
        return Path(sys.executable)
    folder = BENCH / name
    made, python = folder / "pins.txt", folder / "bin" / "python"
    if not made.exists() or made.read_text() != pins.read_text():
        _make(folder, pins)
    return python


def installation(name: str) -> str:
    """Say how a library is installed that has an environment of its own."""
    folder = BENCH.relative_to(ROOT) / name
    return (
        f"It needs an environment of its own: {PYTHON} -m venv {folder} && {folder}/bin/pip install -r "
        f"{(HERE / name).relative_to(ROOT)}.txt, then {folder}/bin/python -m ... (bench.recommenders does it by itself)"
    )


def _make(folder: Path, pins: Path) -> None:
    print(f"making {folder} from {pins.name} ...", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    base = shutil.which(PYTHON) or sys.executable
    subprocess.run([base, "-m", "venv", str(folder)], check=True)
    install = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "-r", str(pins)]
    subprocess.run(install, check=True)
    (folder / "pins.txt").write_text(pins.read_text())  # last: an installation that was cut short is made again
