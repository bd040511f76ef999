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

import numpy as np
import polars as pl

from recsys.search import places
from recsys.search.catalogue import NO_ROW, Catalogue, Reference
from recsys.search.condition import Condition, literal, params_of
from recsys.search.grammar import parse
from recsys.search.terms.mood import MOODS

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
N_NEIGHBOURS = 1_000  # of a reference, among the tracks that satisfy the other conditions; more only if asked for
N_SUGGESTIONS, MAX_COMPARED = 3, 300  # per word, and words of names that a word is compared with
MAX_UNKNOWN, MAX_LETTERS = 3, 40  # words that get suggestions, and their length
MAX_DROPPED, MAX_ADVICE = 2, 4  # conditions that an advice drops together, and advices
MIN_SIMILARITY = 0.75  # of a suggestion, 0..1 as difflib measures it
MIN_CONDITIONS, MAX_MISSABLE = 3, 5  # conditions of a search whose results may miss one, and those that may be missed
MAX_COMBINED = 8  # conditions of a search whose pairs are tried for an advice


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
        close = f", and {n_close:,} that {'misses' if n_close == 1 else 'miss'} one condition" if n_close else ""
        found = (
            f"{_counted(self.n_found, 'track')} {'satisfies' if self.n_found == 1 else 'satisfy'} all conditions{close}"
        )
        return [f"Understood as: {'; '.join(self.understood)}", found, *self.advice]


def search(catalogue: Catalogue, text: str, *, n: int) -> Results:
    """
    Search a catalogue.

    Args:
        catalogue: The catalogue.
        text: The search, see `grammar.parse`.
        n: Maximum number of results.

    Raises:
        InputError: The text cannot be read (see `grammar.parse`).
        UnknownIds: A track to compare with does not exist.
    """
    conditions = parse(text, catalogue)
    found = _rows(catalogue, conditions, n)
    advice = [] if found.height else [*_to_drop(catalogue, conditions), *_suggestions(catalogue, conditions)]
    parts = [_with_reasons(found, conditions)]
    for missed in _missable(conditions) if found.height < n else ():
        changed = [_missed(one) if one is missed else one for one in conditions]
        close = _rows(catalogue, changed, n - found.height)
        parts.append(_with_reasons(close, changed, misses=missed.text))
    n_found = 0 if found.is_empty() else found["n_found"][0]
    return Results(tuple(one.text for one in conditions), _ranked(pl.concat(parts), n), n_found, tuple(advice))


def _missable(conditions: Sequence[Condition]) -> list[Condition]:
    """Return the conditions of which a track may miss one."""
    return [one for one in conditions if one.is_flexible][:MAX_MISSABLE] if len(conditions) >= MIN_CONDITIONS else []


def _missed(condition: Condition) -> Condition:
    """Return the condition that a track misses a condition, or that it is not known whether it does."""
    return replace(
        condition,
        where=f"not coalesce({condition.where}, false)",
        score="0",
        reason=lambda _row: f"misses {condition.text}",
    )


def _ranked(rows: pl.DataFrame, n: int) -> pl.DataFrame:
    """Return the first `n` rows: those that miss nothing, then in turn the best of those that miss each condition."""
    position = pl.when(pl.col("misses").is_null()).then(-1).otherwise(pl.col("misses").cum_count().over("misses"))
    ordered = rows.sort(position, -pl.col("fit"), maintain_order=True)
    best = ordered.unique("recording_id", keep="first", maintain_order=True).head(n)
    return best.with_columns(rank=pl.int_range(1, best.height + 1, dtype=pl.Int32)).select(COLUMNS)


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def _rows(catalogue: Catalogue, conditions: Sequence[Condition], n: int) -> pl.DataFrame:
    """Return the best `n` rows, one of each recording."""
    values = {name: sql for one in conditions for name, sql in one.values.items() if name not in SHOWN}
    listed = "".join(f", {sql} as {name}" for name, sql in values.items())
    fit = f"({' + '.join(condition.score for condition in conditions)}) / {len(conditions)}"
    query = f"""
with hits as materialized (
    select t.row, t.recording_id, t.release_date, {fit} as fit{listed}
    {_from(conditions, has_sound=bool(_references(conditions)))}
    where {_where(conditions)}
    qualify row_number() over (partition by t.recording_id order by fit desc, t.release_date desc nulls last, t.row) = 1
),

best as (
    select *, (select count(*) from hits) as n_found from hits
    order by fit desc, release_date desc nulls last, row
    limit {n}
)

select {", ".join(f"{sql} as {name}" for name, sql in SHOWN.items())}, best.* exclude (row, release_date)
from best inner join tracks as t on best.row = t.row
order by best.fit desc, best.release_date desc nulls last, best.row
"""
    return catalogue.query(query, params_of(conditions) | _neighbours(catalogue, conditions, n))


def _where(conditions: Sequence[Condition]) -> str:
    wheres = [f"({condition.where})" for condition in conditions]
    return " and ".join([*wheres, *(["sound.similarity is not null"] if _references(conditions) else [])])


def _from(conditions: Sequence[Condition], *, has_sound: bool) -> str:
    joins = {alias: sql for condition in conditions for alias, sql in condition.joins.items()}
    if has_sound:
        joins["sound"] = "select unnest($rows::bigint[]) as row, unnest($similarities::double[]) as similarity"
    joined = " ".join(f"left join ({sql}) as {alias} on t.row = {alias}.row" for alias, sql in joins.items())
    return f"from tracks as t {joined}"


