"""The mood of words: direction, what is refused, and the shipped calibration. Verses are made up."""

import os
from math import log
from pathlib import Path

import pytest

from recsys.lyrics.analysis import analyse, analyse_bag
from recsys.lyrics.emotion import PRIOR, UNKNOWN, emotion_of, mean_rating
from recsys.lyrics.lines import from_text

HAPPY = "we laugh in the happy sunshine\nthis is a wonderful and lovely party, dance with joy and jump and shake"
SAD = "i cry alone with a broken heart in the quiet rain\nsorrow and grief, i was hurt and i am lonely, goodbye"


def test_happy_words_are_happier_than_sad_ones() -> None:
    """In the text and in the bag of its words; dancing is more excited than quiet rain."""
    happy, sad = (analyse(from_text(text)) for text in (HAPPY, SAD))

    assert happy.emotion.happy is not None
    assert sad.emotion.happy is not None
    assert happy.emotion.happy > 0.7
    assert sad.emotion.happy < 0.3
    assert (happy.emotion.arousal or 0) > 0 > (sad.emotion.arousal or 0)
    assert analyse_bag(happy.words, is_stemmed=False).emotion == happy.emotion


def test_what_was_not_measured_has_no_mood() -> None:
    """Other languages, stems, and fewer than three rated words."""
    words = analyse(from_text(HAPPY)).words

    assert emotion_of(words, "es") == emotion_of(words, None) == UNKNOWN
    assert analyse_bag(words, is_stemmed=True).emotion == UNKNOWN
    assert emotion_of({"happy": 9, "joy": 9, "the": 9}, "en").valence is None


def test_the_mean_rating_is_drawn_towards_zero() -> None:
    """By hand: two words once, one three times, beside PRIOR neutral ones."""
    ratings = {"a": 1.0, "b": -1.0, "c": 0.5}

    found = mean_rating({"a": 3, "b": 1, "c": 1, "x": 50}, ratings)

    assert found == pytest.approx((log(4) - log(2) + 0.5 * log(2)) / (PRIOR + log(4) + 2 * log(2)))


@pytest.mark.slow
@pytest.mark.skipif("RECSYS_DATA" not in os.environ, reason="RECSYS_DATA is not set: no songs labelled happy or sad")
def test_the_shipped_calibration_is_that_of_the_benchmark() -> None:
    """It is fitted again on the training songs."""
    from bench.lyrics.emotion import fitted_calibration, read  # noqa: PLC0415 - with the benchmark's libraries
    from recsys.lyrics.emotion import INTERCEPT, SLOPE  # noqa: PLC0415

    assert fitted_calibration(read(Path(os.environ["RECSYS_DATA"]))) == pytest.approx((SLOPE, INTERCEPT), abs=0.01)
