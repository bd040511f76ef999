"""
Lyrics by meaning: texts across languages, search by meaning, equal and translated texts, and what all of it costs.

Across languages: of each language of TESTED, listed before the measurement, the thirty articles of the Universal
Declaration of Human Rights; right is the English article with the same number. Works: three articles are a song, the
articles with odd numbers were for choosing the limits, the figures are of the even ones; strangers are other articles.
Search: `bench/lyrics/topics.tsv`, twelve topics in four languages, whose first six were for choosing the least
similarity. Cost: made-up songs in an index of the size asked for.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bench.lyrics.udhr import SPACELESS, articles
from recsys.arrays import F32
from recsys.cleaning.lyrics import lyric_matches
from recsys.lyrics.vectors import section_vectors
from recsys.lyrics.words import near_hash, words_of
from recsys.text.encoder import LANGUAGES, VERSION, encode

TESTED = ("ar", "de", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh")
UNSUPPORTED = ("sv", "fi", "hu", "el", "vi")  # for comparison: why they are refused
BAR = 0.93
CHANGED = (0.02, 0.05, 0.1, 0.2)  # shares of words that are replaced in a near copy
N_ARTICLE_WORDS, N_SECTIONS = 40, 3  # of a song of articles
TOPICS = Path(__file__).with_name("topics.tsv")
N_TUNED = 6  # topics
QUERIES = ("leaving home", "dancing all night", "la lluvia en la ciudad", "ein Kind wird geboren")


def across_languages(udhr: Path) -> None:
    """Print the share of articles whose nearest English article is the same one."""
    english = encode([text for _, text in articles(udhr, "en")])
    found = {}
    for language in (*TESTED, *UNSUPPORTED):
        vectors = encode([text for _, text in articles(udhr, language)])
        found[language] = float(((vectors @ english.T).argmax(axis=1) == np.arange(len(english))).mean())
    print(
        f"Right text of {len(english)} across languages: lowest {min(found[name] for name in TESTED):.3f} (bar {BAR})"
    )
    print("  " + ", ".join(f"{name} {found[name]:.3f}" for name in TESTED))
    print("  refused: " + ", ".join(f"{name} {found[name]:.3f}" for name in UNSUPPORTED))


def topics() -> list[list[str]]:
    """Return topic, query, and the verse in each of four languages, the first of them English."""
    return [line.split("\t") for line in TOPICS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def search_quality() -> None:
    """Print how often the best verse is of the topic, and what the least similarity lets through."""
    from recsys.search.terms.about import MIN_SIMILARITY

    rows = topics()
    queries = encode([row[1] for row in rows])
    verses = encode([verse for row in rows for verse in row[2:]]).reshape(len(rows), -1, queries.shape[1])
    similarities = np.einsum("qd,tld->qtl", queries, verses)  # (n_queries, n_topics, n_languages)
    for name, part in (("for choosing", slice(N_TUNED)), ("for the test", slice(N_TUNED, None))):
        chosen = similarities[part, part]
        own = np.stack([chosen[nth, nth] for nth in range(len(chosen))])
        others = chosen[~np.eye(len(chosen), dtype=bool)]
        best = (chosen.argmax(axis=1) == np.arange(len(chosen))[:, None]).mean()
        print(
            f"Search by meaning, topics {name}: best verse of a language right {best:.3f}; at least {MIN_SIMILARITY}: "
            f"{(own >= MIN_SIMILARITY).mean():.3f} of its verses, {(others >= MIN_SIMILARITY).mean():.3f} of others"
        )


def works(udhr: Path) -> None:
    """Print precision and recall of equal, near and translated texts among songs of articles."""
    for parity, name in ((1, "odd articles, for choosing"), (0, "even articles, for the test")):
        songs = list(_songs(udhr, parity))
        originals = lyric_matches(*_tables(songs))
        right = [one.split("-")[1] == other.split("-")[1] for one, other in _pairs(originals, "translation")]
        n_songs = len(songs) // len(LANGUAGES)
        n_pairs = n_songs * len(LANGUAGES) * (len(LANGUAGES) - 1) // 2
        print(f"Works, {name}: {len(songs)} songs in {len(LANGUAGES)} languages")
        print(
            f"  translation: of {len(right)} pairs right {np.mean(right):.4f}; found {sum(right) / n_pairs:.3f} of all"
        )
        for share in CHANGED:
            copies = [
                (f"{song}-copy", language, _changed(sections, language, share)) for song, language, sections in songs
            ]
            found = list(_pairs(lyric_matches(*_tables([*songs, *copies])), "near_text", "same_text"))
            right = [other == f"{one}-copy" for one, other in found]
            print(
                f"  near text, {share:.0%} of words replaced: of {len(right)} pairs right {np.mean(right):.4f}; "
                f"found {sum(right) / len(songs):.3f} of all"
            )


Song = tuple[str, str, list[str]]  # id, language and sections


def _songs(udhr: Path, parity: int) -> Iterator[Song]:
    for language in LANGUAGES:
        chosen = [_first_words(text, language) for number, text in articles(udhr, language) if number % 2 == parity]
        for nth, start in enumerate(range(0, len(chosen) - N_SECTIONS + 1, N_SECTIONS)):
            yield f"{language}-{nth}", language, chosen[start : start + N_SECTIONS]


def _first_words(text: str, language: str) -> str:
    if language in SPACELESS:
        return "".join(text.split())[: 2 * N_ARTICLE_WORDS]
    return " ".join(text.split()[:N_ARTICLE_WORDS])


def _changed(sections: list[str], language: str, share: float) -> list[str]:
    """Return sections in which a share of the words is replaced by other words of the song."""
    rng = np.random.default_rng(7)
    joint, vocabulary = "" if language in SPACELESS else " ", words_of(" ".join(sections))
    return [
        joint.join(str(rng.choice(vocabulary)) if rng.random() < share else word for word in words_of(section))
        for section in sections
    ]


def _tables(songs: list[Song]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the two tables that are compared in the night."""
    texts, verses = [], []
    for song, language, sections in songs:
        words = words_of("\n".join(sections))
        texts.append((song, near_hash(words), len(words), len(set(words)), language))
        verses += [(song, number, row) for number, row in enumerate(encode(sections).tolist(), start=1)]
    names = ("track_id", "near_hash", "n_words", "n_distinct_words", "language")
    return (
        pl.DataFrame(texts, names, orient="row"),
        pl.DataFrame(verses, ("track_id", "section", "vector"), orient="row"),
    )


