"""Search of the published catalogue by terms, for `recsys search` and the page Search (see `search.by_terms`)."""

from pathlib import Path
from typing import TYPE_CHECKING

from recsys.errors import InputError
from recsys.files import is_audio
from recsys.home import Home
from recsys.installation.extras import missing_message
from recsys.library.settings import AudioSettings
from recsys.releases import registry
from recsys.search.by_terms import Results, search
from recsys.search.catalogue import Catalogue, Reference
from recsys.warehouse.query import Warehouse

if TYPE_CHECKING:
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
        catalogue = Catalogue.read(warehouse, index, embed)
    with catalogue.tables:
        return search(catalogue, text, n=n)


def published_index(home: Home) -> "Index | None":
    """Return the vector index of the published release; None if it has none, or nothing can read it."""
    release = registry.current(home)
    if release is None or release.index is None or missing_message("faiss"):
        return None
    from recsys.search.vector_index import Index  # noqa: PLC0415 - audio is an extra

    return Index.load(release.index)


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
