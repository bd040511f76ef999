"""
Search by terms: nDCG@10 of forty queries on the demo world, and latency over a made-up catalogue of a million tracks.

The queries (bench/search_queries/queries.toml) were written before the grammar; their answers are SQL on the tables of
the demo world and its truth file, which lies beside its home. The made-up catalogue has the columns of the marts, ten
tags of the sound per track, and a title of two to four made-up words; the queries are the same forty, those with names
and words in their own kind. One process; reading the columns into memory once, before the first search, is not counted.
"""

import json
import math
import tempfile
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import click

from bench.options import benchmark, home_argument, size

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

QUERIES = Path(__file__).parent / "search_queries" / "queries.toml"
K, BAR = 10, 0.9
OPEN_SHARE, TAGS_PER_TRACK, DIMENSIONS = 0.9, 10, 64  # of the made-up catalogue
FREE_WORDS = (
    "label lodestar",
    "label:",
    "artist zoë",
    "steinhofel",
    "velvet",
    "thunder",
    "saudade",
)  # in these queries
SOUND_TAGS = {
    **dict.fromkeys(("piano", "drums", "strings", "guitar", "violin", "synth"), "instrument"),
    **dict.fromkeys(("instrumental", "no vocals", "female vocalists", "vocals"), "vocal"),
    **dict.fromkeys(("ambient", "classical", "jazz", "techno", "rock", "pop", "house", "soul", "folk"), "genre"),
    **dict.fromkeys(("mellow", "chill", "slow", "happy", "sad", "party", "quiet", "soft"), "mood"),
}
LYRICS_FIGURES = ("language_confidence", "explicit_probability", "happy_probability", "arousal")  # of 0..1 here
WITHDRAWN = date(2026, 6, 30)
SONGS_SQL = """
select
    tracks.track_id, tracks.title, artists.name as artist, artists.country as artist_country, labels.name as label,
    labels.label_type, tracks.release_title, coalesce(tracks.genres, []) as genres, tracks.language,
    tracks.release_date,    year(tracks.release_date) as year, tracks.duration_ms / 1000 as duration_s, tracks.explicit,
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
        return sum((2.0**gain - 1) / math.log2(place + 2) for place, gain in enumerate(gains[:k]))

    ideal = dcg(sorted(grades.values(), reverse=True))
    return dcg([grades.get(track, 0) for track in ranked]) / ideal


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


def made_up_tables(n: int, rng: "np.random.Generator") -> dict[str, "pl.DataFrame"]:
    """Return the marts of `n` made-up tracks that a search reads: features and tags; there are no lyrics."""
    import numpy as np
    import polars as pl

    from recsys.demo.geography import CODES, SCENES, TERRITORIES
    from recsys.demo.music import PITCHES

    scene = rng.integers(len(SCENES), size=n)
    artist, label = rng.integers(max(n // 10, 1), size=n), rng.integers(max(n // 500, 1), size=n)
    is_open = rng.random(n) < OPEN_SHARE
    track_ids = pl.Series([f"trk_{row:07d}" for row in range(n)])
    artists, labels = _names(int(artist.max()) + 1, 2, rng), _names(int(label.max()) + 1, 2, rng)
    artists[:2], labels[:2] = ["Zoë Tanabe", "Thunder, Golden & Daughters"], ["Lodestar Records", "Marigold Recordings"]
    titles = pl.Series(_names(n, 3, rng))
    genres = [[scene.genre, scene.second_genre] for scene in SCENES]
    tracks = pl.DataFrame(
        {
            "track_id": track_ids,
            "title": titles,
            "artist_id": pl.Series(artist).cast(pl.String),
            "artist_name": pl.Series(artists).gather(artist),
            "artist_country": pl.Series(rng.choice(CODES, n)),
            "label_id": pl.Series(label).cast(pl.String),
            "label_name": pl.Series(labels).gather(label),
            "label_type": pl.Series(rng.choice(["major", "independent", "unknown"], n)),
            "release_title": titles.gather(rng.permutation(n)),
            "release_date": pl.Series(rng.integers(0, 20_000, n)).cast(pl.Int32).cast(pl.Date),
            "duration_ms": pl.Series(rng.integers(60_000, 400_000, n)),
            "isrc": pl.Series([f"QZABC{row:07d}" for row in range(n)]),
            "genres": pl.Series(genres).gather(scene),
            "language": pl.Series([of.language or "unknown" for of in SCENES]).gather(scene),
            "explicit": pl.Series(rng.random(n) < 0.2),
            "available_in": pl.Series(
                [None if is_open[row] else list(TERRITORIES[1 + row % 8]) for row in range(n)], dtype=pl.List(pl.String)
            ),
            "withdrawn_at": pl.Series([None] * n, dtype=pl.Date),
            "is_known": pl.Series(np.ones(n, np.bool_)),
            "tempo_bpm": pl.Series(rng.normal(115, 28, n).clip(40, 220)),
            "key": pl.Series(rng.choice(PITCHES, n)),
            "mode": pl.Series(rng.choice(["major", "minor"], n)),
            "energy": pl.Series(rng.random(n)),
            "danceability": pl.Series(rng.random(n)),
            "loudness_lufs": pl.Series(rng.normal(-11, 3, n)),
        }
    )
    none: dict[str, dict[str, type[pl.DataType]]] = {
        "duplicate_links": {"track_id": pl.String, "same_as": pl.String},
        "track_lyrics": dict.fromkeys(("track_id", "stated_language", "language"), pl.String)
        | dict.fromkeys(LYRICS_FIGURES, pl.Float64),
        "lyric_themes": {"track_id": pl.String, "theme": pl.String, "share": pl.Float64},
    }
    empty = {name: pl.DataFrame(schema=columns) for name, columns in none.items()}
    return {"track_features": tracks, "track_tags": _tags(track_ids, rng), **empty}


def _names(n: int, n_words: int, rng: "np.random.Generator") -> list[str]:
    """Return names of made-up words, of which the frequent ones are far more frequent than most."""
    parts = made_up_words(rng)
    words = [rng.zipf(1.3, n).clip(max=len(parts)) - 1 for _ in range(n_words)]
    return [" ".join(parts[row] for row in rows) for rows in zip(*words, strict=True)]


def made_up_words(rng: "np.random.Generator") -> list[str]:
    """Return 50,000 made-up words of two to four syllables, after the words that the queries name."""
    syllables = [first + vowel + last for first in "bdfgklmnprstv" for vowel in "aeiou" for last in ("", "n", "r", "s")]
    drawn = rng.integers(len(syllables), size=(50_000, 4))
    known = [
        "Velvet",
        "Harbour",
        "Saudade",
        "Steinhöfel",
        "Thunder",
        "Golden",
        "Daughters",
        "Tanabe",
        "Marigold",
        "Zoë",
    ]
    made = ["".join(syllables[part] for part in row[: 2 + no % 3]).capitalize() for no, row in enumerate(drawn)]
    return made[:20] + known + made[20:]


def _tags(track_ids: "pl.Series", rng: "np.random.Generator") -> "pl.DataFrame":
    """Return ten tags of the sound per track with confidences that are mostly low."""
    import polars as pl

    n = len(track_ids) * TAGS_PER_TRACK
    tags = pl.DataFrame({"tag": list(SOUND_TAGS), "kind": [SOUND_TAGS[tag] for tag in SOUND_TAGS]})
    rows = (rng.integers(len(tags)) + rng.integers(len(tags), size=n)) % len(tags)
    return tags[rows].with_columns(
        track_id=track_ids.gather([row // TAGS_PER_TRACK for row in range(n)]),
        tagger=pl.lit("made up"),
        confidence=pl.Series(rng.beta(0.6, 2.0, n)),
        probability=pl.lit(None, pl.Float64),
    )


def measure_latency(n: int, n_repeats: int) -> None:
    """Print the median and the 95th percentile of the latency, without and with free words."""
    import numpy as np

    from recsys.search.by_terms import search
    from recsys.search.catalogue import Catalogue
    from recsys.search.vector_index import Index
    from recsys.warehouse.query import Warehouse

    rng = np.random.default_rng(7)
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder) / "made_up.duckdb", made_up_tables(n, rng))
        ids = [f"trk_{row:07d}" for row in range(n)]
        index = Index.build(ids, _vectors(n, rng), version="made up")
        with Warehouse.open(path) as warehouse:
            started = perf_counter()
            catalogue = Catalogue.read(warehouse, index)
            search(catalogue, "like trk_0000001", n=1)
            print(f"{n:,} tracks; read in {perf_counter() - started:.1f} s, once")
            seconds: dict[bool, list[float]] = {False: [], True: []}
            cpu_seconds: dict[bool, list[float]] = {False: [], True: []}
            for text, has_words in _texts():
                times = []
                for _ in range(n_repeats):
                    started, cpu = perf_counter(), process_time()
                    results = search(catalogue, text, n=20)
                    times.append(perf_counter() - started)
                    cpu_seconds[has_words].append(process_time() - cpu)
                seconds[has_words] += times
                print(f"{1000 * float(np.median(times)):>6.0f} ms  {results.n_found:>9,} found  {text}")
    for has_words, name, bar in ((False, "without", "100 / 300"), (True, "with", "300 / 600")):
        median, slow = 1000 * np.quantile(seconds[has_words], [0.5, 0.95])
        cpu, slow_cpu = 1000 * np.quantile(cpu_seconds[has_words], [0.5, 0.95])
        print(
            f"latency {name} free words: median {median:.0f} ms, 95th percentile {slow:.0f} ms (bars {bar}); "
            f"CPU time {cpu:.0f} and {slow_cpu:.0f} ms"
        )


def _texts() -> list[tuple[str, bool]]:
    """Return the queries on the made-up catalogue, and whether each has free words."""
    made = {"trk_852206": "trk_0000012", "trk_861742": "trk_0000034"}
    like_title = 'sounds like "The Engine Is Silver" by Farah Steinhöfel'
    texts = [query["text"].replace(like_title, "like trk_0000056") for query in queries()]
    for old, new in made.items():
        texts = [text.replace(old, new) for text in texts]
    return [(text, any(word in text.lower() for word in FREE_WORDS)) for text in texts]


def _vectors(n: int, rng: "np.random.Generator") -> Any:
    import numpy as np

    centres = rng.standard_normal((1_000, DIMENSIONS), np.float32)
    noise = rng.standard_normal((n, DIMENSIONS), np.float32)
    return centres[rng.integers(len(centres), size=n)] + np.float32(0.6) * noise


def written(path: Path, tables: Mapping[str, "pl.DataFrame"]) -> Path:
    """Write marts to a warehouse file, and return its path."""
    import duckdb

    with duckdb.connect(path) as connection:
        connection.execute("create schema marts; create schema meta")
        connection.execute("create table meta.build as select date '2026-06-30' as as_of")
        for name, frame in tables.items():
            connection.register("frame", frame.to_arrow())
            connection.execute(f"create table marts.{name} as select * from frame")
    return path


@benchmark(headline=r"latency without free words: median (\d+) ms")
@home_argument
@click.option("--truth", type=click.Path(path_type=Path), help="Truth file. [default: truth.jsonl beside the home]")
@click.option("--scale", default=1.0, show_default=True, help="Scale of the demo world.")
@size("--tracks", "n_tracks", default=1_000_000, smallest=2_000, help="Tracks of the made-up catalogue.")
@size("--repeats", "n_repeats", default=5, smallest=1, help="Times that each query is run.")
def main(home: Path, truth: Path | None, scale: float, n_tracks: int, n_repeats: int) -> None:
    """Print nDCG@10 per query and in the mean, then the latency."""
    truth = truth or home.parent / "truth.jsonl"
    if truth.exists():
        measure_answers(home, truth, scale)
    else:
        print(f"No truth file at {truth}: the answers are not measured")
    measure_latency(n_tracks, n_repeats)


if __name__ == "__main__":
    main()
