"""
Topics of lyrics, found from their words alone: non-negative matrix factorization (NMF) of tf-idf weights.

Texts of each language have topics of their own; stems and whole words are not mixed. A topic is named by the words
that it has more of than the others; explicit ones are left out. Topics keep their number from night to night: the
factorization starts from the words of the last topics. A topic whose words are no longer those of the last night
(cosine similarity below MIN_SAME) is another one: it gets a new number, and the old one is not used again. If there
are enough texts for more topics, the new ones start from the texts that the others explain worst. The number of topics
never falls, so that a few texts less do not renumber the others. Words in more than MAX_SHARE of the texts and in fewer
than MIN_TEXTS of them tell no topics.

Source: Lee, Seung, Learning the Parts of Objects by Non-Negative Matrix Factorization (Nature 1999).
"""

import itertools
import warnings

import numpy as np
import polars as pl
import scipy.sparse as sp
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from recsys.arrays import F64, Csr
from recsys.columns import Column, schema
from recsys.dataset.feature_vectors import tfidf, unit_rows
from recsys.lyrics.explicit import hits_in

LANGUAGE, TOPIC = Column("language", pl.String()), Column("topic", pl.Int32())
TOPICS_COLUMNS = (
    LANGUAGE,
    TOPIC,
    Column("name", pl.String()),
    Column("n_recordings", pl.Int64()),
    Column("words", pl.List(pl.String())),
)
TOPIC_WORDS_COLUMNS = (LANGUAGE, TOPIC, Column("word", pl.String()), Column("weight", pl.Float64()))
LYRIC_TOPICS_COLUMNS = (Column("track_id", pl.String()), LANGUAGE, TOPIC, Column("share", pl.Float64()))
MAX_TOPICS = 20
TEXTS_PER_TOPIC = 50  # at least; a language with fewer than twice as many texts has no topics
MIN_TEXTS = 5  # with a word
MAX_SHARE = 0.3  # of the texts with a word
MAX_FITTED = 20_000  # texts that the words of topics are learned from
MIN_SAME = 0.5  # cosine similarity of the words of a topic with those of the last night
MIN_WEIGHT = 0.01  # of a word in a topic, of the largest one
N_NAMED, N_WORDS = 3, 12  # words in the name of a topic, and in its list
N_ITERATIONS = 200
SEED = 7
STEMS = " stems"  # behind a language whose words are stems


