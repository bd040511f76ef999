"""The music folders that were scanned, stored in the home, and a search for the file of a recording in them."""

from pathlib import Path

from recsys import files
from recsys.home import Home


def remember_folder(home: Home, folder: Path) -> None:
    """Add a folder to the scanned folders of a home."""
    known = _folders(home)
    if folder.absolute() not in known:
        files.write_json(home.music_folders, [*map(str, known), str(folder.absolute())])


def find_recording(home: Home, file: str, audio_id: str) -> Path | None:
    """
    Find the file of a recording in the scanned folders, the most recently added folder first.

    Args:
        home: The home with the list of scanned folders.
        file: Printable path relative to a scanned folder, as in marts.track_audio, or an absolute path.
        audio_id: SHA-256 of its bytes; a file with this path but other bytes is ignored.

    Returns:
        Path of the file; None if it no longer exists.
    """
    folders, names = (Path("/"), *reversed(_folders(home))), {file, files.unescaped(file)}
    paths = (folder / name for folder in folders for name in names)
    return next((path for path in paths if path.is_file() and files.sha256_of(path) == audio_id), None)


def _folders(home: Home) -> list[Path]:
    return [Path(name) for name in files.read_json(home.music_folders)] if home.music_folders.exists() else []
