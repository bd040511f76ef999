"""
The music files of a folder, and the name of each file in the lake.

A file is identified by its bytes (SHA-256), wherever it is stored. Its name, a track id or an ISRC, states which track
it is; the track is looked up by SQL when the tables are built.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsys.errors import InputError
from recsys.files import is_audio, is_hidden, printable, sha256_of

# Files that lie beside music and are none: pictures, texts, playlists, tables, checksums.
COMPANION_SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *("bmp", "gif", "jpeg", "jpg", "png", "svg", "tif", "tiff", "webp"),
        *("cue", "doc", "docx", "htm", "html", "ini", "log", "lrc", "m3u", "m3u8", "md", "nfo", "pdf", "pls", "rtf"),
        *("csv", "db", "ffp", "json", "lnk", "md5", "parquet", "sfv", "srt", "toml", "tsv", "txt", "url", "vtt"),
        *("xls", "xlsx", "xml", "xspf", "yaml", "yml"),
    )
)


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


def possible_audio(folder: Path) -> list[Path]:
    """
    List the files in a folder and its subfolders that may be audio, sorted, without hidden files.

    These are all but those that commonly lie beside music (`COMPANION_SUFFIXES`): whether the others can be decoded
    turns out when they are read. A link to a file that is gone is listed, too.

    Raises:
        InputError: The path is not a folder.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder. Give the folder that contains the music files")
    paths = (path for path in folder.rglob("*") if not is_hidden(path, folder) and not path.is_dir())
    return sorted(path for path in paths if path.suffix.lower() not in COMPANION_SUFFIXES)


def can_be_opened(path: Path) -> bool:
    """Return whether a path is a file, or a link to one, that this process may read."""
    return path.is_file() and os.access(path, os.R_OK)


def recordings(folder: Path) -> list[Recording]:
    """
    List the music files of a folder with their names.

    Files are named as in `named_recordings`.
    """
    return named_recordings(folder, audio_files(folder))


def named_recordings(folder: Path, paths: Sequence[Path]) -> list[Recording]:
    """
    Name files of a folder.

    The name is the file name without its suffix. If several files have the same name, they are named by their path in
    the folder without the suffix; if the paths are equal too (`a.mp3` and `a.wav` in one folder), with the suffix.
    """
    files = [Path(printable(str(path.relative_to(folder)))) for path in paths]
    names = pl.Series([file.stem for file in files], dtype=pl.String)
    for longer in ([file.with_suffix("").as_posix() for file in files], [file.as_posix() for file in files]):
        names = names.zip_with(~names.is_duplicated(), pl.Series(longer, dtype=pl.String))
    return [
        Recording(name, path, file.as_posix(), sha256_of(path), path.stat().st_size)
        for name, path, file in zip(names, paths, files, strict=True)
    ]
