"""
Find recordings whose lyrics are the same text, nearly the same, or a translation: evidence that they are one work.

- same_text: the same words as often in all sequences of three, so the hashes (`words.near_hash`) and counts are equal.
- near_text: few bits of the hashes differ, and the sections say the same in the same order: covers, other
  transcriptions. The score estimates the cosine similarity of the counts of sequences of three words.
- translation: texts in different languages whose sections say the same in the same order. The score is the sum of the
  similarities of sections that correspond to each other, over the number of sections of the longer text.

A translation is listed only if no other text of its language is nearly as similar, since songs of one theme say similar
things.

Recordings of one text are compared by the first of them, to which the others are linked; so a hit that was delivered a
hundred times is ninety-nine pairs. A nearly equal text is linked likewise to the first earlier text that it is like.
Texts of few different words, such as "oh oh oh", are not compared, since the hashes of all of these are alike; of a
text of very many sections the first ones are. The limits were chosen on made-up copies and translations that the
figures of `python -m bench.lyrics` are not of. Equal words are no proof: some works are in the public domain, and
titles, composers and ISWCs count as well.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import polars as pl

from recsys.arrays import F32, F64, I64
from recsys.columns import TRACK_ID, Column
from recsys.text.encoder import stored_vectors

SAME, NEAR, TRANSLATION = "same_text", "near_text", "translation"
LYRIC_MATCHES_COLUMNS = (
    TRACK_ID,
    Column("other_track_id", pl.String()),
    Column("kind", pl.String()),
    Column("score", pl.Float64()),
    Column("n_sections", pl.Int64()),
)
MIN_WORDS = 20  # of a text that is compared: shorter ones are equal by chance
MIN_DISTINCT = 8  # words of a text that is compared: the sequences of fewer are too few for the hash
MAX_SECTIONS = 200  # of a text that are compared
MAX_BITS = 16  # of 64 that differ between nearly equal texts whose sections say the same
MAX_BITS_ALONE = 9  # likewise, where sections have no vectors
MIN_NEAR = 0.8  # score by which sections of nearly equal texts say the same, as that of a translation
MIN_MEANS = 0.6  # similarity of the mean vectors of two texts whose sections are compared
N_COMPARED = 10  # texts in other languages whose sections each text is compared with, by their mean vectors
MIN_TRANSLATION = 0.6  # score of a translation
MIN_MARGIN = 0.1  # by which it is above that of any other text in the same language
MIN_ALIGNED = 2  # sections that correspond to each other
MIN_SECTION = 0.4  # similarity of two sections that correspond
_BITS, _CELLS = 64, 2**24  # of a hash; pairs of texts that are compared at once, in 128 MB


class Pair(NamedTuple):
    """
    Two recordings with the same words or meaning.

    Attributes:
        track_id: The first recording.
        other_track_id: The second recording.
        kind: same_text, near_text or translation.
        score: See the module, 0..1.
        n_sections: Sections that correspond to each other; None where texts are compared as a whole.
    """

    track_id: str
    other_track_id: str
    kind: str
    score: float
    n_sections: int | None = None


def lyric_matches(texts: pl.DataFrame, verses: pl.DataFrame) -> pl.DataFrame:
    """
    Compare the lyrics of all recordings.

    Args:
        texts: track_id, near_hash, n_words, n_distinct_words, language (null where unknown) of each recording.
        verses: track_id, section, vector of each section; without recordings that have no vectors.

    Returns:
        The columns LYRIC_MATCHES_COLUMNS, in the order of both ids; the first id is the smaller one.
    """
    is_compared = (pl.col("n_words") >= MIN_WORDS) & (pl.col("n_distinct_words") >= MIN_DISTINCT)
    long = texts.filter(is_compared).sort("track_id")
    key = ("near_hash", "n_words", "n_distinct_words")
    firsts = long.unique(key, keep="first", maintain_order=True)
    repeated = long.join(firsts.select("track_id", *key), on=key, suffix="_first").filter(
        pl.col("track_id") != pl.col("track_id_first")
    )
    same = [Pair(first, other, SAME, 1.0) for other, first in repeated.select("track_id", "track_id_first").iter_rows()]
    languages = dict(firsts.filter(pl.col("language").is_not_null()).select("track_id", "language").iter_rows())
    sections = _sections(verses, set(firsts["track_id"]))
    near = list(_near(firsts, sections))
    for pair in near:
        languages.pop(pair.other_track_id, None)  # a translation is linked to the first of nearly equal texts
    found = [*same, *near, *_translations(languages, sections)]
    schema = {column.name: column.dtype for column in LYRIC_MATCHES_COLUMNS}
    pairs = pl.DataFrame(found, schema, orient="row").unique(
        ["track_id", "other_track_id"], keep="first", maintain_order=True
    )
    return pairs.sort("track_id", "other_track_id")


def _near(texts: pl.DataFrame, sections: Mapping[str, F32]) -> Iterator[Pair]:
    """Yield pairs of texts whose hashes differ in few bits: each text with the first earlier one that it is like."""
    linked = set[str]()
    hashes = np.array([int(text, 16) for text in texts["near_hash"]], np.uint64)
    ids = texts["track_id"].to_list()
    for start, stop in _blocks(len(hashes)):
        bits = np.bitwise_count(hashes[start:stop, None] ^ hashes[None, start:])  # (n_block, n_later)
        for row, column in zip(*np.nonzero(bits <= MAX_BITS), strict=True):
            pair = ids[start + row], ids[start + column]
            if column <= row or pair[1] in linked:
                continue
            if _is_near(int(bits[row, column]), *(sections.get(track_id) for track_id in pair)):
                linked.add(pair[1])
                yield Pair(*pair, NEAR, round(math.cos(math.pi * int(bits[row, column]) / _BITS), 4))


def _blocks(n: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of blocks of texts, each of which is compared with all `n`."""
    size = max(1, _CELLS // max(1, n))
    yield from ((start, start + size) for start in range(0, n, size))


def _is_near(n_bits: int, one: F32 | None, other: F32 | None) -> bool:
    if one is None or other is None:
        return n_bits <= MAX_BITS_ALONE
    return aligned(one @ other.T)[0] >= MIN_NEAR


def _sections(verses: pl.DataFrame, track_ids: Collection[str]) -> dict[str, F32]:
    """Return the unit vectors of the first sections of each text, in order."""
    rows = verses.filter(pl.col("track_id").is_in(track_ids)).sort("track_id", "section")
    rows = rows.group_by("track_id", maintain_order=True).head(MAX_SECTIONS)
    if rows.is_empty():
        return {}
    vectors = _unit(stored_vectors(rows["vector"]))  # (n_sections, 512)
    names, starts = np.unique(rows["track_id"].to_numpy(), return_index=True)
    return dict(zip(names.tolist(), np.split(vectors, starts[1:]), strict=True))


def _unit(vectors: F32) -> F32:
    unit: F32 = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit


def _translations(languages: Mapping[str, str], sections: Mapping[str, F32]) -> Iterator[Pair]:
    """Yield pairs of texts in different languages whose sections correspond, and to no other text nearly as well."""
    ids = [track_id for track_id in sorted(languages) if len(sections.get(track_id, ())) >= MIN_ALIGNED]
    pairs = sorted(set(_close_pairs(ids, languages, sections)))
    found = {(one, other): aligned(sections[one] @ sections[other].T) for one, other in pairs}
    scores: defaultdict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0])  # of a text with those of a language
    for (one, other), (score, _) in found.items():
        scores[one, languages[other]].append(score)
        scores[other, languages[one]].append(score)
    for (one, other), (score, n_aligned) in found.items():
        sides = scores[one, languages[other]], scores[other, languages[one]]
        is_clear = all(score - sorted(side)[-2] >= MIN_MARGIN for side in sides)
        if score >= MIN_TRANSLATION and n_aligned >= MIN_ALIGNED and is_clear:
            yield Pair(one, other, TRANSLATION, score, n_aligned)


