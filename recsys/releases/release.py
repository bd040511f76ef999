"""
The parts of a release; each part is a link in the release's folder.

Publishing, reading, pruning and (for indexes) takedowns are all driven by the fields of `Release`. To add a part, add a
field.
"""

from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple, Self


class IndexPart(NamedTuple):
    """
    An index of a release.

    Attributes:
        link: Name of its link in the release's folder.
        folder: Folder with the files of the index.
        entries: Kind of id of its entries: 'track_id' or 'audio_id'.
        reader: The class that reads it, as 'module:class', since it imports packages of an optional extra.
    """

    link: str
    folder: Path
    entries: str
    reader: str


_VECTOR_INDEX = {"entries": "track_id", "reader": "recsys.search.vector_index:Index"}
_VERSE_INDEX = {"entries": "track_id", "reader": "recsys.search.by_text:VerseIndex"}
_FINGERPRINT_INDEX = {
    "entries": "audio_id",
    "reader": "recsys.matching.fingerprint_index:FingerprintIndex",
    "former_link": "prints",  # in releases of older versions
}


@dataclass(frozen=True)
class Release:
    """
    The paths to which a release links.

    Model and export may come from an earlier run. An optional part is None if the release does not have it.

    Attributes:
        warehouse: DuckDB file with all tables.
        marts: Folder with the marts as Parquet files.
        model: Folder of the champion.
        export: Folder with the exported lists.
        index: Folder of the embedding index, for similarity search; None if no music was scanned.
        fingerprints: Folder of the fingerprint index, for copyright matching; None if no music was scanned.
        verses: Folder of the index of verses, for search by meaning; None without lyrics.
        labels: Folder with a warehouse file per label (`recsys.warehouse.labels`); None in releases made before label
            files existed.
    """

    warehouse: Path = field(metadata={"link": "warehouse.duckdb"})
    marts: Path
    model: Path | None = None
    export: Path | None = None
    index: Path | None = field(default=None, metadata=_VECTOR_INDEX)
    fingerprints: Path | None = field(default=None, metadata=_FINGERPRINT_INDEX)
    verses: Path | None = field(default=None, metadata=_VERSE_INDEX)
    labels: Path | None = None

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Follow the links in a release's folder; a required part has a path even if its link is missing."""
        parts: dict[str, Any] = {part.name: _target(folder, part) for part in fields(cls)}
        return cls(**parts)

    def links(self) -> dict[str, Path]:
        """Return the paths of the parts that the release has, by the name of their link."""
        parts = {_link(part): getattr(self, part.name) for part in fields(self)}
        return {link: path for link, path in parts.items() if path is not None}

    def indexes(self) -> list[IndexPart]:
        """List the indexes that the release has."""
        links, declared = self.links(), [part for part in fields(self) if "reader" in part.metadata]
        return [
            IndexPart(part.name, links[part.name], part.metadata["entries"], part.metadata["reader"])
            for part in declared
            if part.name in links
        ]

    def warehouses(self) -> list[Path]:
        """List the DuckDB files that readers open: the whole warehouse, then the file of each label."""
        return [self.warehouse, *(sorted(self.labels.glob("*.duckdb")) if self.labels else ())]


def _link(part: Field[Any]) -> str:
    return str(part.metadata.get("link", part.name))


def _target(folder: Path, part: Field[Any]) -> Path | None:
    """Return the target of a part's link, or of the link's name in older versions; None if neither exists."""
    link, former = folder / _link(part), folder / (part.metadata.get("former_link", _link(part)))
    if link.is_symlink() or part.default is MISSING:
        return link.resolve()
    return former.resolve() if former.is_symlink() else None