def _references(conditions: Sequence[Condition]) -> list[Reference]:
    return [condition.sound for condition in conditions if condition.sound is not None]


def _neighbours(catalogue: Catalogue, conditions: Sequence[Condition], n: int) -> dict[str, object]:
    """
    Return the rows and similarities of the tracks that sound most alike and satisfy the other conditions.

    The similarity to several references is the mean of the similarities to each: that to the mean of their vectors.
    """
    references, index = _references(conditions), catalogue.index
    if not references or index is None:
        return {}
    own = [f"t.recording_id <> {literal(one.recording_id)}" for one in references if one.recording_id]
    where = " and ".join([*(f"({condition.where})" for condition in conditions), *own])
    satisfying = f"select t.row {_from(conditions, has_sound=False)} where {where}"
    allowed = catalogue.query(satisfying, params_of(conditions))["row"].to_numpy()
    rows = catalogue.rows_of_index
    is_allowed = np.zeros(catalogue.n_tracks + 1, np.bool_)  # the last is for NO_ROW, which is -1
    is_allowed[allowed] = True
    mask = is_allowed[rows]
    mean = np.stack([one.vector / np.linalg.norm(one.vector) for one in references]).mean(axis=0, dtype=np.float32)
    found = index.search(mean[None], min(max(N_NEIGHBOURS, n), int(mask.sum())), allowed=mask)
    is_found = found.rows[0] != NO_ROW  # an index pads what it does not find
    similarities = np.clip(found.scores[0][is_found].astype(float) * np.linalg.norm(mean), -1, 1)
    return {"rows": rows[found.rows[0][is_found]].tolist(), "similarities": similarities.tolist()}


def _with_reasons(rows: pl.DataFrame, conditions: Sequence[Condition], misses: str | None = None) -> pl.DataFrame:
    why = ["; ".join(condition.reason(row) for condition in conditions) for row in rows.iter_rows(named=True)]
    return rows.with_columns(
        rank=pl.lit(0, pl.Int32), why=pl.Series(why, dtype=pl.String), misses=pl.lit(misses, pl.String)
    ).select("recording_id", *COLUMNS)


def _to_drop(catalogue: Catalogue, conditions: Sequence[Condition]) -> list[str]:
    """Return which condition to drop, and how many tracks are found then; two of them if no single one explains it."""
    holds = [f"coalesce({condition.where}, false) as holds_{nth}" for nth, condition in enumerate(conditions)]
    rows = f"select t.recording_id, {', '.join(holds)} {_from(conditions, has_sound=False)}"
    numbers = range(len(conditions))
    most = MAX_DROPPED if len(conditions) <= MAX_COMBINED else 1
    for n_dropped in range(1, min(len(conditions), most + 1)):
        dropped = list(combinations(numbers, n_dropped))
        kept = [" and ".join(f"holds_{nth}" for nth in numbers if nth not in drop) for drop in dropped]
        counts = ", ".join(
            f"count(distinct recording_id) filter (where {where}) as n_{nth}" for nth, where in enumerate(kept)
        )
        found = catalogue.query(f"select {counts} from ({rows}) as rows", params_of(conditions)).row(0)
        if best := sorted((-n, drop) for n, drop in zip(found, dropped, strict=True) if n):
            names = [" and ".join(f"“{conditions[nth].text}”" for nth in drop) for _, drop in best[:MAX_ADVICE]]
            return [f"Without {name}: {_counted(-n, 'result')}" for (n, _), name in zip(best, names, strict=False)]
    return []


def _suggestions(catalogue: Catalogue, conditions: Sequence[Condition]) -> list[str]:
    """Return a suggestion for each word that looks like a tag, a mood, a place, a language or a word of a name."""
    moods = [mood for synonyms in MOODS.values() for mood in synonyms]
    vocabulary = [*catalogue.tags, *moods, *places.ADJECTIVES, *places.languages()]
    suggestions = []
    words = dict.fromkeys(part for one in conditions for text in one.words for part in text.lower().split())
    known = {*vocabulary, *catalogue.words_of_names.filter(catalogue.words_of_names.is_in(list(words)))}
    unknown = [word for word in words if word not in known and len(word) <= MAX_LETTERS][:MAX_UNKNOWN]
    for word in unknown:
        names = _alike(word, catalogue.words_of_names)
        similar = get_close_matches(word, [*vocabulary, *names], n=N_SUGGESTIONS, cutoff=MIN_SIMILARITY)
        if similar:
            suggestions.append(f"For “{word}”, did you mean: {', '.join(dict.fromkeys(similar))}?")
    return suggestions


def _alike(word: str, names: pl.Series) -> list[str]:
    """Return the words of names that share the most trigrams with a word and are about as long."""
    trigrams = {word[start : start + 3] for start in range(max(len(word) - 2, 1))}
    longest = len(word) * (2 / MIN_SIMILARITY - 1)  # of a word that can be as similar as asked for
    near = names.filter(names.str.len_chars() <= longest).to_frame("name")
    n_shared = pl.sum_horizontal(pl.col("name").str.contains(trigram, literal=True) for trigram in sorted(trigrams))
    shared = near.with_columns(n=n_shared).filter(pl.col("n") > 0)
    return shared.sort("n", "name", descending=[True, False]).head(MAX_COMPARED)["name"].to_list()
