"""Licences of recordings: newest registrations, lapsed ones, and plays that none permits."""

from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest

from recsys.demo.licences import make_licences
from recsys.home import Home
from recsys.ingest.run import ingest
from recsys.lake.store import Lake
from recsys.pipeline.plan import result_tables
from recsys.rights.check import conflicts
from recsys.warehouse.build import Sources, build
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse, run_query

AS_OF = date(2026, 1, 31)
TRACKS = [f"trk_{n:02d}" for n in range(26)]
OWN = """source,licence_id,registered_at,term_no,isrc,track_id,use_type,territories,valid_from,valid_until
a,old,2025-01-01,0,,trk_20,stream,2136,,2025-12-31
a,old,2025-06-01,0,,trk_20,stream,2136,,
a,nordic,2025-01-01,0,DE-A01-26-00021,,stream,2131|-SE,2025-01-01,2026-01-20
a,gb,2025-01-01,0,,trk_22,stream,2136|-GB,,
a,down,2025-01-01,0,,trk_23,download,2136,,2025-12-31
b,withdrawn,2025-01-01,0,,trk_19,stream,2136,,2026-01-10
a,renewed,2025-01-01,0,,trk_18,stream,2136,,
a,renewed,2026-01-15,0,,trk_18,stream,2136,2026-01-15,
a,soon,2025-01-01,0,,trk_24,stream,DE,,2026-02-10
a,soon,2025-01-01,1,,trk_24,stream,FR|GB,2026-02-05,
"""  # nobody plays the last; of the others, DE plays everything on the 10th, GB on the 20th


BUILT = [f"marts.{name}" for name in ("rights_conflicts", "track_features", "streaming_periods", "duplicate_links")]
PLACES = ("not available in", "no licence to stream")
SERVED_ON = (date(2026, 2, 1), date(2026, 2, 5), date(2026, 2, 11))


