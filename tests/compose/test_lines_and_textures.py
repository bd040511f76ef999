"""Tests of lines of lyrics and of textures."""

import numpy as np
import pytest

from recsys.compose.lines import Form, Source, stanzas
from recsys.compose.pronunciation import pronunciations
from recsys.compose.texture import RATE_HZ, Texture, make_texture, measured_lufs, seam
from recsys.errors import InputError

WORDS = """walking home along the river in the morning light
the city is asleep and I remember every night
we were young and broken under neon and the rain
now the window of the morning carries me again"""


@pytest.mark.parametrize("foot", ["iamb", "trochee"])
def test_lines_scan_and_rhyme(foot: str) -> None:
    """Each has the syllables of its metre, no unstressed one of a longer word on a beat, and rhymes as request."""
    form = Form(scheme="ABAB", foot=foot, n_feet=4)

    (stanza,) = stanzas(Source(WORDS, "love"), form, 1, 3)

    said = [[pronunciations()[word] for word in line.words] for line in stanza]
    for words in said:
        stresses = "".join(word.stresses if len(word.stresses) > 1 else "?" for word in words)
        assert len(stresses) == len(form.pattern)
        assert all(stress in {"?", "2", beat} for stress, beat in zip(stresses, form.pattern, strict=True))
    ends = [words[-1].rhyme for words in said]
    assert ends[0] == ends[2] != ends[1] == ends[3]
    assert len({line.words[-1] for line in stanza}) == 4


def test_words_without_rhymes_are_refused() -> None:
    """With what to do."""
    with pytest.raises(InputError, match=r"too few rhymes.*Give more English words"):
        stanzas(Source("orange silver month"), Form(), 1, 1)


@pytest.mark.parametrize("kind", ["pad", "rhythm"])
def test_a_texture_loops_and_is_as_long_and_loud_as_asked(kind: str) -> None:
    """To the sample, within 0.1 LU, and without a step at its seam that is not in the music."""
    request = Texture(kind=kind, mood="energetic", tempo_bpm=150, n_bars=1, loudness_lufs=-23)

    loop = make_texture(request)

    assert loop.shape == (2, round(4 * 60 / 150 * RATE_HZ))
    assert measured_lufs(loop) == pytest.approx(-23, abs=0.1)
    assert seam(loop) < 1
    assert seam(np.roll(loop, loop.shape[1] // 3, axis=1)) < 1.01  # any place is as smooth as the seam


def test_a_texture_that_would_clip_is_refused() -> None:
    """With the loudness that can be reached."""
    with pytest.raises(InputError, match=r"clips, expected .* or less"):
        make_texture(Texture(kind="rhythm", mood="calm", tempo_bpm=200, n_bars=1, loudness_lufs=-3))
