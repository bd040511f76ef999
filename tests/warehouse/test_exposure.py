"""Track groups and their exposure in SQL, on rows that can be counted by hand."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from recsys.lake.store import Lake
from recsys.pipeline.plan import result_tables
from recsys.warehouse.build import Sources, build, rebuild_results

from .conftest import Place, place_in, rows

TRACKS = """track_id,title,artist_id,release_date
new,N,ar1,2025-02-01
old,O,ar1,2023-12-31
older,P,ar2,2022-06-30
undated,Q,ar3,
"""
ARTISTS = """artist_id,name,gender,country
ar1,One,female,BR
ar2,Two,male,DE
"""
LISTENS = """user_id,track_id,listened_at
ann,new,2026-01-20T10:00:00Z
ann,new,2026-01-21T10:00:00Z
bob,new,2026-01-21T10:00:00Z
bob,older,2026-01-31T10:00:00Z
"""
AS_OF = date(2026, 1, 31)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return a home with four tracks, two described artists, one unknown artist and two listeners."""
    made = place_in(tmp_path_factory.mktemp("exposure"))
    for name, content in {"tracks": TRACKS, "artists": ARTISTS, "listens": LISTENS}.items():
        made.take(f"{name}.csv", content)
    return made


def results(folder: Path) -> dict[str, list[Path]]:
    """Write results of a run: ann is recommended old and older, bob old; the target for women is a third."""
    lists = pl.DataFrame(
        [("ann", 1, "old"), ("ann", 2, "older"), ("bob", 1, "old")], ["user_id", "rank", "track_id"], orient="row"
    ).with_columns(run_id=pl.lit("r"), score=1.0, recommender=pl.lit("als"), reason=pl.lit("x"))
    schema = result_tables()["recommendations"].schema
    known = pl.concat([pl.DataFrame(schema=schema), lists], how="diagonal_relaxed")
    known.select(schema.names()).cast(schema).write_parquet(folder / "recommendations.parquet")
    target_schema = result_tables()["exposure_targets"].schema
    targets = pl.DataFrame([("artist_gender", "female", 1 / 3)], target_schema, orient="row")
    targets.write_parquet(folder / "exposure_targets.parquet")
    return {name: [folder / f"{name}.parquet"] for name in ("recommendations", "exposure_targets")}


def test_groups_of_each_track(place: Place) -> None:
    """Age counts calendar months before the last day; popularity counts listeners; small cells are merged."""
    path = place.build("groups", only=["marts.track_groups"])

    found = {
        track: tuple(
            name
            for (name,) in rows(
                path, f"select group_name from marts.track_groups where track_id = '{track}' order by group_kind"
            )
        )
        for track in ("new", "old", "older", "undated")
    }

    # age, country, gender, gender and country, label type, language, popularity
    unknown, small = "unknown", "small cells"
    assert found["new"] == ("current", "BR", "female", small, unknown, unknown, "head")
    assert found["old"] == ("catalogue", "BR", "female", small, unknown, unknown, "tail")
    assert found["older"] == ("deep catalogue", "DE", "male", small, unknown, unknown, "middle")
    assert found["undated"] == (unknown, unknown, unknown, small, unknown, unknown, "tail")


def test_shares_by_hand(place: Place, tmp_path: Path) -> None:
    """Women have two first ranks, men a second one; the fourth track has an unknown artist."""
    target = place.folder / "shares.duckdb"
    build(target, Sources(Lake(place.home), AS_OF, results=result_tables(results(tmp_path))), memory="1GB")

    found = rows(
        target,
        "select group_name, n_tracks, n_listed, n_places, catalogue_share, listening_share, exposure_share, "
        "target_share from marts.exposure where group_kind = 'artist_gender' order by group_name",
    )

    second = 0.6309297535714574
    assert found == [
        ("female", 2, 1, 2, 0.5, 0.75, pytest.approx(2 / (2 + second), abs=1e-9), 1 / 3),
        ("male", 1, 1, 1, 0.25, 0.25, pytest.approx(second / (2 + second), abs=1e-9), None),
        ("unknown", 1, 0, 0, 0.25, 0.0, 0.0, None),
    ]


def test_a_ratio_has_an_interval_where_it_is_known(place: Place, tmp_path: Path) -> None:
    """Women have three of four plays and both first ranks; nobody plays or sees the recording of an unknown artist."""
    target = place.folder / "ratios.duckdb"
    build(target, Sources(Lake(place.home), AS_OF, results=result_tables(results(tmp_path))), memory="1GB")

    found = rows(
        target,
        "select group_name, n_shown, n_players, ratio, low < ratio, ratio < high from marts.exposure "
        "where group_kind = 'artist_gender' order by group_name",
    )

    second = 0.6309297535714574
    assert found == [
        ("female", 2, 2, pytest.approx(2 / (2 + second) / 0.75, abs=1e-8), True, True),
        ("male", 1, 1, pytest.approx(second / (2 + second) / 0.25, abs=1e-8), True, True),
        ("unknown", 0, 0, None, None, None),
    ]


def test_exposure_follows_the_lists_of_the_run(place: Place, tmp_path: Path) -> None:
    """New results rebuild only the tables that read them."""
    path = place.build("filled")
    share = "select exposure_share from marts.exposure where group_kind = 'artist_gender' and group_name = 'female'"
    assert rows(path, share) == [(None,)]

    rebuilt = rebuild_results(path, result_tables(results(tmp_path)))

    assert {"marts.recommendations", "marts.exposure"} <= {table.name for table in rebuilt}
    assert rows(path, share)[0][0] == pytest.approx(2 / 2.6309297535714574, abs=1e-9)


def test_intermediate_tables_of_results_are_rebuilt_and_dropped(place: Place, tmp_path: Path) -> None:
    """Intermediate tables are rebuilt for them, give the same rows as a complete build, and are dropped again."""
    shown = "select * from marts.artist_shown order by all"
    whole, later = place.folder / "whole.duckdb", place.build("later")
    build(whole, Sources(Lake(place.home), AS_OF, results=result_tables(results(tmp_path))), memory="1GB")
    rebuild_results(later, result_tables(results(tmp_path)))

    assert rows(later, shown) == rows(whole, shown) != []
    assert rows(later, "select count(*) from duckdb_schemas() where schema_name = 'intermediate'") == [(0,)]
