"""Search of the published catalogue by terms, for `recsys search` and the page Search (see `search.by_terms`)."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from recsys.errors import InputError, UnknownIds
from recsys.files import is_audio
from recsys.home import Home
from recsys.library.settings import AudioSettings
from recsys.published.similar import embed_file
from recsys.releases import registry
from recsys.search.by_sound import track_vector
from recsys.search.by_terms import Results, search
from recsys.search.catalogue import Catalogue, Reference
from recsys.search.vector_index import Index
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse


def search_home(home: Home, text: str, settings: AudioSettings, *, n: int) -> Results:
    """
    Search the published catalogue of a home.

    Args:
        home: The home.
        text: The search, see `docs/search.md`.
        settings: The encoder for files, and the limits of the process that reads them.
        n: Maximum number of results.

    Raises:
        InputError: The text cannot be read, or a file cannot be embedded.
        UnknownIds: A track to compare with does not exist.
    """
    with Warehouse.open(home.published_warehouse()) as warehouse:
        folder = registry.index_folder(home)
        index = Index.load(folder) if folder.exists() else None
        catalogue = Catalogue.read(warehouse, references(warehouse, index, settings) if index else None)
        return search(warehouse, index, catalogue, text, n=n)


def references(warehouse: Warehouse, index: Index, settings: AudioSettings | None) -> Callable[[str, str], Reference]:
    """
    Return the function that finds what a search for similar sound starts from, by a title and an artist or ''.

    Args:
        warehouse: Contains the tracks; others are unknown.
        index: Contains their vectors.
        settings: As in `search_home`; None refuses files, whose paths are those of this machine.
    """

    def find(name: str, artist: str) -> Reference:
        if settings is not None and (Path(name).is_file() or is_audio(Path(name))):
            return _of_file(Path(name), index, settings)
        found = warehouse.query(internal_sql("track_by_name"), {"name": name, "artist": artist})
        if found.is_empty():
            raise UnknownIds(
                f"There is no track {name!r}{f' by {artist!r}' if artist else ''}. "
                "Give its id, or its title in quotes with by ARTIST"
            )
        indexed = found.filter(pl.col("track_id").is_in(index.ids.tolist()))
        if indexed.is_empty():
            raise InputError(f"The sound of {name!r} has not been analysed. Choose a track with audio, or a file")
        row = indexed.row(0, named=True)
        title = f"{row.pop('title')} by {row.pop('artist_name')}"
        return Reference(title, track_vector(index, row["track_id"]), **row)

    return find


def _of_file(path: Path, index: Index, settings: AudioSettings) -> Reference:
    if not path.is_file():
        raise InputError(f"No file found at {path}. Give an audio file, or the id or title of a track")
    embedding = embed_file(path, settings)
    if embedding.encoder != index.version:
        raise InputError(
            f"{path} was embedded by {embedding.encoder}, the index holds vectors of {index.version}. Scan again: "
            "recsys audio scan FOLDER, then recsys build"
        )
    return Reference(path.name, embedding.vector)