def _pairs(found: pl.DataFrame, *kinds: str) -> Iterator[tuple[str, str]]:
    rows = found.filter(pl.col("kind").is_in(kinds)).select("track_id", "other_track_id")
    yield from rows.iter_rows()


def cost(songs: list[str], n_tracks: int, n_repeats: int) -> None:
    """
    Print the CPU time of an analysis with vectors, of searches by words and by meaning, and of the nightly comparison.

    Args:
        songs: Texts of made-up songs, each of other words.
        n_tracks: Recordings that are searched; their sections are drawn from those of the songs.
        n_repeats: Times that each search is run.
    """
    from recsys.lyrics.analysis import analyse
    from recsys.lyrics.lines import from_text

    analyse(from_text(songs[0]))  # loads the models
    started = time.process_time()
    analyses = [analyse(from_text(song)) for song in songs]
    cpu_ms = (time.process_time() - started) / len(songs) * 1000
    started = time.process_time()
    for song, found in zip(songs, analyses, strict=True):
        section_vectors(from_text(song), [found.measures.language.code or "en" for _ in found.sections])
    own_ms = (time.process_time() - started) / len(songs) * 1000
    print(f"Analysis: {cpu_ms - own_ms:.1f} CPU-ms per text of 40 lines, without embedding (bar 20)")
    print(f"Analysis: {cpu_ms:.1f} CPU-ms per text of 40 lines, with embedding (bar 100)")
    rng = np.random.default_rng(7)
    vectors: F32 = np.array([row for found in analyses for _, row in found.vectors], np.float32)
    bags = [found.words for found in analyses]
    with tempfile.TemporaryDirectory() as folder:
        tables = _catalogue(n_tracks, vectors, bags, rng)
        _searches(Path(folder) / "made_up.duckdb", tables, _frequent(bags), n_repeats)


