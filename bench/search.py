"""
Search by terms: nDCG@10 of forty queries on the demo world, and latency over a made-up catalogue of a million tracks.

The queries (`bench/search_queries/queries.toml`) were written before the grammar; their answers are SQL on the tables of
the demo world and its truth file, which lies beside its home. The made-up catalogue has the columns of the marts, ten tags
of the sound per track, and titles of the demo world with a further word each; the queries are the same forty, and those
with words, names, artists or labels are counted as with free words. One process; every query is run `--repeats` times.
"""

import json
import math
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl


QUERIES = Path(__file__).parent / "search_queries" / "queries.toml"
K, BAR = 10, 0.9
WITHDRAWN = date(2026, 6, 30)
SONGS_SQL = """
select
    tracks.track_id, tracks.title, artists.name as artist, artists.country as artist_country, labels.name as label,
    labels.label_type, tracks.release_title, coalesce(tracks.genres, []) as genres, tracks.language, tracks.release_date,
    year(tracks.release_date) as year, tracks.duration_ms / 1000 as duration_s, tracks.explicit,
    coalesce(tracks.available_in, []) as available_in, sounds.tempo_bpm, sounds.key, sounds.mode, sounds.melody_program,
    sounds.has_drums
from tracks
left join artists on tracks.artist_id = artists.artist_id
left join labels on tracks.label_id = labels.label_id
left join sounds on tracks.track_id = sounds.track_id
where tracks.withdrawn_at is null or tracks.withdrawn_at > $as_of
"""


def queries() -> list[dict[str, str]]:
    """Return the queries: `text` and `answer`, which is SQL."""
    found: list[dict[str, str]] = tomllib.loads(QUERIES.read_text(encoding="utf-8"))["queries"]
    return found


def ndcg(ranked: list[str], grades: Mapping[str, int], k: int = K) -> float:
    """Return the nDCG of a list with gains 2^grade - 1 (Burges et al. 2005)."""

    def dcg(gains: list[int]) -> float:
        return sum((2**gain - 1) / math.log2(place + 2) for place, gain in enumerate(gains[:k]))

    return dcg([grades.get(track, 0) for track in ranked]) / dcg(sorted(grades.values(), reverse=True))


def answers(truth: Path, scale: float) -> list[dict[str, int]]:
    """Return the graded answer of each query, by plain SQL on the tables of the demo world."""
    import duckdb

    from recsys.demo.world import World
    from recsys.demo.write import simulate

    tables = simulate(World(scale=scale)).tables
    with duckdb.connect() as connection:
        for name, frame in {**_planted(truth), **_fields(tables)}.items():
            connection.register(f"{name}_frame", frame.to_arrow())
            connection.execute(f"create table {name} as select * from {name}_frame")
        connection.execute("create table songs as " + SONGS_SQL, {"as_of": WITHDRAWN})
        return [dict(connection.execute(query["answer"]).fetchall()) for query in queries()]


def _fields(tables: Any) -> dict[str, "pl.DataFrame"]:
    return {"tracks": tables.tracks, "artists": tables.artists, "labels": tables.labels}


def _planted(truth: Path) -> dict[str, "pl.DataFrame"]:
    """Return the sounds and the related recordings of a truth file."""
    import polars as pl

    facts = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
    sounds = [{"track_id": fact["id"], **fact["details"]} for fact in facts if fact["kind"] == "sound"]
    related = [
        {"track_id": fact["id"], "kind": fact["kind"], "of": fact["details"]["of"]}
        for fact in facts
        if fact["kind"] in {"cover", "remix", "reupload"}
    ]
    has_drums = pl.col("has_drums").cast(pl.String).str.to_lowercase() == "true"
    return {"sounds": pl.DataFrame(sounds).with_columns(has_drums), "related": pl.DataFrame(related)}


def measure_answers(home: Path, truth: Path, scale: float) -> None:
    """Print the nDCG@10 of each query, and the mean."""
    from recsys.home import Home
    from recsys.library.settings import AudioSettings
    from recsys.published.search import search_home

    values = []
    for query, grades in zip(queries(), answers(truth, scale), strict=True):
        results = search_home(Home(home), query["text"], AudioSettings(), n=K)
        values.append(ndcg(results.rows["track_id"].to_list(), grades))
        print(f"{values[-1]:.3f}  {results.n_found:>5,} found, {len(grades):>5,} right  {query['text']}")
    print(f"{len(values)} queries: nDCG@{K} {sum(values) / len(values):.3f} (bar {BAR})")
