"""Explicit words by language and reason. Lines are made up; words are those that the lexicon is about."""

import os
from pathlib import Path

import pytest

from recsys.lyrics.analysis import analyse, analyse_bag
from recsys.lyrics.explicit import INTERCEPT, REASONS, WEIGHTS, hits_in, languages, probability
from recsys.lyrics.lines import from_text
from recsys.lyrics.words import words_of

CLEAN = "the morning light is on the water and the birds are coming back again"


def found(text: str, language: str | None) -> list[tuple[str, str, int]]:
    """Return the terms in a line, with reason and number."""
    hits = hits_in(words_of(text), language)
    return [(" ".join(hit.term.words), hit.term.reason, hit.n) for hit in hits]


def test_each_line_that_hits_is_named_with_its_reason() -> None:
    """Line numbers count without headings; mild words are profanity too."""
    text = f"[Verse]\n{CLEAN}\ndamn the gun, damn the whiskey\n\nget naked with the cocaine tonight my dear"

    analysis = analyse(from_text(text))

    hits = [(hit.line, hit.term.reason, " ".join(hit.term.words), hit.n) for hit in analysis.explicit.hits]
    assert hits == [
        (2, "profanity", "damn", 2),
        (2, "violence", "gun", 1),
        (2, "drugs", "whiskey", 1),
        (3, "sex", "naked", 1),
        (3, "drugs", "cocaine", 1),
    ]
    assert analysis.explicit.counts == {"profanity": 2, "sex": 1, "violence": 1, "drugs": 2}


@pytest.mark.parametrize(
    ("text", "language"),
    [("der himmel ist hell, das buch ist dick", "de"), ("io ho un cane", "it"), ("en kill med gitarr", "sv")],
)
def test_words_that_are_harmless_in_their_language_are_no_hits(text: str, language: str) -> None:
    """The English lexicon would find each of these."""
    assert found(text, language) == []
    assert found(text, "en") != []


def test_other_languages_have_profanity_only() -> None:
    """Their lists are not sorted by reason, and there is no probability; without a lexicon nothing is known."""
    german = analyse(from_text("so ein arschloch steht vor meiner neuen haust\u00fcr und wartet"))
    finnish = analyse(from_text("ja niin he kulkevat hiljaa tuohon vanhaan mets\u00e4\u00e4n"))
    romanian = analyse(from_text("noaptea vine peste casa mea iar eu te caut mereu"))

    assert (german.explicit.counts, german.explicit.probability) == ({"profanity": 1}, None)
    assert finnish.explicit.counts == {"profanity": 0}
    assert (romanian.measures.language.code, romanian.explicit.counts) == ("ro", {})


def test_mixed_lyrics_are_counted_by_the_language_of_each_section() -> None:
    """The counts are the sums of the hits, whichever language the whole text has."""
    english = "what the fuck are you doing with a gun in the house tonight my friend"
    spanish = "la luna blanca canta sobre el mar y nadie quiere dormir esta noche puta"
    mostly_spanish = analyse(from_text("\n\n".join([spanish, f"{spanish} conmigo", english])))

    listed = [(hit.line, hit.term.reason) for hit in mostly_spanish.explicit.hits]
    assert mostly_spanish.measures.language.code == "es"
    assert listed == [(1, "profanity"), (2, "profanity"), (3, "profanity"), (3, "violence")]
    assert mostly_spanish.explicit.counts == {"profanity": 3, "sex": 0, "violence": 1, "drugs": 0}
    assert mostly_spanish.explicit.probability is None


def test_a_phrase_is_one_hit() -> None:
    """The longest term wins, and its words are not counted again."""
    assert found("one damn night at the strip club", "en") == [("damn", "profanity", 1), ("strip club", "sex", 1)]
    assert found("god damn", "en") == [("god damn", "profanity", 1)]


def test_a_bag_of_words_has_hits_without_lines() -> None:
    """Only terms of one word can be found in it."""
    bag = dict.fromkeys(words_of(CLEAN), 2) | {"god": 1, "damn": 3}

    explicit = analyse_bag(bag, is_stemmed=False).explicit

    assert [(hit.line, hit.term.words, hit.n) for hit in explicit.hits] == [(None, ("damn",), 3)]


def test_the_probability_rises_with_every_term_and_is_a_probability() -> None:
    """Without any term it is the share of flags among such songs."""
    harsh = [hits_in(["fuck"] * n, "en") for n in (0, 1, 5, 50)]

    values = [probability(hits) for hits in harsh]

    assert values == sorted(values)
    assert values[0] == pytest.approx(0.012, abs=0.001)
    assert values[-1] < 1
    assert min(WEIGHTS) > 0 > INTERCEPT


def test_the_lexicon_has_words_as_they_are_found() -> None:
    """Every term is found in itself, in each of at least twenty languages."""
    terms = [row.split("\t") for row in _rows()]

    assert len(languages()) >= 20
    assert {reason for *_, reason in terms} == {*REASONS, "mild"}
    assert [row for row in terms if not hits_in(row[1].split(), row[0])] == []


def _rows() -> list[str]:
    path = Path(__file__).parents[2] / "recsys" / "lyrics" / "lexicons" / "explicit.tsv"
    return [row for row in path.read_text(encoding="utf-8").splitlines() if not row.startswith("#")]


@pytest.mark.slow
@pytest.mark.skipif("RECSYS_DATA" not in os.environ, reason="RECSYS_DATA is not set: no year-end bags of words")
def test_the_shipped_weights_are_those_of_the_benchmark() -> None:
    """They are fitted again on all songs."""
    import numpy as np  # noqa: PLC0415 - with the benchmark's libraries

    from bench.lyrics.explicit import fitted_weights, read  # noqa: PLC0415
    from recsys.lyrics.explicit import features, hits_in_bag  # noqa: PLC0415

    songs = read(Path(os.environ["RECSYS_DATA"]))
    inputs = np.array([features(hits_in_bag(bag, "en")) for bag in songs.bags])

    weights, intercept = fitted_weights(inputs, songs.is_explicit)

    assert weights == pytest.approx(WEIGHTS, abs=0.01)
    assert intercept == pytest.approx(INTERCEPT, abs=0.01)
