"""Emerging groups: growth relative to the market, not with it."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from recsys.lake.store import Lake
from recsys.pipeline.plan import result_tables
from recsys.warehouse.build import Sources, build

from .conftest import Place, rows

LAST = date(2026, 2, 25)
GROWTH_SQL = (
    "select community, listener_growth, play_growth, is_emerging from marts.emerging_clusters order by community"
)


def weekly_listeners(track: str, counts: list[int]) -> list[str]:
    """Return listens: `counts` listeners play a track once each, on the last day of each week up to LAST."""
    days = [LAST - timedelta(weeks=len(counts) - 1 - week) for week in range(len(counts))]
    return [
        f"{track}-{n},{track},{day}T10:00:00Z,200000"
        for day, count in zip(days, counts, strict=True)
        for n in range(count)
    ]


def built_with(place: Place, *logs: list[str]) -> Path:
    """Build a warehouse of listens; track t1 is group 1, t2 is group 2 ..."""
    place.take("l.csv", "\n".join(["user_id,track_id,listened_at,ms_played", *(line for log in logs for line in log)]))
    groups = [("tracks", n, f"g{n}", 1, ["a"], ["g"]) for n in range(1, len(logs) + 1)]
    members = [("tracks", f"t{n}", n) for n in range(1, len(logs) + 1)]
    paths = {name: place.folder / f"{name}.parquet" for name in ("communities", "community_members")}
    schemas = {name: result_tables()[name].schema for name in paths}
    pl.DataFrame(groups, schemas["communities"], orient="row").write_parquet(paths["communities"])
    pl.DataFrame(members, schemas["community_members"], orient="row").write_parquet(paths["community_members"])
    target = place.folder / "emerging.duckdb"
    build(
        target,
        Sources(Lake(place.home), LAST, results=result_tables({name: [paths[name]] for name in paths})),
        memory="1GB",
    )
    return target


def test_a_group_that_grows_against_the_market_emerges(place: Place) -> None:
    """It doubles its share; the other group loses as much."""
    grows, stays = [30, 31, 29, 30, 60, 61, 59, 60], [60, 61, 59, 60, 30, 31, 29, 30]

    found = rows(built_with(place, weekly_listeners("t1", grows), weekly_listeners("t2", stays)), GROWTH_SQL)

    assert found == [
        (1, pytest.approx(2, rel=0.02), pytest.approx(2, rel=0.02), True),
        (2, pytest.approx(0.5, rel=0.02), pytest.approx(0.5, rel=0.02), False),
    ]


def test_growth_of_the_whole_market_is_not_emergence(place: Place) -> None:
    """All plays triple, so that no share changes."""
    rising = [30, 31, 29, 30, 90, 91, 89, 90]

    found = rows(built_with(place, weekly_listeners("t1", rising), weekly_listeners("t2", rising)), GROWTH_SQL)

    assert found == [(n, pytest.approx(1), pytest.approx(1), False) for n in (1, 2)]


def test_a_group_that_goes_up_and_down_does_not_emerge(place: Place) -> None:
    """Its weekly variation is larger than its growth."""
    wild, steady = [20, 60, 25, 55, 30, 80, 25, 75], [100] * 8

    found = rows(built_with(place, weekly_listeners("t1", wild), weekly_listeners("t2", steady)), GROWTH_SQL)

    assert found[0][1] > 1.1  # type: ignore[operator]
    assert found[0][3] is False


def test_small_groups_are_left_out(place: Place) -> None:
    """A group with too few listeners is left out, however fast it grows."""
    few, many = [5] * 4 + [10] * 4, [100] * 8

    found = rows(built_with(place, weekly_listeners("t1", few), weekly_listeners("t2", many)), GROWTH_SQL)

    assert [row[0] for row in found] == [2]
