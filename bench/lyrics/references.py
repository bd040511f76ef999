"""
References: precision and recall on English songs of the demo's part for tests, which nothing was chosen on.

Each verse has a line with a name: a place, a person or a brand that the gazetteer may know, a title of a made-up
catalogue of other titles besides, or a namesake, such as a girl called Virginia, which is no reference. Names and lines
were written without looking at the gazetteer.
"""

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from recsys.demo import verses

SEED = 7
Reference = tuple[str, str]  # kind and name, in lower case


def measure(n_songs: int) -> None:
    """Print precision and recall by kind, and what was missed and what was wrong."""
    from recsys.demo import verses

    rng = np.random.default_rng(SEED)
    songs = [_song(rng) for _ in range(n_songs)]
    planted = [{(kind, name.lower()) for name, kind in song.references.items()} for song in songs]
    found = [_found(song.text("en")) for song in songs]
    right, missed, wrong = (
        Counter(name for pair in zip(planted, found, strict=True) for name in compared(*pair))
        for compared in (set.intersection, set.difference, lambda truth, guess: guess - truth)
    )
    print(f"References: {n_songs} songs in English of the demo's part for tests")
    for kind in (*verses.REFERENCES, "all"):
        print(f"  {kind:7}{_scores(*(_of_kind(names, kind) for names in (right, missed, wrong)))}")
    print(f"  missed: {_listed(missed)}")
    print(f"  wrong: {_listed(wrong)}")


def _song(rng: np.random.Generator) -> "verses.Song":
    from recsys.demo import verses

    theme, mood = str(rng.choice(verses.THEMES)), str(rng.choice(verses.MOODS))
    return verses.with_names(verses.compose(theme, mood, "test", rng), rng)


def _found(text: str) -> set[Reference]:
    """Return what the analysis of a text finds, with titles as marts.lyric_references takes them."""
    from recsys.lyrics.analysis import analyse
    from recsys.lyrics.lines import from_text

    names = analyse(from_text(text)).names
    of_gazetteer = {(name.kind, name.term) for name in names if name.kind and name.term}
    return of_gazetteer | {
        ("title", _titles()[name.key]) for name in names if name.n_words > 1 and not name.kind and name.key in _titles()
    }


@cache
def _titles() -> dict[str, str]:
    """Return the titles of the catalogue by their keys: those that songs name, and all of the demo world."""
    from recsys.demo import names, verses
    from recsys.lyrics.references import key_of

    return {key_of(title): title.lower() for title in (*names.titles(None).tolist(), *verses.names_of("title"))}


def _of_kind(names: Counter[Reference], kind: str) -> int:
    return sum(n for (of, _), n in names.items() if kind in {of, "all"})


def _scores(n_right: int, n_missed: int, n_wrong: int) -> str:
    found, planted = n_right + n_wrong, n_right + n_missed
    precision, recall = (f"{n_right / n:.3f}" if n else "unknown" for n in (found, planted))
    return f"precision {precision} of {found} found, recall {recall} of {planted} named"


def _listed(names: Counter[Reference]) -> str:
    return ", ".join(f"{name} ({kind}) {n}" for (kind, name), n in names.most_common(12)) or "none"
