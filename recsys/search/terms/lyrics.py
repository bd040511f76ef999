"""
Words of lyrics: as a phrase where the licence lets the lake keep the text, otherwise all of them in any order.

The words stand in quotes, or go up to the next comma after `lyrics:`. They are compared as the lexicon of words has
them: without case and punctuation; in scripts without spaces, by character. Of lyrics that came as stems, such as
those of musiXmatch, stems are compared.
"""

import re
from collections.abc import Sequence
from functools import reduce

import polars as pl

from recsys.errors import InputError
from recsys.lyrics.words import words_of
from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, marked, marks, name_of, rule
from recsys.search.grammar import Node, text_of
from recsys.warehouse.internal import internal_sql

EXAMPLES = ('words "walk the line"', 'lyrics "marmalade"', "lyrics: walk the line", 'not lyrics "christmas"')
GRAMMAR = rule("lyrics", 44, r'(?:words|lyrics)\s*:?\s*"[^"]*"', r'(?:words|lyrics)\s*:\s*[^,;"]+')
_BEFORE = re.compile(r"^(?:words|lyrics)\s*:?\s*", re.IGNORECASE)
PHRASE, WORDS = "as a phrase", "all its words, in any order"
WORDS_SCORE = 0.7  # where the order of the words is not known


def condition(node: Node, catalogue: Catalogue) -> Condition:
    """
    Return the condition that lyrics have words.

    Raises:
        InputError: There is no word, or the file of the catalogue has no words of lyrics.
    """
    text = _BEFORE.sub("", text_of(node)).strip('" ')
    words = words_of(text)
    if not words:
        raise InputError(f"{text!r} has no word to search for in lyrics. Write words in quotes after 'lyrics'")
    found = catalogue.rows_of(_with_phrase(_with_all(sorted(set(words)), catalogue), words, catalogue))
    phrases = found.filter("is_phrase")
    param, n = name_of("lyrics", text), catalogue.n_tracks
    is_found, is_phrase = marked(param, n, 0), marked(param, n, 1)
    return Condition(
        text=f"“{text}” in the lyrics",
        where=f"case when t.has_lyrics then {is_found} end",
        score=f"case when {is_phrase} then 1.0 else {WORDS_SCORE} end",
        values={f"is_phrase_{param}": is_phrase},
        params={param: marks(n, found["row"].to_numpy(), phrases["row"].to_numpy())},
        reason=lambda row: f"“{text}” in the lyrics" + _how(words, is_phrase=row[f"is_phrase_{param}"]),
    )


def _how(words: Sequence[str], *, is_phrase: bool) -> str:
    """Return how several words are in the lyrics; of one there is nothing to add."""
    return "" if len(words) == 1 else f", {PHRASE if is_phrase else WORDS}"


def _with_all(words: Sequence[str], catalogue: Catalogue) -> pl.DataFrame:
    """Return the recordings whose lyrics have all of some words: track_id."""
    sql = internal_sql("tracks_with_word")
    tracks = [catalogue.mart_query(sql, "marts.lyric_words", word=word) for word in words]
    return reduce(lambda some, others: some.join(others, on="track_id", how="semi"), tracks)


def _with_phrase(found: pl.DataFrame, words: Sequence[str], catalogue: Catalogue) -> pl.DataFrame:
    """Return the recordings with a column `is_phrase`; those whose kept text lacks the phrase are left out."""
    if len(words) == 1 or catalogue.texts is None:
        return found.select("track_id", is_phrase=pl.lit(len(words) == 1))
    kept = catalogue.mart_query(internal_sql("tracks_with_text"), "marts.track_lyrics")
    of_found = found.join(kept, on="track_id", how="left", maintain_order="left")
    texts, phrase = catalogue.texts(of_found["text_id"].drop_nulls().unique().to_list()), f" {' '.join(words)} "
    has_phrase = {text_id: phrase in f" {' '.join(words_of(text))} " for text_id, text in texts.items()}
    is_phrase = pl.col("text_id").replace_strict(has_phrase, default=None, return_dtype=pl.Boolean)  # null: not kept
    judged = of_found.select("track_id", is_phrase=is_phrase).filter(pl.col("is_phrase").fill_null(value=True))
    return judged.with_columns(pl.col("is_phrase").fill_null(value=False))
