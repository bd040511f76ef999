"""
The parts of a release, each a link in the release's folder.

To add a part, add a field to `Release`: publication, reading, pruning and, for an index, takedowns follow the fields.
"""

from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple, Self


class IndexPart(NamedTuple):
    """
    An index of a release.

    Attributes:
        link: The name of its link in the release's folder.
        folder: The folder of its files.
        entries: What identifies its entries: 'track_id' or 'audio_id'.
        reader: The class that reads it, as 'module:class': what it imports is an extra.
    """

    link: str
    folder: Path
    entries: str
    reader: str


_VECTOR_INDEX = {"entries": "track_id", "reader": "recsys.search.vector_index:Index"}
_FINGERPRINT_INDEX = {
    "entries": "audio_id",
    "reader": "recsys.matching.fingerprint_index:FingerprintIndex",
    "former_link": "prints",  # in releases of older versions
}


@dataclass(frozen=True)
class Release:
    """
    What a release links to.

    The model and the export may be those of an earlier run. An optional part is None where the release has none.

    Attributes:
        warehouse: The DuckDB file of all tables.
        marts: The folder of the marts as Parquet files.
        model: The folder of the champion.
        export: The folder of the exported lists.
        index: The folder of the vector index, for tracks that sound alike; None where no music was scanned.
        fingerprints: The folder of the fingerprint index, for copyright matching; None where no music was scanned.
        labels: The folder of the labels' own files (`recsys.warehouse.labels`); None in releases older than these.
    """

    warehouse: Path = field(metadata={"link": "warehouse.duckdb"})
    marts: Path
    model: Path | None = None
    export: Path | None = None
    index: Path | None = field(default=None, metadata=_VECTOR_INDEX)
    fingerprints: Path | None = field(default=None, metadata=_FINGERPRINT_INDEX)
    labels: Path | None = None

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Follow the links in a release's folder. The path of a required part is returned even if its link is gone."""
        parts: dict[str, Any] = {part.name: _target(folder, part) for part in fields(cls)}
        return cls(**parts)

    def links(self) -> dict[str, Path]:
        """Return the path of each part that the release has, by the name of its link."""
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
        """List the DuckDB files that readers open: the whole warehouse and each label's."""
        return [self.warehouse, *(sorted(self.labels.glob("*.duckdb")) if self.labels else ())]


def _link(part: Field[Any]) -> str:
    return str(part.metadata.get("link", part.name))


def _target(folder: Path, part: Field[Any]) -> Path | None:
    """Return where the link of a part leads, or the link that it had in older versions; None if there is neither."""
    link, former = folder / _link(part), folder / (part.metadata.get("former_link", _link(part)))
    if link.is_symlink() or part.default is MISSING:
        return link.resolve()
    return former.resolve() if former.is_symlink() else None
