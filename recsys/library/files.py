"""
The music files of a folder, and the name of each file in the lake.

A file is identified by its bytes (SHA-256), wherever it is stored. Its name, a track id or an ISRC, states which track
it is; the track is looked up by SQL when the tables are built.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsys.errors import InputError
from recsys.files import is_audio, is_hidden, printable, sha256_of


@dataclass(frozen=True)
class Recording:
    """
    A music file.

    Attributes:
        name: Its name in the lake, by which SQL looks up the track.
        path: Path of the file.
        file: Path relative to the scanned folder, with slashes; bytes that are not UTF-8 are escaped.
        audio_id: SHA-256 of its bytes.
        n_bytes: Size in bytes.
    """

    name: str
    path: Path
    file: str
    audio_id: str
    n_bytes: int


def audio_files(folder: Path) -> list[Path]:
    """List the music files in a folder and its subfolders, sorted, without hidden files; InputError if not a folder."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder. Give the folder that contains the music files")
    paths = (path for path in folder.rglob("*") if is_audio(path) and not is_hidden(path, folder))
    return sorted(path for path in paths if path.is_file())


def recordings(folder: Path) -> list[Recording]:
    """
    List the music files of a folder with their names.

    The name is the file name without its suffix. If several files have the same name, they are named by their path in
    the folder without the suffix; if the paths are equal too (`a.mp3` and `a.wav` in one folder), with the suffix.
    """
    paths = audio_files(folder)
    files = [Path(printable(str(path.relative_to(folder)))) for path in paths]
    names = pl.Series([file.stem for file in files], dtype=pl.String)
    for longer in ([file.with_suffix("").as_posix() for file in files], [file.as_posix() for file in files]):
        names = names.zip_with(~names.is_duplicated(), pl.Series(longer, dtype=pl.String))
    return [
        Recording(name, path, file.as_posix(), sha256_of(path), path.stat().st_size)
        for name, path, file in zip(names, paths, files, strict=True)
    ]