def _frequent(bags: list[dict[str, int]]) -> list[str]:
    """Return the words that at least a seventh of some texts have, the most frequent first."""
    n_texts = Counter(word for bag in bags for word in bag)
    return [word for word, n in n_texts.most_common() if n >= len(bags) / 7]


def _catalogue(n: int, vectors: F32, bags: list[dict[str, int]], rng: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Return the marts of `n` recordings with three sections each, near those of the songs."""
    from bench.search import LYRICS_FIGURES, made_up_tables

    tracks = made_up_tables(n, rng)
    ids = tracks["track_features"]["track_id"]
    owners, sections = np.repeat(np.arange(n), N_SECTIONS), np.tile(np.arange(1, N_SECTIONS + 1), n)
    noisy = rng.standard_normal((len(owners), vectors.shape[1]), np.float32)
    noisy *= np.float32(0.02)
    noisy += vectors[rng.integers(len(vectors), size=len(owners))]
    listed = [bags[row] for row in rng.integers(len(bags), size=n)]
    of_tracks = {"track_id": ids.gather(owners), "section": sections}
    words = pl.DataFrame(
        {
            "track_id": ids.gather(np.repeat(np.arange(n), [len(bag) for bag in listed])),
            "word": [word for bag in listed for word in bag],
            "n": [count for bag in listed for count in bag.values()],
        }
    )
    lyrics = pl.DataFrame({"track_id": ids, "text_id": ids}).with_columns(
        has_text=pl.lit(value=False),
        stated_language=pl.lit(None, pl.String),
        language=pl.lit("en"),
        **{name: rng.random(n) for name in LYRICS_FIGURES},
    )
    tracks["track_features"] = tracks["track_features"].with_columns(taken_down_at=pl.lit(None, pl.Date))
    return tracks | {
        "lyric_vectors": pl.DataFrame(
            {**of_tracks, "vector": pl.Series(noisy, dtype=pl.Array(pl.Float32, noisy.shape[1]))}
        ).with_columns(encoder=pl.lit(VERSION)),
        "lyric_sections": pl.DataFrame(of_tracks).with_columns(kind=pl.lit("verse"), language=pl.lit("en")),
        "lyric_words": words.sort("word", "track_id"),
        "track_lyrics": lyrics,
    }


def _searches(path: Path, tables: dict[str, pl.DataFrame], words: list[str], n_repeats: int) -> None:
    from bench.search import written
    from recsys.search.by_terms import search
    from recsys.search.by_text import VerseIndex
    from recsys.search.catalogue import Catalogue
    from recsys.warehouse.query import Warehouse

    with Warehouse.open(written(path, tables)) as warehouse:
        started = time.process_time()
        verses = VerseIndex.build(warehouse)
        print(f"Index of {len(verses.ids):,} sections: {time.process_time() - started:.1f} CPU-s to build")
        catalogue = Catalogue.read(warehouse, verses=verses)
        search(catalogue, f'about {QUERIES[0]}, lyrics "{words[0]}"', n=20)  # reads what later searches share
        for name, bar, texts in _queries(words):
            _print_time(name, texts, bar, n_repeats, lambda text: search(catalogue, text, n=20))


def _queries(words: list[str]) -> Iterator[tuple[str, int, list[str]]]:
    """
    Yield name, bar [ms] and texts of the searches that are timed.

    Args:
        words: Words of the lyrics, the most frequent first.
    """
    starts = range(len(QUERIES))
    yield "by a word of a seventh of the lyrics", 50, [f'lyrics "{words[-1 - nth]}"' for nth in starts]
    yield "by three such words", 50, [f'lyrics "{" ".join(words[-3 - nth :][:3])}"' for nth in starts]
    yield "by three words of most lyrics", 50, [f'lyrics "{" ".join(words[nth:][:3])}"' for nth in starts]
    yield "by meaning", 400, [f"about {query}" for query in QUERIES]


def _print_time(name: str, texts: list[str], bar: int, n_repeats: int, run: Callable[[str], Any]) -> None:
    wall, cpu = [], []
    for text in texts * n_repeats:
        started, cpu_started = time.perf_counter(), time.process_time()
        run(text)
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - cpu_started)
    print(f"Search {name}: median {1000 * np.median(wall):.0f} ms, {1000 * np.median(cpu):.0f} CPU-ms (bar {bar})")
