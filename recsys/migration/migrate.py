"""
Bring a home that an older version of the program has written to the form that this one writes.

`MIGRATIONS` has the steps from each version to the next. A step may be killed at any moment and repeated: it looks for
what is still to be done, changes one file at a time, atomically, and keeps each file as it was under
`<home>/migrations/<from>-to-<to>/`. The new version is written last.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from recsys import files
from recsys.home import VERSION, Home
from recsys.migration.steps import MIGRATIONS


def migrate(home: Home, tell: Callable[[str], None] = lambda _text: None) -> None:
    """
    Run the steps that a home needs; nothing if it has the current form.

    Args:
        home: The home; the caller must hold its lock.
        tell: Called with a sentence before the steps from one version to the next.

    Raises:
        SetupError: A file that a step reads is damaged; the home keeps its version.
    """
    for version in range(home.version, VERSION):
        backup = home.path / "migrations" / f"{version}-to-{version + 1}"
        tell(f"{home.path} is migrated from version {version} to {version + 1}; what changes is kept in {backup}")
        for step in MIGRATIONS[version]:
            step(home, _keeper(home, backup))
        home.write_version(version + 1)


def _keeper(home: Home, backup: Path) -> Callable[[Path], None]:
    """Return a function that copies a file of the home to the backup, unless it is there from an earlier attempt."""

    def keep(path: Path) -> None:
        kept = backup / path.relative_to(home.path)
        if not kept.exists():
            files.write_atomically(kept, lambda partial: shutil.copyfile(path, partial))

    return keep