def _close_pairs(
    ids: list[str], languages: Mapping[str, str], sections: Mapping[str, F32]
) -> Iterator[tuple[str, str]]:
    """Yield each text with those in other languages whose mean vectors are most similar, the smaller id first."""
    if not ids:
        return
    means = _unit(np.array([sections[track_id].mean(axis=0) for track_id in ids], np.float32))
    codes: I64 = np.unique([languages[track_id] for track_id in ids], return_inverse=True)[1]
    n_compared = min(N_COMPARED, len(ids))
    for start, stop in _blocks(len(ids)):
        similarities = means[start:stop] @ means.T  # (n_block, n)
        similarities[codes[start:stop, None] == codes[None]] = -1
        nearest = np.argpartition(-similarities, n_compared - 1, axis=1)[:, :n_compared]
        for row, columns in enumerate(nearest):
            for column in columns[similarities[row, columns] >= MIN_MEANS]:
                yield min(ids[start + row], ids[column]), max(ids[start + row], ids[column])


def aligned(similarities: F32) -> tuple[float, int]:
    """
    Align the sections of two texts in order, so that the sum of similarities is as large as possible.

    Args:
        similarities: Cosine similarities, shape (n_sections, n_other_sections); those below MIN_SECTION count nothing.

    Returns:
        The sum over the number of sections of the longer text, 0..1; and how many sections correspond.

    >>> aligned(np.array([[0.9, 0.1], [0.2, 0.7], [0.1, 0.1]], np.float32))
    (0.533, 2)
    """
    n, m = similarities.shape
    best: F64 = np.zeros(m + 1)  # of the rows so far and each number of columns
    counts: I64 = np.zeros(m + 1, np.int64)
    for row in similarities.astype(np.float64):
        longer, more = best.copy(), counts.copy()
        together = np.where(row >= MIN_SECTION, best[:-1] + row, -1.0)  # the section corresponds to that of the column
        is_better = together > best[1:]
        longer[1:][is_better], more[1:][is_better] = together[is_better], counts[:-1][is_better] + 1
        best = np.maximum.accumulate(longer)
        counts = more[np.maximum.accumulate(np.where(longer == best, np.arange(m + 1), 0))]
    return round(min(float(best[m]) / max(n, m), 1.0), 3), int(counts[m])
