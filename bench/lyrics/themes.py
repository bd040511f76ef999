"""
Themes: of verses of our own, on which the wordings were chosen, and of songs of the demo world, which test them.

The songs are of the part "test" of the demo's lines and words, which nothing was chosen on, in its seven languages.
"""

from collections import Counter

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score

from bench.lyrics.verses import VERSES
from recsys.lyrics.themes import THEMES, shares
from recsys.text.encoder import encode

Texts = npt.NDArray[np.str_]
SEED = 7


def measure(n_songs: int) -> None:
    """Print macro F1 by language and what was taken for what: of the verses, and of songs per theme and language."""
    _verses()
    _songs(n_songs)


def _verses() -> None:
    names = [*THEMES, ""]
    found = np.array(names)[shares(encode([verse.text for verse in VERSES])).argmax(axis=1)]
    truth, languages = (np.array([getattr(verse, part) for verse in VERSES]) for part in ("theme", "language"))
    print("Themes, verses of our own on which the wordings were chosen")
    _print_scores(truth, found, languages)


def _songs(n: int) -> None:
    from recsys.demo import verses
    from recsys.lyrics.analysis import analyse
    from recsys.lyrics.lines import from_text

    rng = np.random.default_rng(SEED)
    drawn = [
        (theme, language, verses.compose(theme, str(rng.choice(verses.MOODS)), "test", rng).text(language))
        for theme in verses.THEMES
        for language in verses.LANGUAGES
        for _ in range(n)
    ]
    found = [max(analyse(from_text(text)).themes, key=lambda one: one.share, default=None) for _, _, text in drawn]
    truth, languages, _ = (np.array(column) for column in zip(*drawn, strict=True))
    print("Themes, songs of the demo's part for tests (bar 0.8)")
    _print_scores(truth, np.array([one.theme if one else "" for one in found]), languages)


def _print_scores(truth: Texts, found: Texts, languages: Texts) -> None:
    every = sorted(set(truth))
    print(f"  all: macro F1 {f1_score(truth, found, average='macro', labels=every):.3f} of {len(truth)}")
    for language in dict.fromkeys(languages.tolist()):
        rows = languages == language
        present = sorted(set(truth[rows]))
        f1 = f1_score(truth[rows], found[rows], average="macro", labels=present)
        print(f"  {language}: macro F1 {f1:.3f} of {rows.sum()}, {len(present)} themes")
    wrong = Counter((one or "none", other or "none") for one, other in zip(truth, found, strict=True) if one != other)
    print(f"  errors: {', '.join(f'{n} {one} as {other}' for (one, other), n in wrong.most_common(8)) or 'none'}")