class World(NamedTuple):
    """Planted and found conflicts of licences; what may be listed, and why others may not."""

    planted: set[tuple[str, str]]
    found: pl.DataFrame
    offered: pl.DataFrame
    heard: dict[str, set[str]]  # country of a listener -> recordings for a soundtrack
    reasons: dict[tuple[str, str], list[str]]  # country and recording -> why it is on no list


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Build a warehouse of licences and plays, and read it."""
    folder = tmp_path_factory.mktemp("licences")
    tracks = pl.DataFrame({"track_id": TRACKS, "title": TRACKS}).with_columns(
        isrc=pl.Series([f"DEA0126000{n:02d}" for n in range(26)]),
        artist_id=pl.lit("ar"),
        withdrawn_at=pl.when(pl.col("track_id") == "trk_19").then(date(2026, 1, 11)),
        available_in=pl.when(pl.col("track_id").is_in(["trk_22", "trk_25"])).then(pl.lit("AT|DE|GB")),
    )
    licences, truths = make_licences(tracks[:19], TRACKS[:19], AS_OF, 4, np.random.default_rng(7))
    listens = pl.concat(
        pl.DataFrame({"track_id": TRACKS[:24]}).with_columns(
            user_id=pl.lit(user), listened_at=pl.lit(f"2026-01-{day}T10:00:00Z"), ms_played=60_000
        )
        for user, day in (("de", 10), ("gb", 20))
    )
    listens = pl.concat([listens, *(listens[:1].with_columns(user_id=pl.lit(user)) for user in ("nowhere", "at"))])
    users = pl.DataFrame({"user_id": ["de", "gb", "nowhere", "at"], "country": ["DE", "GB", None, "AT"]})
    for name, rows in {"tracks": tracks, "licences": licences, "listens": listens, "users": users}.items():
        rows.write_ndjson(folder / f"{name}.jsonl")
    (folder / "own.csv").write_text(OWN)
    home, built = Home(folder / "home"), folder / "built.duckdb"
    report = ingest(home, sorted([*folder.glob("*.jsonl"), folder / "own.csv"]), today=AS_OF)
    assert (report.unreadable, sum(batch.n_quarantined for batch in report.batches)) == ([], 0)
    sources = Sources(Lake(home), AS_OF, results=result_tables())
    build(built, sources, only=BUILT, memory="1GB")
    with Warehouse.open(built) as warehouse:
        found = conflicts(warehouse, ("lapsed_licence", "unlicensed_use"))
        offered = [
            warehouse.query(internal_sql("catalogue"), {"served_on": day}).with_columns(served_on=day)
            for day in SERVED_ON
        ]
        ids = dict(warehouse.query("select country, user_id from marts.listener_profile").iter_rows())
        heard = {
            where: set(warehouse.query(internal_sql("soundtrack_tracks"), {"user_id": user})["track_id"])
            for where, user in ids.items()
        }
        reasons = {
            (where, track): list(run_query(warehouse, "why_not", {"user_id": user, "track_id": track})["reason"])
            for where, user in ids.items()
            for track in TRACKS[20:]
        }
    planted = {(str(truth.details["kind"]), truth.id) for truth in truths if truth.kind == "rights_conflict"}
    return World(planted, found, pl.concat(offered), heard, reasons)


def test_planted_conflicts_are_found_and_no_look_alike(world: World) -> None:
    """Both kinds, four times each, with as many look-alikes."""
    planted, found = world.planted, world.found

    among = found.filter(pl.col("track_id") < "trk_19")
    assert len(planted) == 8
    assert set(among.select("kind", "track_id").rows()) == planted


def test_own_licences_by_the_definition(world: World) -> None:
    """A renewed and a withdrawn one are lawful; an ISRC names a recording; downloads permit no stream."""
    found = world.found.filter(pl.col("track_id") < "trk_24")

    own = found.filter(pl.col("track_id") >= "trk_19").sort("kind", "track_id", "territory")
    lapsed, unlicensed = own.filter(kind="lapsed_licence"), own.filter(kind="unlicensed_use")
    assert [(*row, str(day)) for *row, day in lapsed.select("track_id", "territory", "since").rows()] == [
        ("trk_21", where, "2026-01-21") for where in ("DK", "NO")
    ]
    assert unlicensed.select(
        "track_id", "territory", "n_plays"
    ).rows() == [  # plays without a licence, in all countries
        ("trk_19", "GB", 1),
        ("trk_21", "DE", 2),
        ("trk_21", "GB", 2),
        ("trk_22", "GB", 1),
        ("trk_23", "DE", 2),
        ("trk_23", "GB", 2),
    ]


def test_recordings_are_listed_where_a_licence_permits_it_on_the_day(world: World) -> None:
    """Of a recording with two terms, each country from its first to its last day; others as their licences say."""
    offered = world.offered.with_columns(places=pl.col("available_in").list.join(" ")).rows_by_key(
        "track_id", named=True
    )
    places = {track_id: [row["places"] for row in rows] for track_id, rows in offered.items()}

    assert places["trk_24"] == ["DE", "DE FR GB", "FR GB"]
    assert "trk_21" not in places
    assert "trk_23" not in places  # its licence is for downloads alone
    assert places["trk_22"] == ["AT DE"] * 3  # the whole world without GB, delivered for three countries
    assert places["trk_20"] == [None] * 3
    assert places["trk_25"] == ["AT DE GB"] * 3


def test_every_list_and_reason_says_the_same(world: World) -> None:
    """Of listeners in three countries and one of an unknown country, on the day after the data."""
    own = set(TRACKS[20:])

    assert {where: heard & own for where, heard in world.heard.items()} == {
        "DE": {"trk_20", "trk_22", "trk_24", "trk_25"},
        "GB": {"trk_20", "trk_25"},
        "AT": {"trk_20", "trk_22", "trk_25"},
        "unknown": {"trk_20"},
    }
    for where, heard in world.heard.items():
        closed = {track for track in own if any(word in str(world.reasons[where, track]) for word in PLACES)}
        assert closed == own - heard
    assert world.reasons["unknown", "trk_24"] == ["no licence to stream it in the listener's country"]


def test_planted_recordings_are_played_and_offered() -> None:
    """Withdrawn recordings and those that nobody played are left alone."""
    tracks = pl.DataFrame({"track_id": ["a", "b", "c"], "withdrawn_at": [None, AS_OF, None]})

    rows, truths = make_licences(tracks, ["a", "b"], AS_OF, 5, np.random.default_rng(1))

    assert {truth.id for truth in truths} == {"a"}
    assert set(rows["track_id"]) == {"a", "b", "c"}
