"""
A release, open: everything that answers are made from. A request takes one and uses no other.

What is large or needed by every request is read when the release is opened: lists, filters, names. Search, model and
indexes are read when first asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import polars as pl

from recsys import files
from recsys.arrays import I32, Bool
from recsys.cleaning.listing import listing
from recsys.dataset.vocab import Vocab
from recsys.errors import InputError, SetupError
from recsys.home import Home
from recsys.lake.store import Lake
from recsys.ledger.settings import LabelSettings
from recsys.pipeline.export import MANIFEST, checked_file
from recsys.products.base import product_names
from recsys.published.search import index_of, verses_index_of
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.filters import Filters
from recsys.releases import registry
from recsys.releases.release import Release
from recsys.search.catalogue import Catalogue
from recsys.serve.fold_in import EventReader, event_reader
from recsys.serve.keys import Consumer
from recsys.serve.stored_lists import StoredLists
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.labels import file_name
from recsys.warehouse.query import Warehouse

if TYPE_CHECKING:
    from recsys.search.by_text import VerseIndex
    from recsys.search.vector_index import Index

_LAZY = ("track_ids", "rows", "_groups", "products", "_index", "_verses", "_searched")
EVERYWHERE = ""  # the territory of a listener whose country is unknown


@dataclass(frozen=True, eq=False)
class OpenRelease:
    """
    An open release.

    Attributes:
        name: Its name.
        version: Changes with the name, and with whatever is changed in place by a takedown or an erasure.
        parts: Its paths.
        as_of: Last day of its data.
        warehouse: Its whole warehouse.
        model: Its recommender, whose rows of recordings all arrays here use.
        published: The list of each listener: `track`, score, `reason` (row of `reasons`), is_explored, propensity.
        candidates: The candidates of each listener: `track`, score.
        reasons: The texts of reasons, by row.
        titles: Title of each recording, None if unknown. Length n_tracks.
        artist_names: Likewise its artist's name.
        artists: Number of its artist, -1 if unknown. Shape (n_tracks,), int32.
        filters: What may be listed; its listeners are the countries of the audience, by their code.
        catalogue: The recordings that may be listed (see `cleaning.listing`).
        copies: Their copies.
        n_candidates: Candidates per listener in this release.
        artist_cap: The recipe's, None without one.
        artists_apart: Likewise the number of others between two recordings of one artist.
        reader: Reads events.
        disclosure: The recipe's test of figures about listeners.
        popular: Country group and age band -> what is popular in their segment, as far as it was asked for.
    """

    name: str
    version: str
    parts: Release
    as_of: date
    warehouse: Warehouse
    model: Recommender[Any]
    published: StoredLists
    candidates: StoredLists
    reasons: list[str]
    titles: list[str | None]
    artist_names: list[str | None]
    artists: I32
    filters: Filters
    catalogue: pl.DataFrame
    copies: pl.DataFrame
    n_candidates: int
    artist_cap: int | None
    artists_apart: int
    reader: EventReader
    disclosure: LabelSettings
    popular: dict[tuple[int, str], pl.DataFrame] = field(default_factory=dict)
    _labels: dict[str, Warehouse] = field(default_factory=dict)
    _lock: RLock = field(default_factory=RLock)

    @property
    def served_on(self) -> date:
        """The day for which its lists were made."""
        return self.as_of + timedelta(days=1)

    @cached_property
    def track_ids(self) -> list[str]:
        """Id of each recording."""
        return self.model.tracks.ids().to_list()

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """Id of each recording -> its row."""
        return {track_id: row for row, track_id in enumerate(self.track_ids)}

    @cached_property
    def _groups(self) -> Mapping[str, int]:
        countries = self.filters.users.ids().to_list()
        return dict(zip(countries, self.filters.group.tolist(), strict=True))

    def warm_like(self, other: "OpenRelease") -> None:
        """Read what the other has read since it was opened, so that no request waits for it."""
        for name in _LAZY:
            if name in other.__dict__:
                getattr(self, name)

    def group(self, territory: str | None) -> int:
        """Return the row of `filters.allowed` for a country; of one without listeners, that of unknown countries."""
        return self._groups.get(territory or EVERYWHERE, len(self.filters.allowed) - 1)

    def allowed(self, territory: str) -> Bool:
        """Return whether each recording may be played in a country, as a nightly run has it. Shape (n_tracks,)."""
        row: Bool = self.filters.allowed[self.group(territory)]
        return row

    def listable(self, territory: str | None) -> pl.Series:
        """Return the ids of the recordings that are not withdrawn; with a territory, of those available there."""
        current = pl.col("withdrawn_at").is_null() | (pl.col("withdrawn_at") > self.served_on)
        places = pl.col("available_in").fill_null([])
        is_there = (places.list.len() == 0) | places.list.contains(territory) if territory else pl.lit(True)
        return self.catalogue.filter(current, is_there)["track_id"]

    def warehouse_of(self, consumer: Consumer) -> Warehouse:
        """
        Return the one warehouse file that a consumer may read: the label's, or else the whole.

        Raises:
            InputError: The release has no file for the label.
        """
        if consumer.label_id is None:
            return self.warehouse
        with self._lock:
            if consumer.label_id not in self._labels:
                folder = self.parts.labels
                path = folder / file_name(consumer.label_id) if folder is not None else None
                if path is None or not path.exists():
                    raise InputError("The release has no file for the label of this key")
                self._labels[consumer.label_id] = Warehouse.open(path)
            return self._labels[consumer.label_id]

    @cached_property
    def products(self) -> Mapping[str, Path]:
        """Product -> its file, compared with the manifest once."""
        export = self.parts.export
        found = {name: checked_file(export, f"{name}.parquet") for name in product_names()} if export else {}
        return {name: path for name, path in found.items() if path is not None}

    def index(self) -> "Index | None":
        """Return the index of the sound; None if there is none, or nothing can read it."""
        with self._lock:
            return self._index

    @cached_property
    def _index(self) -> "Index | None":
        return index_of(self.parts)

    def verses(self) -> "VerseIndex | None":
        """Return the index of verses; None if there is none, or nothing can read it."""
        with self._lock:
            return self._verses

    @cached_property
    def _verses(self) -> "VerseIndex | None":
        return verses_index_of(self.parts)

    def searched(self) -> Catalogue:
        """Return the catalogue for searches, which reads no file of this machine and no text of lyrics."""
        with self._lock:
            return self._searched

    @cached_property
    def _searched(self) -> Catalogue:
        return Catalogue.read(self.warehouse, self._index, verses=self._verses)


def version_of(home: Home) -> tuple[str, str]:
    """
    Return name and version of the current release, without opening it.

    Raises:
        SetupError: There is none yet.
    """
    name = registry.current_name(home)
    if name is None:
        raise SetupError(f"{home.path} has no release yet. Run: recsys nightly")
    folder = home.path / "releases" / name
    links = [(path.name, path.lstat().st_mtime_ns) for path in sorted(folder.iterdir())]
    manifest = folder / "export" / MANIFEST
    changed = manifest.stat().st_mtime_ns if manifest.exists() else 0
    return name, files.short_hash(name, repr(links), str(changed))


def open_release(home: Home, name: str, version: str) -> OpenRelease:
    """
    Open a release.

    Raises:
        SetupError: It has no lists or no model, or a part is damaged.
    """
    parts = registry.read(home, name)
    if parts.model is None or parts.export is None:
        raise SetupError(f"The release {name} has no model or lists yet. Run: recsys nightly")
    warehouse, model = Warehouse.open(parts.warehouse), Recommender.load(parts.model)
    as_of: date = warehouse.query(internal_sql("as_of")).item()
    served_on = as_of + timedelta(days=1)
    catalogue, copies = listing(
        warehouse.query(internal_sql("catalogue"), {"served_on": served_on}),
        warehouse.query(internal_sql("linked_copies")),
        served_on,
    )
    with files.reading(parts.export / MANIFEST, "Return to another release: recsys rollback RUN"):
        recipe = files.read_json(parts.export / MANIFEST)["recipe"]
    reasons, published, candidates = _lists(parts.export, model.tracks)
    described = _described(warehouse, model.tracks)
    zone = Lake(home).zone
    return OpenRelease(
        name=name,
        version=version,
        parts=parts,
        as_of=as_of,
        warehouse=warehouse,
        model=model,
        published=published,
        candidates=candidates,
        reasons=reasons.ids().to_list(),
        titles=described["title"].to_list(),
        artist_names=described["artist_name"].to_list(),
        artists=described["artist"].to_numpy(),
        filters=_filters(warehouse, catalogue, model.tracks, served_on),
        catalogue=catalogue,
        copies=copies,
        n_candidates=int(recipe["export"]["candidates"]),
        artist_cap=recipe["rerank"].get("artist_cap", {}).get("tracks"),
        artists_apart=recipe["rerank"].get("artist_cap", {}).get("apart", 0),
        reader=event_reader(zone, dict(described.select("track_id", "duration_ms").drop_nulls().iter_rows())),
        disclosure=msgspec.convert(recipe["labels"], LabelSettings),
    )


def _lists(export: Path, tracks: Vocab) -> tuple[Vocab, StoredLists, StoredLists]:
    """Return the reasons, the published lists and the candidates of an export."""
    lists, candidates = (checked_file(export, f"{name}.parquet") for name in ("recommendations", "candidates"))
    if lists is None or candidates is None:
        raise SetupError(f"{export} has no lists or candidates. Run: recsys nightly")
    reasons = Vocab.of(pl.scan_parquet(lists).select(pl.col("reason").unique()).collect()["reason"], kind="reason")
    columns = {"score": np.float32, "is_explored": np.bool_, "propensity": np.float64}
    return (
        reasons,
        StoredLists.read(lists, tracks, columns, {"reason": reasons}),
        StoredLists.read(candidates, tracks, {"score": np.float32}, {}),
    )


def _described(warehouse: Warehouse, tracks: Vocab) -> pl.DataFrame:
    """Return track_id, title, artist_name, artist (its number, -1 if unknown) and duration_ms of each recording."""
    known = warehouse.query(internal_sql("served_tracks"))
    artist = pl.col("artist_id").rank("dense").cast(pl.Int32).fill_null(0) - 1
    all_tracks = tracks.ids().alias("track_id").to_frame()
    return all_tracks.join(known, on="track_id", how="left", maintain_order="left").with_columns(artist=artist)


def _filters(warehouse: Warehouse, catalogue: pl.DataFrame, tracks: Vocab, served_on: date) -> Filters:
    """Return filters whose listeners are the countries of the audience."""
    countries = warehouse.query(internal_sql("listeners")).select(user_id="country", country="country").unique()
    known = countries.filter(pl.col("country") != "unknown").sort("country")
    return Filters.for_listeners(known, catalogue, tracks=tracks, as_of=served_on)
