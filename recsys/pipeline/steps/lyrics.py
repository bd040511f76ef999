"""The step that compares lyrics: recordings with the same text, nearly the same, or a translation."""

import polars as pl

from recsys.cleaning.lyrics import LYRIC_MATCHES_COLUMNS, NEAR, SAME, TRANSLATION, lyric_matches
from recsys.pipeline.results import Outcome, Result, step
from recsys.text.encoder import VERSION as ENCODER

LYRIC_MATCHES = Result("lyric_matches", LYRIC_MATCHES_COLUMNS)


@step(LYRIC_MATCHES)
def compare_lyrics(*, texts_to_compare: pl.DataFrame, verses_to_index: pl.DataFrame) -> Outcome:
    """Compare all lyrics by their hashes and by the vectors of their sections, of one encoder."""
    found = lyric_matches(texts_to_compare, verses_to_index.filter(encoder=ENCODER))
    counts = {f"n_{kind}": found.filter(kind=kind).height for kind in (SAME, NEAR, TRANSLATION)}
    return Outcome({LYRIC_MATCHES.name: found}, counts)
