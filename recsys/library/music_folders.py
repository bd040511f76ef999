"""Where the music that was scanned lies on this machine: the home remembers the folders, files may have moved since."""

from pathlib import Path

from recsys import files
from recsys.home import Home


def remember_folder(home: Home, folder: Path) -> None:
    """Note that a folder was scanned."""
    known = _folders(home)
    if folder.absolute() not in known:
        files.write_json(home.music_folders, [*map(str, known), str(folder.absolute())])


def find_recording(home: Home, file: str, audio_id: str) -> Path | None:
    """
    Find the file of a recording.

    Args:
        home: Remembers which folders were scanned.
        file: Its way from the folder (marts.track_audio), or from the root.
        audio_id: SHA-256 of its bytes: another file of that name does not count.

    Returns:
        None where it is not there any more.
    """
    paths = (folder / file for folder in (Path("/"), *reversed(_folders(home))))
    return next((path for path in paths if path.is_file() and files.sha256_of(path) == audio_id), None)


def _folders(home: Home) -> list[Path]:
    return [Path(each) for each in files.read_json(home.music_folders)] if home.music_folders.exists() else []
