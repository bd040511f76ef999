"""A private copy of a checkout, in which files are replaced and tests are run."""

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

STUCK_S = 3600  # a run that neither ends nor computes is stopped
TIME_IS_UP = {124, 137, 152}  # exit statuses of `timeout`, and of what used up its seconds of CPU
PLUGIN = "faultplugin"


@dataclass(frozen=True)
class Copy:
    """
    A copy.

    Attributes:
        checkout: What was copied; never written.
        folder: Where the copy stands.
        under: Words before each run of pytest, such as `nice`.
    """

    checkout: Path
    folder: Path
    under: tuple[str, ...] = ()
    _faulted: set[str] = field(default_factory=set)

    @classmethod
    def make(cls, checkout: Path, folder: Path, under: Sequence[str] = ()) -> "Copy":
        """Copy what git knows of a checkout, edits not yet committed too."""
        listed = ["git", "-C", str(checkout), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split("\0")
        for name in names:
            if name and (checkout / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(checkout / name, folder / name)
        shutil.copy2(Path(__file__).with_name("plugin.py"), folder / f"{PLUGIN}.py")
        return cls(checkout, folder, tuple(under))

    def write(self, file: str, text: str) -> None:
        """Replace a file; what Python compiled of it before is dropped, for it tells changes by the second."""
        path = self.folder / file
        path.write_text(text, encoding="utf-8")
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)

    def lay(self, faults: Sequence[Fault]) -> None:
        """Put these faults in, and take out any others; raises FaultIsGoneError."""
        for file in self._faulted:
            self.write(file, (self.checkout / file).read_text(encoding="utf-8"))
        self._faulted.clear()
        for fault in faults:
            text = fault.faulted(self.folder)
            self._faulted.add(fault.file)
            self.write(fault.file, text)

    def pytest(self, arguments: Sequence[str], reports: Path, limit_s: float | None, tests: Sequence[str] = ()) -> int:
        """Run tests in the copy, only these where some are named, within seconds of CPU; returns the exit status."""
        with TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as scratch:
            chosen = Path(scratch) / "tests.json"
            chosen.write_text(json.dumps(tests), encoding="utf-8")  # some ids are no arguments that pytest can read
            files = dict.fromkeys(test.partition("::")[0] for test in tests)
            own = {"PYTHONPATH": str(self.folder), "TMPDIR": scratch, "FAULTS_TESTS": str(chosen)}
            own["FAULTS_REPORTS"] = str(reports.absolute())
            by_cpu = (
                ["prlimit", f"--cpu={round(limit_s)}"] if limit_s else []
            )  # on a busy machine a clock would be unfair
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
