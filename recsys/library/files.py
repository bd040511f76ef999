"""
A folder of music: which files it holds, what they are called in the lake, and what they are.

A file is what its bytes are (SHA-256), wherever it lies; its name says which recording it is, by track id or ISRC.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsys.errors import InputError
from recsys.files import is_audio, is_hidden, sha256_of


@dataclass(frozen=True)
class Recording:
    """
    A file of music.

    Attributes:
        name: What the lake calls it, until SQL finds out which track is meant.
        path: Where it lies.
        file: Its way from the folder that is scanned.
        audio_id: SHA-256 of its bytes.
        n_bytes: Its size.
    """

    name: str
    path: Path
    file: str
    audio_id: str
    n_bytes: int


def audio_files(folder: Path) -> list[Path]:
    """List the music in a folder and the folders in it, in name order; what is hidden is left out."""
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder. Give the folder that the music lies in")
    found = (path for path in folder.rglob("*") if is_audio(path) and not is_hidden(path, folder))
    return sorted(path for path in found if path.is_file())


def recordings(folder: Path) -> list[Recording]:
    """
    Name the files of a folder by what they are called without their ending.

    Where several files have one name, each is named by its way from the folder; `a.mp3` and `a.wav` in one folder keep
    their endings.
    """
    files = [path.relative_to(folder) for path in audio_files(folder)]
    names = pl.Series([file.stem for file in files], dtype=pl.String)
    for longer in ([file.with_suffix("").as_posix() for file in files], [file.as_posix() for file in files]):
        names = names.zip_with(~names.is_duplicated(), pl.Series(longer, dtype=pl.String))
    return [
        Recording(name, folder / file, file.as_posix(), sha256_of(folder / file), (folder / file).stat().st_size)
        for name, file in zip(names, files, strict=True)
    ]
