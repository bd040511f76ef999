"""Lyrics of the same work: equal, nearly equal and translated ones; others are not. All verses are made up."""

import numpy as np
import polars as pl
import pytest

from recsys.cleaning.lyrics import LYRIC_MATCHES_COLUMNS, aligned, lyric_matches
from recsys.lyrics.analysis import analyse
from recsys.lyrics.lines import from_text
from recsys.lyrics.words import near_hash
from recsys.pipeline.steps.lyrics import compare_lyrics
from recsys.text.encoder import VERSION

RAIN = "the rain is falling on the empty town tonight\nand every window keeps a little light"
HOME = "i packed my bags and left my home this morning\nmy mother waved goodbye until the train was gone"
DANCE = "everybody on the floor we dance until the morning\nthe music is so loud and no one wants to stop"
REGEN = "der regen fällt heut nacht auf die leere stadt\nund jedes fenster hütet noch ein kleines licht"
HEIMAT = "heute morgen packte ich die koffer und verließ mein zuhause\nmeine mutter winkte bis der zug verschwunden war"
TEXTS = {
    "a": f"{RAIN}\n\n{HOME}",
    "b": f"{RAIN.upper()}!\n\n{HOME}",
    "c": f"{RAIN}\n\n{HOME.replace('my bags', 'a bag')}",
    "d": f"{REGEN}\n\n{HEIMAT}",
    "e": f"{DANCE}\n\n{HOME}",
    "f": f"{HEIMAT}\n\n{REGEN}",
    "g": "short words only here",
    "h": "short words only here",
}


def compared(texts: dict[str, str]) -> pl.DataFrame:
    """Return the matches of texts by their id."""
    rows, verses = [], []
    for track_id, text in texts.items():
        found = analyse(from_text(text))
        one = found.measures
        rows.append((track_id, one.near_hash, one.n_words, one.n_distinct_words, one.language.code))
        verses += [(track_id, number, row.tolist()) for number, row in found.vectors]
    schema = ("track_id", "near_hash", "n_words", "n_distinct_words", "language")
    listed = pl.DataFrame(verses, ("track_id", "section", "vector"), orient="row")
    return lyric_matches(pl.DataFrame(rows, schema, orient="row"), listed)


def test_equal_near_and_translated_texts_are_found() -> None:
    """Case and signs do not count; further copies are compared by the first; another order or verse is no match."""
    found = compared(TEXTS)

    assert found.select("track_id", "other_track_id", "kind", "n_sections").rows() == [
        ("a", "b", "same_text", None),
        ("a", "c", "near_text", None),
        ("a", "d", "translation", 2),
    ]
    assert found["score"].is_between(0.6, 1).all()
    assert found["score"][0] == 1


def test_without_lyrics_there_are_no_matches() -> None:
    """The table then has its columns and no rows."""
    none = lyric_matches(
        pl.DataFrame(schema={"track_id": pl.String, "near_hash": pl.String, "n_words": pl.Int64})
        .with_columns(n_distinct_words=pl.lit(0), language=pl.lit("en"))
        .clear(),
        pl.DataFrame(schema={"track_id": pl.String, "section": pl.Int64, "vector": pl.List(pl.Float32)}),
    )

    assert none.is_empty()
    assert none.columns == [column.name for column in LYRIC_MATCHES_COLUMNS]


@pytest.mark.parametrize(
    ("similarities", "expected"),
    [
        ([[0.9, 0.1], [0.2, 0.7]], (0.8, 2)),
        ([[0.1, 0.9], [0.8, 0.2]], (0.45, 1)),  # in another order
        ([[0.9], [0.3]], (0.45, 1)),
        ([[0.3, 0.2]], (0.0, 0)),
        ([[0.5, 0.0, 0.0], [0.0, 0.6, 0.7], [0.0, 0.0, 0.8]], (pytest.approx(1.9 / 3, abs=0.001), 3)),
    ],
)
def test_sections_are_aligned_in_order(similarities: list[list[float]], expected: tuple[float, int]) -> None:
    """The sum is over the longer text; sections that are too different do not correspond."""
    assert aligned(np.array(similarities, np.float32)) == expected


def plain_alignment(similarities: np.ndarray) -> float:
    """Return the best sum of similarities over the longer text, cell by cell."""
    n, m = similarities.shape
    best = np.zeros((n + 1, m + 1))
    for row, column in np.ndindex(n, m):
        value = similarities[row, column] if similarities[row, column] >= 0.4 else 0
        best[row + 1, column + 1] = max(best[row, column + 1], best[row + 1, column], best[row, column] + value)
    return float(best[n, m] / max(n, m))


def test_alignment_by_rows_is_that_by_cells() -> None:
    """On similarities of every size; a text of very many sections is cut."""
    rng = np.random.default_rng(3)

    for shape in ((1, 7), (6, 6), (9, 4)):
        similarities = rng.random(shape, np.float32)
        score, n_sections = aligned(similarities)
        assert score == pytest.approx(plain_alignment(similarities), abs=0.001)
        assert n_sections <= min(shape)
    assert lyric_matches(*hostile(12_000)).height == 1


def hostile(n: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return two nearly equal texts with n sections each."""
    schema = ("track_id", "near_hash", "n_words", "n_distinct_words", "language")
    texts = [("a", "0" * 16, 3 * n, 50, "en"), ("b", "0" * 15 + "1", 3 * n, 50, "en")]
    vector = np.ones(512, np.int8)
    verses = {"track_id": ["a"] * n + ["b"] * n, "section": [*range(n), *range(n)]}
    vectors = pl.Series("vector", np.tile(vector, (2 * n, 1))).cast(pl.List(pl.Int8))
    return pl.DataFrame(texts, schema, orient="row"), pl.DataFrame(verses).with_columns(vectors)


def test_texts_of_few_words_are_not_compared_and_near_ones_are_linked_once() -> None:
    """Sixty texts of "oh" are no work; nearly equal texts are pairs with the first one, not with each other."""
    words = RAIN.split() + HOME.split() + DANCE.split() + [f"word{n}" for n in range(120)]
    texts = {f"oh{n}": ["oh"] * n for n in range(20, 80)}
    texts |= {f"t{n}": [*words[:100], f"other{n}", *words[101:]] for n in range(5)}
    rows = [(name, near_hash(text), len(text), len(set(text)), "en") for name, text in texts.items()]
    schema = ("track_id", "near_hash", "n_words", "n_distinct_words", "language")
    verses = pl.DataFrame(schema={"track_id": pl.String, "section": pl.Int64, "vector": pl.List(pl.Int8)})

    found = lyric_matches(pl.DataFrame(rows, schema, orient="row"), verses)

    assert found.select("track_id", "other_track_id").rows() == [("t0", f"t{n}") for n in range(1, 5)]


def test_vectors_of_other_encoders_are_not_compared() -> None:
    """They mean something else, even where they have the same length."""
    texts, verses = hostile(8)
    other = pl.when(track_id="a").then(pl.lit("older")).otherwise(pl.lit(VERSION)).alias("encoder")
    far = texts.with_columns(near_hash=pl.Series(["0" * 16, "0" * 13 + "fff"]))

    counts = [
        compare_lyrics(texts_to_compare=far, verses_to_index=verses.with_columns(encoder)).counts["n_near_text"]
        for encoder in (pl.lit(VERSION).alias("encoder"), other)
    ]

    assert counts == [1, 0]
