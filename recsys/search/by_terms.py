"""
Search by terms: a text becomes conditions (`grammar`), the conditions one SQL query, its rows results with reasons.

Results are ordered by the mean score of the conditions, then newest first. If there are fewer than asked for, tracks
follow that miss exactly one of at least three conditions, one on what was measured or heard; they say so. Where a
condition asks for similar sound, the nearest neighbours come from the vector index, and the SQL keeps those that
satisfy the other conditions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import combinations

import polars as pl

from recsys.search import places
from recsys.search.catalogue import Catalogue, Reference
from recsys.search.condition import Condition, literals
from recsys.search.grammar import parse
from recsys.search.terms.mood import MOODS
from recsys.search.vector_index import NO_ROW, Index
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

SHOWN = {
    "track_id": "t.track_id",
    "title": "t.title",
    "artist_name": "t.artist_name",
    "artist_id": "t.artist_id",
    "label_name": "t.label_name",
    "label_id": "t.label_id",
    "release_date": "t.release_date",
    "tempo_bpm": "t.tempo_bpm",
    "key": "t.key",
    "mode": "t.mode",
    "duration_ms": "t.duration_ms",
    "isrc": "t.isrc",
}
_FIRST = ("rank", "track_id", "title", "artist_name", "why", "misses", "fit")
COLUMNS = (*_FIRST, *(name for name in SHOWN if name not in _FIRST))
N_NEIGHBOURS = (
    1_000  # of a reference; ten times as many, and so on, while fewer results than asked for satisfy the rest
)
N_SUGGESTIONS = 3
MAX_DROPPED, MAX_ADVICE = 2, 4  # conditions that an advice drops together, and advices
MIN_SIMILARITY = 0.75  # of a suggestion, 0..1 as difflib measures it
MIN_CONDITIONS = 3  # of a search whose results may miss one


@dataclass(frozen=True)
class Results:
    """
    The answer to a search.

    Attributes:
        understood: How each condition was understood.
        rows: rank, track_id, title, artist_name, why (the track's value for each condition), misses (the condition that
            it does not satisfy, null for none), fit (mean score of the conditions, 0..1), artist_id, label_name,
            label_id, release_date, tempo_bpm, key, mode, duration_ms, isrc.
        n_found: Number of tracks that satisfy all conditions; of similar sound, among the neighbours searched.
        advice: Where nothing was found: which condition to drop, with the number of results then, and suggestions.
    """

    understood: tuple[str, ...]
    rows: pl.DataFrame
    n_found: int
    advice: tuple[str, ...] = ()

    def notes(self) -> list[str]:
        """Return in words how the search was understood, how many tracks satisfy it, and the advice."""
        n_close = self.rows["misses"].count()
        close = f", and {n_close:,} that miss one condition" if n_close else ""
        found = f"{self.n_found:,} tracks satisfy all conditions{close}"
        return [f"Understood as: {'; '.join(self.understood)}", found, *self.advice]


def search(warehouse: Warehouse, index: Index | None, catalogue: Catalogue, text: str, *, n: int) -> Results:
    """
    Search the catalogue of a warehouse.

    Args:
        warehouse: The warehouse; only its tracks are found.
        index: The vector index, for similar sound.
        catalogue: What the terms may ask about the catalogue.
        text: The search, see `grammar.parse`.
        n: Maximum number of results.

    Raises:
        InputError: The text cannot be read (see `grammar.parse`).
        UnknownIds: A track to compare with does not exist.
    """
    conditions = parse(text, catalogue)
    understood = tuple(condition.text for condition in conditions)
    found = _rows(warehouse, index, conditions, catalogue, n)
    advice: list[str] = []
    if found.is_empty():
        advice = [*_to_drop(warehouse, index, conditions, catalogue), *_suggestions(warehouse, conditions, catalogue)]
    rows = _with_reasons(found, conditions)
    for missed in _missable(conditions) if found.height < n else ():
        changed = [_missed(one) if one is missed else one for one in conditions]
        close = _rows(warehouse, index, changed, catalogue, n - found.height)
        rows = pl.concat([rows, _with_reasons(close, changed, misses=missed.text)])
    n_found = 0 if found.is_empty() else found["n_found"][0]
    return Results(understood, _ranked(rows, n), n_found, tuple(advice))


def _missable(conditions: Sequence[Condition]) -> list[Condition]:
    """Return the conditions of which a track may miss one."""
    return [one for one in conditions if one.is_flexible] if len(conditions) >= MIN_CONDITIONS else []


def _missed(condition: Condition) -> Condition:
    """Return the condition that a track misses a condition, or that it is not known whether it does."""
    return replace(
        condition,
        where=f"not coalesce({condition.where}, false)",
        score="0",
        reason=lambda _row: f"not: {condition.text}",
    )


def _ranked(rows: pl.DataFrame, n: int) -> pl.DataFrame:
    """Return the first `n` rows: those that miss nothing, then in turn the best of those that miss each condition."""
    turn = pl.when(pl.col("misses").is_null()).then(-1).otherwise(pl.col("misses").cum_count().over("misses"))
    best = rows.sort(turn, -pl.col("fit"), maintain_order=True).head(n)
    return best.with_columns(rank=pl.int_range(1, best.height + 1, dtype=pl.Int32))


def _rows(
    warehouse: Warehouse, index: Index | None, conditions: Sequence[Condition], catalogue: Catalogue, n: int
) -> pl.DataFrame:
    """Return the best rows; where sound is asked for, fetch neighbours until enough satisfy the other conditions."""
    references = [condition.sound for condition in conditions if condition.sound is not None]
    if not references or index is None:
        return warehouse.query(_sql(conditions, catalogue, n))
    n_neighbours = N_NEIGHBOURS
    while True:
        rows = warehouse.query(_sql(conditions, catalogue, n, _neighbours_sql(index, references, n_neighbours)))
        if rows.height >= n or n_neighbours >= len(index):
            return rows
        n_neighbours *= 10


def _neighbours_sql(index: Index, references: Sequence[Reference], n: int) -> str:
    """Return the SQL of the nearest neighbours: track_id and similarity, the mean of several references."""
    found = [index.search(reference.vector[None], min(n, len(index))) for reference in references]
    pairs = [
        (str(index.ids[row]), float(score))
        for result in found
        for row, score in zip(result.rows[0], result.scores[0], strict=True)
        if row != NO_ROW
    ]
    own = [reference.track_id for reference in references if reference.track_id]
    frame = pl.DataFrame(pairs, schema=["track_id", "similarity"], orient="row").filter(~pl.col("track_id").is_in(own))
    ids, scores = literals(frame["track_id"].to_list())[1:-1], ", ".join(map(str, frame["similarity"].to_list()))
    pairs_sql = f"select unnest([{ids}]::varchar[]) as track_id, unnest([{scores}]::double[]) as similarity"
    return (
        f"select track_id, sum(similarity) / {len(references)} as similarity from ({pairs_sql}) as pairs "
        f"group by track_id having count(*) = {len(references)}"
    )


def _sql(conditions: Sequence[Condition], catalogue: Catalogue, n: int, sound: str | None = None) -> str:
    """Return the query of the best `n` tracks, with the values that the reasons need."""
    values = {name: sql for one in conditions for name, sql in one.values.items() if name not in SHOWN}
    columns = ",\n    ".join(f"{sql} as {name}" for name, sql in (SHOWN | values).items())
    score = f"({' + '.join(condition.score for condition in conditions)}) / {len(conditions)}"
    where = "\n    and ".join(f"({condition.where})" for condition in conditions)
    return f"""
