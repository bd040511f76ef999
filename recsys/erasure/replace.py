"""Replace a file or folder of a home by another, also where releases link to it."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

from recsys import files
from recsys.home import Home
from recsys.releases import registry


def replace(home: Home, path: Path, write: Callable[[Path], None]) -> None:
    """
    Replace a path by what `write` writes.

    A part of a release gets a new path, to which the releases link from then on: readers that have the old file open
    keep it until they open the release again. Every other file is replaced where it is.
    """
    links = _links_to(home, path)
    final = _free_path(path) if links else path
    beside = final.with_name(f".{final.name}.partial")
    files.remove(beside)
    write(beside)
    if beside.is_dir():
        files.place_folder(beside, final)
    else:
        files.sync(beside)
        beside.replace(final)
        files.sync(final.parent)
    for name, link in links:
        registry.relink(home, name, link, final)
    if links:
        files.remove_database(path)


def _links_to(home: Home, path: Path) -> list[tuple[str, str]]:
    """Return release and link of every link that leads to exactly this path."""
    links = [(name, link, part) for name in registry.release_names(home) for link, part in _parts(home, name)]
    return [(name, link) for name, link, part in links if part == path.resolve()]


def _parts(home: Home, name: str) -> list[tuple[str, Path]]:
    return list(registry.read(home, name).links().items())


def _free_path(path: Path) -> Path:
    """Return the first unused path among `path~1`, `path~2` and so on, before the suffix."""
    stem = path.stem.partition("~")[0]
    candidates = (path.with_name(f"{stem}~{number}{path.suffix}") for number in count(1))
    return next(found for found in candidates if not found.exists())
