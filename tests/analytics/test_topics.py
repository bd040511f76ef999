"""Topics of made-up words: found, named, and kept from night to night."""

import numpy as np
import polars as pl
import pytest

from recsys.analytics.topics import TOPIC_WORDS_COLUMNS, topics
from recsys.columns import schema

SUBJECTS = {
    "sea": ["wave", "shore", "sail", "salt", "tide", "boat", "anchor", "reef", "gull", "foam"],
    "city": ["street", "neon", "taxi", "tower", "crowd", "subway", "bridge", "traffic", "corner", "roof"],
}
NOTHING = pl.DataFrame(schema=schema(TOPIC_WORDS_COLUMNS))
Tables = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]


def texts(n: int, first: int = 0, language: str = "en") -> pl.DataFrame:
    """Make texts of the sea and of the city in turn, each of five words of its subject and a word that all have."""
    rows = []
    for number in range(first, first + n):
        rng, subject = np.random.default_rng(number), list(SUBJECTS)[number % 2]
        words = {str(word) for word in rng.choice(SUBJECTS[subject], size=5, replace=False)}
        rows += [(f"{subject}{number:04}", language, word, 1) for word in sorted(words | {"the"})]
    return pl.DataFrame(rows, ["track_id", "language", "word", "n"], orient="row")


@pytest.fixture(scope="module")
def first_night() -> Tables:
    """The topics of 120 texts."""
    return topics(texts(120), NOTHING)


def test_recordings_with_the_same_subject_have_the_same_topic(first_night: Tables) -> None:
    """Both topics have all recordings of their subject, and are named by words of it."""
    found, _, members = first_night

    subjects = members.with_columns(subject=pl.col("track_id").str.slice(0, 3)).group_by("topic").agg("subject")
    assert [set(row) for row in subjects["subject"]] in ([{"sea"}, {"cit"}], [{"cit"}, {"sea"}])
    assert sorted(found["n_recordings"]) == [60, 60]
    for words in found["words"]:
        assert any(set(words) <= set(listed) for listed in SUBJECTS.values())


def test_topics_keep_their_numbers_when_texts_are_added(first_night: Tables) -> None:
    """Of all recordings of the first night; the same input gives the same tables."""
    _, words, members = first_night

    again, later = topics(texts(120), words)[2], topics(texts(126), words)[2]

    both = members.join(later, on="track_id", suffix="_later")
    assert both.height == members.height
    assert (both["topic"] == both["topic_later"]).all()
    assert again.equals(topics(texts(120), words)[2])


def test_more_texts_bring_more_topics_beside_the_old_ones(first_night: Tables) -> None:
    """The number of topics grows with the texts, and never falls."""
    assert topics(texts(150), first_night[1])[0].height == 3
    assert topics(texts(100), first_night[1])[0].height == 2


def test_a_topic_that_disappears_takes_its_number_with_it(first_night: Tables) -> None:
    """Texts of the city are gone, and others came; those of the sea keep their number, night after night."""
    words = texts(120)
    other = pl.col("word").replace({word: f"new {word}" for word in SUBJECTS["city"]})
    sea = first_night[2].filter(pl.col("track_id").str.starts_with("sea"))["topic"][0]

    _, second, members = topics(words.with_columns(other), first_night[1])
    third = topics(words.with_columns(other), second)[2]

    assert set(members.filter(pl.col("track_id").str.starts_with("sea"))["topic"]) == {sea}
    assert set(members.filter(pl.col("track_id").str.starts_with("city"))["topic"]) == {2}
    assert set(second["topic"]) == {sea, 2}
    assert third.select("track_id", "topic").equals(members.select("track_id", "topic"))


def test_explicit_words_are_in_no_name() -> None:
    """They tell topics like any other word."""
    words = texts(120)
    rude = words.filter(word="wave").with_columns(word=pl.lit("fuck"))

    found, weights, _ = topics(pl.concat([words, rude]), NOTHING)

    assert "fuck" in set(weights["word"])
    assert "fuck" not in set(found["words"].explode())


def test_languages_have_topics_of_their_own_if_they_have_enough_texts() -> None:
    """Ninety-nine texts are too few; without any there are none."""
    few = texts(99, first=500, language="sv")

    assert set(topics(pl.concat([texts(120), few]), NOTHING)[0]["language"]) == {"en"}
    assert [table.height for table in topics(few.clear(), NOTHING)] == [0, 0, 0]