select
    {columns},
    {score} as fit,
    count(*) over () as n_found
{_from(conditions, catalogue, sound)}
    and {where}
order by fit desc, t.release_date desc nulls last, t.track_id
limit {n}
"""


def _from(conditions: Sequence[Condition], catalogue: Catalogue, sound: str | None) -> str:
    joins = {alias: sql for condition in conditions for alias, sql in condition.joins.items()}
    if any(condition.sound is not None for condition in conditions):
        joins["sound"] = sound or "select null::varchar as track_id, null::double as similarity"
    joined = "\n".join(f"left join ({sql}) as {alias} on t.track_id = {alias}.track_id" for alias, sql in joins.items())
    return f"""from marts.track_features as t
{joined}
where t.is_known and (t.withdrawn_at is null or t.withdrawn_at > date '{catalogue.as_of.isoformat()}')"""


def _with_reasons(rows: pl.DataFrame, conditions: Sequence[Condition], misses: str | None = None) -> pl.DataFrame:
    why = ["; ".join(condition.reason(row) for condition in conditions) for row in rows.iter_rows(named=True)]
    return rows.with_columns(
        rank=pl.lit(0, pl.Int32), why=pl.Series(why, dtype=pl.String), misses=pl.lit(misses, pl.String)
    ).select(COLUMNS)


def _to_drop(
    warehouse: Warehouse, index: Index | None, conditions: Sequence[Condition], catalogue: Catalogue
) -> list[str]:
    """Return which condition to drop, and how many tracks are found then; two of them if no single one explains it."""
    holds = [f"coalesce({condition.where}, false) as holds_{nth}" for nth, condition in enumerate(conditions)]
    references = [condition.sound for condition in conditions if condition.sound is not None]
    sound = _neighbours_sql(index, references, len(index)) if references and index is not None else None
    rows = f"select {', '.join(holds)} {_from(conditions, catalogue, sound)}"
    numbers = range(len(conditions))
    for n_dropped in range(1, min(len(conditions), MAX_DROPPED + 1)):
        dropped = list(combinations(numbers, n_dropped))
        kept = [" and ".join(f"holds_{nth}" for nth in numbers if nth not in drop) for drop in dropped]
        counts = ", ".join(f"count(*) filter (where {where}) as n_{nth}" for nth, where in enumerate(kept))
        found = warehouse.query(f"select {counts} from ({rows}) as rows").row(0)
        if best := sorted(((n, drop) for n, drop in zip(found, dropped, strict=True) if n), reverse=True):
            names = [" and ".join(f"“{conditions[nth].text}”" for nth in drop) for _, drop in best[:MAX_ADVICE]]
            return [f"Without {name}: {n:,} results" for (n, _), name in zip(best, names, strict=False)]
    return []


def _suggestions(warehouse: Warehouse, conditions: Sequence[Condition], catalogue: Catalogue) -> list[str]:
    """Return a suggestion for each word that looks like a tag, a mood, a place, a language or a word of a name."""
    words = [word for condition in conditions for word in condition.words]
    if not words:
        return []
    moods = [mood for synonyms in MOODS.values() for mood in synonyms]
    vocabulary = [*catalogue.tags, *moods, *places.ADJECTIVES, *places.languages()]
    names = _words_of_names(warehouse)
    suggestions = []
    for word in (part for text in words for part in text.split()):
        near = names.filter(names.str.contains_any(_trigrams(word), ascii_case_insensitive=True)).to_list()
        similar = get_close_matches(word.lower(), [*vocabulary, *near], n=N_SUGGESTIONS, cutoff=MIN_SIMILARITY)
        if similar and similar[0] != word.lower():
            suggestions.append(f"For “{word}”, did you mean: {', '.join(similar)}?")
    return suggestions


def _words_of_names(warehouse: Warehouse) -> pl.Series:
    names = warehouse.query(internal_sql("distinct_names"))["name"]
    return names.str.to_lowercase().str.extract_all(r"[\p{L}\p{N}]+").explode().drop_nulls().unique().sort()


def _trigrams(word: str) -> list[str]:
    """Return the trigrams of a word, or the word itself if it is shorter."""
    return [word[start : start + 3] for start in range(max(len(word) - 2, 1))]
