"""
The words of lyrics: in lower case, without punctuation, with apostrophes inside.

In scripts that are written without spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese, Tibetan, Yi,
Javanese and others), each character is a word. Words of more than 25 characters are left out. So the words of a text,
counted without their order, have no two words of a line in one, and do not overlap: the order cannot be found by
putting them together.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b

import numpy as np

_SPACELESS = (
    "\u0e00-\u0fff"  # Thai, Lao, Tibetan
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Burmese
    "\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\uaa80-\uaadf"  # Khmer; Tai Le, New Tai Lue, Tai Tham, Tai Viet
    "\u1a00-\u1a1f\u1b00-\u1bbf\ua980-\ua9df"  # Buginese, Balinese, Sundanese, Javanese
    "\u3005-\u3007\u3031-\u3035\u3040-\u30ff\u3100-\u312f\u31a0-\u31bf\u31f0-\u31ff"  # kana, bopomofo
    "\u3400-\u9fff\uf900-\ufaff\U00016fe0-\U00018cff\U0001b000-\U0001b16f\U00020000-\U0003ffff"  # ideographs
    "\ua000-\ua4cf"  # Yi
)
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff"  # of letters; no word ends there
_LETTER = rf"[^\W\d_{_SPACELESS}]"
_INSIDE = rf"(?:[^\W_{_SPACELESS}]|[{_MARKS}])*"
_TOKEN = re.compile(rf"[{_SPACELESS}]|{_LETTER}{_INSIDE}(?:['\u2019]{_LETTER}{_INSIDE})*")
MAX_CHARS = 25  # of a word
_BETWEEN = re.compile(rf"(?<=[{_SPACELESS}]) (?=[{_SPACELESS}])")
_SHINGLE = 3  # words
_HASH_BITS = 64


def words_of(text: str) -> list[str]:
    r"""
    Return the words of a text, in order.

    >>> words_of("Don't stop, DON\u2019T stop 2 die!")
    ["don't", 'stop', "don't", 'stop', 'die']
    >>> words_of("夢を見た")
    ['夢', 'を', '見', 'た']
    """
    found = _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())
    return [word.replace("\u2019", "'") for word in found if len(word) <= MAX_CHARS and _is_letter(word[0])]


def as_written(words: Iterable[str]) -> str:
    """
    Return words as a text, with spaces where their script has them.

    >>> as_written(["god", "damn"]), as_written(["夢", "を"])
    ('god damn', '夢を')
    """
    return _BETWEEN.sub("", " ".join(words))


def _is_letter(character: str) -> bool:
    """Return whether a character of a script without spaces is one of words: a letter or a mark."""
    return unicodedata.category(character)[0] in "LM"


def bag_of_words(words: Iterable[str]) -> dict[str, int]:
    """Return how often each word occurs, the most frequent first, then in the order of the alphabet."""
    return dict(sorted(Counter(words).items(), key=lambda item: (-item[1], item[0])))


def near_hash(words: list[str]) -> str:
    """
    Return a hash that differs in few bits between texts with mostly the same sequences of three words (SimHash).

    Args:
        words: The words of the text, in order.

    Returns:
        64 bits as 16 hexadecimal digits; empty without words.

    Source:
        Charikar, Similarity Estimation Techniques from Rounding Algorithms (STOC 2002).
    """
    shingles = Counter(" ".join(words[n : n + _SHINGLE]) for n in range(max(1, len(words) - _SHINGLE + 1)))
    if not words:
        return ""
    digests = b"".join(blake2b(shingle.encode(), digest_size=_HASH_BITS // 8).digest() for shingle in shingles)
    bits = np.unpackbits(np.frombuffer(digests, np.uint8).reshape(len(shingles), -1), axis=1)  # (n_shingles, 64)
    votes = np.array(list(shingles.values())) @ (2 * bits.astype(np.int64) - 1)
    return np.packbits(votes > 0).tobytes().hex()