def topics(words: pl.DataFrame, previous: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """
    Find the topics of lyrics.

    Args:
        words: track_id, language (with ` stems` behind it where the words are stems), word, n.
        previous: The second table that the previous night returned; empty at the first.

    Returns:
        Three tables: the topics, with TOPICS_COLUMNS; the weight of each word in each topic, with TOPIC_WORDS_COLUMNS;
        the topic of each recording, with LYRIC_TOPICS_COLUMNS, where share is how much of what the topics explain of
        its words is due to that topic, 0..1. Recordings without a word that tells a topic have none.
    """
    found = [
        _of_language(str(language), telling, previous.filter(language=language))
        for (language,), texts in words.sort("language", "track_id", "word").group_by("language", maintain_order=True)
        if (telling := _telling(texts))["track_id"].n_unique() >= 2 * TEXTS_PER_TOPIC
    ]
    contracts = (TOPICS_COLUMNS, TOPIC_WORDS_COLUMNS, LYRIC_TOPICS_COLUMNS)
    of_each = zip(*found, strict=True) if found else ((), (), ())
    first, second, third = (
        pl.concat([pl.DataFrame(schema=schema(columns)), *tables])
        for columns, tables in zip(contracts, of_each, strict=True)
    )
    return first, second, third


def _of_language(
    language: str, texts: pl.DataFrame, previous: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return the three tables of one language."""
    ids, names, weights = _weighted(texts)
    n_topics = min(MAX_TOPICS, len(ids) // TEXTS_PER_TOPIC)
    fitted = weights[_sample(len(ids))]
    components = factorize(fitted, n_topics, start_of(previous, names, fitted, n_topics))
    numbers = _numbers(previous, components, names)
    of_texts = explained(weights, components)
    topic, total = of_texts.argmax(axis=1), of_texts.sum(axis=1)
    members = pl.DataFrame({"track_id": ids, "topic": topic, "share": of_texts.max(axis=1) / np.maximum(total, 1e-12)})
    members = members.filter(pl.Series(total > 0)).with_columns(language=pl.lit(language))
    counts = np.bincount(members["topic"], minlength=len(components))
    tables = (
        _described(language, components, names, counts),
        _words_of(language, components, names),
        members.select("track_id", "language", "topic", "share").cast(schema(LYRIC_TOPICS_COLUMNS)),
    )
    described, words, listed = (table.with_columns(pl.col("topic").replace(numbers)) for table in tables)
    return described, words, listed


def _weighted(texts: pl.DataFrame) -> tuple[list[str], list[str], Csr]:
    """Return track ids, words, and tf-idf weights, rows of norm 1; counts are damped twice, since choruses repeat."""
    ids, names = texts["track_id"].unique().sort(), texts["word"].unique().sort()
    cells = (ids.search_sorted(texts["track_id"]), names.search_sorted(texts["word"]))
    counts = sp.csr_matrix((np.log1p(texts["n"].to_numpy()), cells), shape=(len(ids), len(names)))
    return ids.to_list(), names.to_list(), tfidf(counts).tocsr()


def _telling(texts: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of words that tell topics."""
    is_told = pl.len().over("word").is_between(MIN_TEXTS, MAX_SHARE * texts["track_id"].n_unique())
    return texts.filter(is_told)


def _sample(n_texts: int) -> np.ndarray:
    """Return evenly spaced rows, at most MAX_FITTED."""
    return np.unique(np.linspace(0, n_texts - 1, min(n_texts, MAX_FITTED)).astype(np.int64))


def start_of(previous: pl.DataFrame, names: list[str], weights: Csr, n_topics: int) -> F64 | None:
    """
    Return the words of the last topics, and for more topics those of the texts that these explain worst; else None.

    Shape (n_topics, n_words), float64: at least as many topics as before.
    """
    if previous.is_empty() or not names:
        return None
    last = _words_then(previous, names) + 1e-4
    n_new = max(0, n_topics - len(last))
    left = np.asarray(weights.sum(axis=1)).ravel() - explained(weights, last).sum(axis=1)
    worst = np.argsort(-left, kind="stable")[:n_new]
    return np.vstack([last, weights[worst].toarray() + 1e-4])


def _words_then(previous: pl.DataFrame, names: list[str]) -> F64:
    """Return the weights of words in the last topics, in the order of their numbers; 0 for words without one."""
    last = np.zeros((previous["topic"].n_unique(), len(names)))
    rows = {topic: row for row, topic in enumerate(previous["topic"].unique().sort())}
    columns = {name: column for column, name in enumerate(names)}
    for topic, word, weight in previous.select("topic", "word", "weight").iter_rows():
        if word in columns:
            last[rows[topic], columns[word]] = weight
    return last


def _numbers(previous: pl.DataFrame, components: F64, names: list[str]) -> dict[int, int]:
    """Return the number of each row of components: that of the last topic with its words, or one that is new."""
    if previous.is_empty():
        return {row: row for row in range(len(components))}
    numbers = previous["topic"].unique().sort().to_list()
    last = _words_then(previous, names)
    lengths = np.sqrt(previous.group_by("topic").agg(pl.col("weight").pow(2).sum()).sort("topic")["weight"].to_numpy())
    same = (components[: len(last)] * last).sum(axis=1) >= MIN_SAME * lengths
    unused = itertools.count(numbers[-1] + 1)
    kept = dict(enumerate(zip(numbers, same, strict=True)))
    return {row: kept[row][0] if row in kept and kept[row][1] else next(unused) for row in range(len(components))}


def factorize(weights: Csr, n_topics: int, start: F64 | None) -> F64:
    """
    Factorize weights of words; return the words of each topic, rows of norm 1.

    Args:
        weights: Shape (n_texts, n_words).
        n_topics: Number of topics without a start.
        start: Words of topics to begin with, shape (n_topics, n_words); None begins anew.

    Returns:
        Shape (n_topics, n_words), float64.
    """
    n_topics = min(n_topics, *weights.shape) if start is None else len(start)
    model = NMF(n_topics, init="nndsvda" if start is None else "custom", max_iter=N_ITERATIONS, random_state=SEED)
    given = {} if start is None else {"W": explained(weights, start) + 1e-4, "H": start.copy()}
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # the last steps move few texts
        model.fit_transform(weights, **given)
    return np.asarray(unit_rows(model.components_))


def explained(weights: Csr, components: F64) -> F64:
    """Return how much of each topic is in each text: the projection on its words. Shape (n_texts, n_topics)."""
    return np.asarray(weights @ components.T)


def _words_of(language: str, components: F64, names: list[str]) -> pl.DataFrame:
    rows, columns = np.nonzero(components >= MIN_WEIGHT * components.max(axis=1, keepdims=True))
    table = {"topic": rows, "word": [names[column] for column in columns], "weight": components[rows, columns]}
    return (
        pl.DataFrame(table)
        .select(pl.lit(language).alias("language"), "topic", "word", "weight")
        .cast(schema(TOPIC_WORDS_COLUMNS))
    )


def _described(language: str, components: F64, names: list[str], counts: np.ndarray) -> pl.DataFrame:
    """Return a row of TOPICS_COLUMNS per topic; a word counts by its weight, and by how much less of it others have."""
    distinct = components * components / np.maximum(components.sum(axis=0), 1e-12)
    distinct[components < MIN_WEIGHT * components.max(axis=1, keepdims=True)] = 0
    distinct[:, [bool(hits_in([name], language.removesuffix(STEMS))) for name in names]] = 0
    best = np.argsort(-distinct, axis=1, kind="stable")[:, :N_WORDS]
    listed = [[names[column] for column in row if distinct[topic, column] > 0] for topic, row in enumerate(best)]
    titles = [", ".join(words[:N_NAMED]) for words in listed]
    rows = zip([language] * len(listed), range(len(listed)), titles, counts.tolist(), listed, strict=True)
    return pl.DataFrame(list(rows), schema(TOPICS_COLUMNS), orient="row")
