"""
Labels that a person gave, from a file with one row per recording and tag.

A file has the columns track_id, kind and tag, like the mart `track_tags`. Tags are compared in lower case. If every
recording has one tag of a kind, the tags of this kind exclude each other; otherwise a recording that is labelled with
some tags of a kind does not have the others.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from recsys.arrays import F32, Bool
from recsys.dataset.vocab import Vocab
from recsys.errors import InputError, UnknownIds
from recsys.lake.contract import CONTRACTS

COLUMNS = ("track_id", "kind", "tag")
KINDS = tuple(
    kind
    for field in CONTRACTS["audio_tags"].fields
    if field.name == "kind"
    for kind in field.allowed
    if kind != "unknown"
)
MIN_TAGS, MAX_TAGS, MAX_TAG_CHARS = 2, 500, 100  # of a kind
_BETWEEN_WORDS = re.compile(r"[\W_]+")
# Gender is what people say of themselves; a voice does not tell it.
NOT_LEARNED = frozenset({"female", "male", "woman", "women", "man", "men", "girl", "boy", "gender", "nonbinary"})


@dataclass(frozen=True, eq=False)
class Labels:
    """
    The labels of one kind.

    Attributes:
        kind: genre, mood, instrument, vocal, era or other.
        tracks: The labelled recordings.
        names: The tags.
        has_tag: 1 if a recording has a tag, otherwise 0. Shape (n_tracks, n_tags).
        is_exclusive: Whether tags exclude each other, since every labelled recording has exactly one.
    """

    kind: str
    tracks: Vocab
    names: tuple[str, ...]
    has_tag: F32
    is_exclusive: bool

    def rows(self) -> pl.DataFrame:
        """Return track_id, kind and tag of each label."""
        track, tag = np.nonzero(self.has_tag)
        names = [self.names[number] for number in tag]
        return pl.DataFrame(
            {"track_id": self.tracks.ids(track), "kind": pl.repeat(self.kind, len(names), eager=True), "tag": names}
        )

    def of_tracks(self, kept: Bool) -> "Labels":
        """Return the labels of some recordings, without tags that none of them has."""
        has_tag = self.has_tag[kept]
        used = np.flatnonzero(has_tag.any(axis=0))
        names = tuple(self.names[number] for number in used)
        return Labels(
            self.kind,
            Vocab.of(self.tracks.ids(np.flatnonzero(kept)), kind="track"),
            names,
            has_tag[:, used],
            self.is_exclusive,
        )


def read_labels(path: Path, known: Iterable[str]) -> list[Labels]:
    """
    Read a file of labels.

    Args:
        path: A CSV file with the columns of `COLUMNS`; other columns are ignored.
        known: The recordings of the catalogue.

    Returns:
        The labels of each kind, sorted by kind.

    Raises:
        InputError: The file cannot be read or lacks a column, has no labels, an unknown kind, fewer than two or more
            than 500 tags of a kind, or tags that are too long or not learned.
        UnknownIds: A recording is not in the catalogue.
    """
    try:
        rows = pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as unreadable:
        raise InputError(
            f"{path.name} cannot be read as CSV. Write a file with the columns track_id,kind,tag"
        ) from unreadable
    if missing := [name for name in COLUMNS if name not in rows.columns]:
        raise InputError(
            f"{path.name}: the columns {', '.join(missing)} are missing, expected track_id, kind and tag. Add them"
        )
    text = pl.col("kind", "tag").str.strip_chars().str.to_lowercase()
    return labels_of(rows.select(*COLUMNS).with_columns(text).with_columns(pl.col("track_id").str.strip_chars()), known)


def names_gender(tag: str) -> bool:
    """Return whether a tag, in lower case, names a gender: such a tag is not learned, and names no cluster."""
    return not NOT_LEARNED.isdisjoint(_BETWEEN_WORDS.split(tag))


def labels_of(rows: pl.DataFrame, known: Iterable[str]) -> list[Labels]:
    """Return the labels of each kind from rows with `COLUMNS`; raises as `read_labels` does."""
    filled = rows.drop_nulls().filter(pl.all_horizontal(pl.col(COLUMNS) != "")).unique()
    if filled.is_empty():
        raise InputError("labels: found no row with track_id, kind and tag, expected at least two tags of a kind")
    if wrong := sorted(set(filled["kind"]) - set(KINDS)):
        raise InputError(f"labels: found {len(wrong)} other values of kind, expected one of {', '.join(KINDS)}")
    if longest := [tag for tag in filled["tag"].unique() if len(tag) > MAX_TAG_CHARS]:
        raise InputError(f"labels: found {len(longest)} tags with more than {MAX_TAG_CHARS} characters. Shorten them")
    if any(names_gender(tag) for tag in filled["tag"].unique()):
        raise InputError(
            "labels: found tags that name a gender. What a voice sounds like does not tell it: leave these tags out"
        )
    everyone = set(known)
    if unknown := sorted(set(filled["track_id"]) - everyone):
        raise UnknownIds.of("track", unknown, everyone, "the catalogue")
    return [
        _labels(kind, part) for (kind,), part in sorted(filled.group_by("kind"), key=lambda group: str(group[0][0]))
    ]


def _labels(kind: object, rows: pl.DataFrame) -> Labels:
    tracks, tags = Vocab.of(rows["track_id"], kind="track"), Vocab.of(rows["tag"], kind="tag")
    if len(tags) < MIN_TAGS:
        raise InputError(f"labels: found one tag of the kind {kind}, expected at least two to tell apart. Add another")
    if len(tags) > MAX_TAGS:
        raise InputError(
            f"labels: found {len(tags):,} tags of the kind {kind}, expected at most {MAX_TAGS}. Leave out rare ones"
        )
    has_tag = np.zeros((len(tracks), len(tags)), np.float32)
    has_tag[tracks.rows(rows["track_id"]), tags.rows(rows["tag"])] = 1
    is_exclusive = bool((has_tag.sum(axis=1) == 1).all())
    return Labels(str(kind), tracks, tuple(tags.ids()), has_tag, is_exclusive)
