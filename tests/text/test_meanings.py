"""The text that is closest in meaning: words that mean the same in several languages, and words that mean nothing."""

import pytest

from recsys.text.meanings import MIN_SIMILARITY, Meanings

TAGS = ("rock", "happy", "sad", "party", "guitar", "drums", "quiet", "dance", "piano")


@pytest.fixture(scope="module")
def meanings() -> Meanings:
    """The meanings of some tags."""
    return Meanings.of(TAGS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("joyful", "happy"),
        ("Cheerful", "happy"),
        ("felice", "happy"),
        ("crying", "sad"),
        ("triste", "sad"),
        ("悲しい", "sad"),
        ("gitarre", "guitar"),
        ("percussion", "drums"),
        ("tranquilo", "quiet"),
        ("bailar", "dance"),
    ],
)
def test_a_word_finds_the_tag_that_means_the_same(meanings: Meanings, text: str, expected: str) -> None:
    """Synonyms, their opposites apart, and words of other languages."""
    closest = meanings.closest(text)

    assert closest is not None
    assert closest.text == expected
    assert MIN_SIMILARITY <= closest.similarity <= 1


@pytest.mark.parametrize("text", ["steinhofel", "velvet harbour", "xylqz", "0815", "", " ", "\N{PILE OF POO}" * 50])
def test_a_word_without_such_a_tag_finds_nothing(meanings: Meanings, text: str) -> None:
    """Names, letters without meaning, and no text at all."""
    assert meanings.closest(text) is None


def test_a_text_is_closest_to_itself(meanings: Meanings) -> None:
    """The similarity is then 1, whatever the case."""
    for tag in TAGS:
        closest = meanings.closest(tag.upper())

        assert closest is not None
        assert closest.text == tag
        assert closest.similarity == pytest.approx(1, abs=1e-5)


def test_without_texts_nothing_is_close() -> None:
    """A catalogue without tags has no meanings to compare with."""
    assert Meanings.of(()).closest("joyful") is None
