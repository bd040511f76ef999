"""
Search by terms: a text becomes conditions (`grammar`), the conditions one SQL query, its rows results with reasons.

Results are ordered by the mean score of the conditions, then newest first. Where a condition asks for similar sound, the
nearest neighbours come from the vector index, and the SQL keeps those that satisfy the other conditions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

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
}
N_NEIGHBOURS = 1_000  # of a reference; ten times as many, and so on, while fewer results than asked for satisfy the rest
N_SUGGESTIONS = 3


@dataclass(frozen=True)
class Results:
    """
    The answer to a search.

    Attributes:
        understood: How each condition was understood.
        rows: rank, track_id, title, artist_name, label_name, release_date, tempo_bpm, key, mode, score (0..1), why (the
            track's value for each condition), artist_id, label_id.
        n_found: Number of tracks that satisfy all conditions; of similar sound, among the neighbours that were searched.
        advice: Where nothing was found: which condition to drop, with the number of results then, and suggestions.
    """

    understood: tuple[str, ...]
    rows: pl.DataFrame
    n_found: int
    advice: tuple[str, ...] = ()


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
    rows = _rows(warehouse, index, conditions, catalogue, n)
    if rows.is_empty():
        advice = [*_to_drop(warehouse, index, conditions, catalogue), *_suggestions(warehouse, conditions, catalogue)]
        return Results(understood, _with_reasons(rows, conditions), 0, tuple(advice))
    return Results(understood, _with_reasons(rows, conditions), rows["n_found"][0])


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
    values = {name: sql for condition in conditions for name, sql in condition.values.items() if name not in SHOWN}
    columns = ",\n    ".join(f"{sql} as {name}" for name, sql in (SHOWN | values).items())
    score = f"({' + '.join(condition.score for condition in conditions)}) / {len(conditions)}"
    where = "\n    and ".join(f"({condition.where})" for condition in conditions)
    return f"""
select
    {columns},
    {score} as score,
    count(*) over () as n_found
{_from(conditions, catalogue, sound)}
    and {where}
order by score desc, t.release_date desc nulls last, t.track_id
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


def _with_reasons(rows: pl.DataFrame, conditions: Sequence[Condition]) -> pl.DataFrame:
    why = ["; ".join(condition.reason(row) for condition in conditions) for row in rows.iter_rows(named=True)]
    shown = [name for name in SHOWN if name not in {"artist_id", "label_id"}]
    return rows.with_columns(
        rank=pl.int_range(1, rows.height + 1, dtype=pl.Int32), why=pl.Series(why, dtype=pl.String)
    ).select("rank", *shown, "score", "why", "artist_id", "label_id")


def _to_drop(
    warehouse: Warehouse, index: Index | None, conditions: Sequence[Condition], catalogue: Catalogue
) -> list[str]:
    """Return for each condition how many tracks are found without it; the most first, and none that leaves nothing."""
    if len(conditions) == 1:
        return []
    holds = [f"coalesce({condition.where}, false)" for condition in conditions]
    without = [" and ".join(other for other in holds if other is not one) or "true" for one in holds]
    references = [condition.sound for condition in conditions if condition.sound is not None]
    sound = _neighbours_sql(index, references, len(index)) if references and index is not None else None
    counts = ", ".join(f"count(*) filter (where {where}) as n_{nth}" for nth, where in enumerate(without))
    found = warehouse.query(f"select {counts} {_from(conditions, catalogue, sound)}").row(0)
    ranked = sorted(zip(found, conditions, strict=True), key=lambda pair: -pair[0])
    advice = [f"Without “{one.text}”: {n_found:,} results" for n_found, one in ranked if n_found]
    return advice or ["No single condition explains it: drop two or more of them"]


def _suggestions(warehouse: Warehouse, conditions: Sequence[Condition], catalogue: Catalogue) -> list[str]:
    """Return a suggestion for each word that no name contains."""
    words = [word for condition in conditions for word in condition.words]
    if not words:
        return []
    vocabulary = [*catalogue.tags, *places.ADJECTIVES, *places.languages(), *(mood for of in MOODS.values() for mood in of)]
    suggestions = []
    for word in words:
        names = warehouse.query(internal_sql("similar_names"), {"word": word, "n": N_SUGGESTIONS})["name"].to_list()
        similar = list(dict.fromkeys([*get_close_matches(word.lower(), vocabulary, n=2, cutoff=0.75), *names]))
        if similar:
            suggestions.append(f"For “{word}”, did you mean: {', '.join(similar[:N_SUGGESTIONS])}?")
    return suggestions
