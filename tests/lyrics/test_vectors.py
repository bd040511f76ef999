"""Vectors of sections: which sections have one, and that they compare verses by meaning. All verses are made up."""

import numpy as np
import pytest

from recsys.lyrics.analysis import analyse
from recsys.lyrics.lines import from_text
from recsys.lyrics.vectors import as_stored, section_vectors

ENGLISH = "the rain is falling on the empty town tonight\nand every window keeps a little light"
SPANISH = "la lluvia cae sobre la ciudad vacía esta noche\ny cada ventana guarda una pequeña luz"
SWEDISH = "regnet faller över den tomma staden i natt\noch varje fönster vaktar ett litet ljus"
CARS = "my engine is a lion and the highway is its prey\nfour wheels of steel will take me to the races far away"


def test_a_verse_is_closest_to_its_translation() -> None:
    """The same verse in Spanish is closer than another one in English."""
    vectors = section_vectors(from_text(f"{ENGLISH}\n\n{SPANISH}\n\n{CARS}"), ["en", "es", "en"])

    english, spanish, cars = (vector for _, vector in vectors)
    assert english @ spanish > 0.7
    assert english @ cars < 0.4


def test_sections_that_have_no_vector() -> None:
    """A repeated one, one in a language that the encoder does not know or that is unknown, and one without words."""
    lyrics = from_text(f"{ENGLISH}\n\n{SWEDISH}\n\n{ENGLISH.upper()}\n\n{SPANISH}\n\nla la la la\n\n{CARS}")

    found = section_vectors(lyrics, ["en", "sv", "en", None, "en", "en"])

    assert [section for section, _ in found] == [1, 6]


def test_the_analysis_has_the_vectors_of_its_sections() -> None:
    """The language of each section decides; here the second one is Swedish."""
    analysis = analyse(from_text(f"{ENGLISH}\n\n{SWEDISH}\n\n{SPANISH}"))

    assert [vector.section for vector in analysis.vectors] == [1, 3]
    assert analysis.vectors[0].vector @ section_vectors(from_text(ENGLISH), ["en"])[0].vector == pytest.approx(1)


def test_a_stored_vector_keeps_its_direction() -> None:
    """It has whole numbers, and nearly the same cosine similarity to others."""
    (_, english), (_, cars) = section_vectors(from_text(f"{ENGLISH}\n\n{CARS}"), ["en", "en"])

    stored = as_stored(english).astype(np.float32)

    assert np.abs(stored).max() == 127
    assert stored @ english / np.linalg.norm(stored) > 0.999
    assert stored @ cars / np.linalg.norm(stored) == pytest.approx(english @ cars, abs=0.001)
