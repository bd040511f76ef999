"""
Copies of ingested files: raw personal data, off by default, outside of the home, deleted after some days.

    <archive>/ingested=YYYY-MM-DD/<start of the SHA-256>-<name>
"""

import shutil
from datetime import date, timedelta
from pathlib import Path

from recsys import files
from recsys.errors import BadRecipe
from recsys.home import Home
from recsys.ingest.settings import IngestSettings

_DAY = "ingested="
_SHORT = 12  # characters of the SHA-256 in the name of a copy


def archive_of(home: Home, settings: IngestSettings) -> Path | None:
    """Return the folder of the copies; None if none are kept; raises BadRecipe if it is not outside of the home."""
    if not settings.archive:
        return None
    folder = Path(settings.archive)
    if not folder.is_absolute() or folder.resolve().is_relative_to(home.path.resolve()):
        raise BadRecipe(
            f"[ingest] archive: found {settings.archive!r}, expected an absolute path outside of {home.path}: copies "
            "of ingested files are raw personal data, and do not belong into the home and its backups"
        )
    return folder


def keep_copy(archive: Path, path: Path, sha256: str, today: date) -> None:
    """Copy a file to the archive, readable by its owner only."""
    archive.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = archive / f"{_DAY}{today}"
    folder.mkdir(exist_ok=True, mode=0o700)
    files.write_atomically(folder / f"{sha256[:_SHORT]}-{path.name}", lambda copy: _copy(path, copy))


def _copy(path: Path, copy: Path) -> None:
    copy.touch(mode=0o600)
    shutil.copyfile(path, copy)


def delete_old_copies(archive: Path, today: date, days: int) -> None:
    """Delete the copies of files that were ingested more than some days ago; nothing else in the folder is touched."""
    for folder in archive.glob(f"{_DAY}*"):
        try:
            ingested_on = date.fromisoformat(folder.name.removeprefix(_DAY))
        except ValueError:
            continue
        if ingested_on < today - timedelta(days=days):
            files.remove(folder)


def delete_copies(archive: Path, sources: set[str]) -> int:
    """Delete the copies of files, given by SHA-256; return how many there were."""
    starts = {sha256[:_SHORT] for sha256 in sources}
    copies = [path for path in archive.glob(f"{_DAY}*/*") if path.name[:_SHORT] in starts]
    for path in copies:
        files.remove(path)
    return len(copies)
