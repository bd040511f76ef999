"""A private copy of a checkout, in which faults are applied and tests are run."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.faults.fault import Fault

STUCK_S = 3600  # wall time after which a stuck run is stopped
TIMED_OUT = {124, 137, 152}  # exit statuses of `timeout`, and of a process that used up its CPU seconds
PLUGIN = "faultplugin"


@dataclass(frozen=True)
class Copy:
    """
    A copy of a checkout.

    Attributes:
        checkout: The original; never written.
        folder: Folder of the copy.
        under: Command that each run of pytest is started with, such as `nice`.
    """

    checkout: Path
    folder: Path
    under: tuple[str, ...] = ()
    _faulted: set[str] = field(default_factory=set)

    @classmethod
    def make(cls, checkout: Path, folder: Path, under: Sequence[str] = ()) -> "Copy":
        """Copy all files of a checkout that git does not ignore, with uncommitted edits."""
        listed = ["git", "-C", str(checkout), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split("\0")
        for name in names:
            if name and (checkout / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(checkout / name, folder / name)
        shutil.copy2(Path(__file__).with_name("plugin.py"), folder / f"{PLUGIN}.py")
        return cls(checkout, folder, tuple(under))

    def write(self, file: str, text: str) -> None:
        """Replace a file and delete its .pyc file: Python detects changes only to the second."""
        path = self.folder / file
        path.write_text(text, encoding="utf-8")
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)

    def apply(self, faults: Sequence[Fault]) -> None:
        """Apply these faults and remove all others; raises FaultIsGoneError."""
        for file in self._faulted:
            self.write(file, (self.checkout / file).read_text(encoding="utf-8"))
        self._faulted.clear()
        for fault in faults:
            text = fault.faulted(self.folder)
            self._faulted.add(fault.file)
            self.write(fault.file, text)

    def pytest(self, arguments: Sequence[str], reports: Path, limit_s: float | None, tests: Sequence[str] = ()) -> int:
        """
        Run tests in the copy.

        Args:
            arguments: Arguments of pytest.
            reports: File that the plugin appends its reports to.
            limit_s: CPU seconds after which the run is stopped; None for no limit.
            tests: Ids of the tests to run, in this order; all if empty.

        Returns:
            The exit status of pytest, or one of TIMED_OUT.
        """
        with TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as scratch:
            chosen = Path(scratch) / "tests.json"
            chosen.write_text(json.dumps(tests), encoding="utf-8")  # pytest cannot take every id as an argument
            files = dict.fromkeys(test.partition("::")[0] for test in tests)
            own = {"PYTHONPATH": str(self.folder), "TMPDIR": scratch, "FAULTS_TESTS": str(chosen)}
            own["FAULTS_REPORTS"] = str(reports.absolute())
            by_cpu = (
                ["prlimit", f"--cpu={round(limit_s)}"] if limit_s else []
            )  # wall time would depend on what else runs
            limited = ["timeout", "--kill-after=5", str(STUCK_S), *by_cpu] if limit_s else []
            options = ["-q", "--tb=no", "-p", PLUGIN, "-p", "no:randomly", "-p", "no:cacheprovider", *arguments, *files]
            return subprocess.run(
                [*self.under, *limited, sys.executable, "-m", "pytest", *options],
                cwd=self.folder,
                env=os.environ | own,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            ).returncode
