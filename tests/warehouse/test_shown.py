"""Exposure of a label in recommendations: its share compared with plays, to whom it is shown, and why."""

from collections.abc import Iterator

import duckdb
import numpy as np
import polars as pl
import pytest

from recsys.warehouse.sqlfile import read_layers, upstream_intermediates

N_LISTENERS, N_TRACKS, LENGTH = 400, 60, 10


@pytest.fixture(scope="module")
def lists() -> pl.DataFrame:
    """Return lists of ten tracks per listener; low track numbers are recommended more often."""
    rng = np.random.default_rng(7)
    chance = 1 / np.arange(1, N_TRACKS + 1)
    chosen = [rng.choice(N_TRACKS, LENGTH, replace=False, p=chance / chance.sum()) for _ in range(N_LISTENERS)]
    return pl.DataFrame(
        {
            "user_id": np.repeat(np.arange(N_LISTENERS), LENGTH),
            "rank": np.tile(np.arange(1, LENGTH + 1), N_LISTENERS),
            "track_id": np.concatenate(chosen),
        }
    )


@pytest.fixture(scope="module")
def plays() -> pl.DataFrame:
    """Return plays of all listeners, with a few heavy listeners."""
    rng = np.random.default_rng(8)
    of_each = rng.integers(1, 40, N_LISTENERS)
    resampled = pl.DataFrame(
        {
            "user_id": np.repeat(np.arange(N_LISTENERS), of_each),
            "track_id": rng.integers(0, N_TRACKS, of_each.sum()),
        }
    )
    return resampled.group_by("user_id", "track_id", maintain_order=True).agg(pl.len().alias("n_plays"))


@pytest.fixture(scope="module")
def marts(lists: pl.DataFrame, plays: pl.DataFrame) -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a database with the marts that both read: 6 labels of 10 tracks, 20 artists of 3 tracks, one male."""
    track = pl.int_range(N_TRACKS, eager=True)
    tracks = pl.DataFrame({"track_id": track, "label_id": track % 6, "artist_id": track // 3})
    gender = pl.when(pl.col("artist_id") == 0).then(pl.lit("male")).otherwise(pl.lit("female"))
    groups = tracks.select("track_id", group_kind=pl.lit("artist_gender"), group_name=gender)
    kinds = ["artist", "recording", "group", "exploration", *["popularity"] * (LENGTH - 4)]
    reasons = lists.with_columns(reason_kind=pl.col("rank").replace_strict(range(1, LENGTH + 1), kinds))
    everybody = pl.DataFrame({"user_id": range(N_LISTENERS)})
    country = pl.when(pl.col("user_id") < 100).then(pl.lit("IS")).otherwise(pl.lit("unknown"))
    profiles = everybody.with_columns(country=country, gender=pl.lit("unknown"), age_band=pl.lit("unknown"))
    made = {
        "recommendations": reasons,
        "interactions": plays,
        "track_features": tracks,
        "track_groups": groups,
        "listener_profile": profiles,
        "exposure_targets": pl.DataFrame(
            schema={"group_kind": pl.String, "group_name": pl.String, "target_share": pl.Float64}
        ),
    }
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        for name, frame in made.items():
            connection.register("incoming", frame.to_arrow())
            connection.execute(f"create table marts.{name} as select * from incoming")
        connection.execute("create schema intermediate")
        for name, file in upstream_intermediates(
            read_layers(), ["marts.label_exposure", "marts.artist_shown", "marts.exposure", "marts.country_exposure"]
        ).items():
            connection.execute(f"create view {name} as {file.query}")
        yield connection


def ratios(lists: pl.DataFrame, plays: pl.DataFrame, members: pl.Expr) -> np.ndarray:
    """Return the exposure ratio of some tracks, then its 2,000 bootstrap values over listeners."""
    exposure, played = np.zeros((2, N_LISTENERS)), np.zeros((2, N_LISTENERS))  # of these tracks, of all
    weight = 1 / np.log2(1 + lists["rank"].to_numpy())
    for axis, (of_lists, of_plays) in enumerate(
        [(lists.select(members).to_series(), plays.select(members).to_series()), (1, 1)]
    ):
        np.add.at(exposure[axis], lists["user_id"].to_numpy(), weight * np.asarray(of_lists))
        np.add.at(played[axis], plays["user_id"].to_numpy(), plays["n_plays"].to_numpy() * np.asarray(of_plays))
    times = np.random.default_rng(9).multinomial(N_LISTENERS, np.full(N_LISTENERS, 1 / N_LISTENERS), 2_000)
    times = np.vstack([np.ones(N_LISTENERS), times])
    of_lists, all_lists, of_plays, all_plays = (times @ sums for sums in (*exposure, *played))
    return np.asarray(of_lists / all_lists / (of_plays / all_plays))


def test_the_interval_agrees_with_a_bootstrap(
    marts: duckdb.DuckDBPyConnection, lists: pl.DataFrame, plays: pl.DataFrame
) -> None:
    """The linearised confidence interval of a label's ratio agrees with a bootstrap over listeners."""
    query = read_layers()["marts.label_exposure"].query
    low, ratio, high = marts.sql(
        f"select low, ratio, high from ({query}) where label_id = 0 and group_kind = 'all'"
    ).fetchall()[0]

    estimate, *resampled = ratios(lists, plays, pl.col("track_id") % 6 == 0)

    assert ratio == pytest.approx(estimate, abs=1e-8)
    assert np.log([low, high]) == pytest.approx(np.log(np.quantile(resampled, [0.025, 0.975])), abs=0.02)


def test_the_interval_of_a_group_agrees_with_a_bootstrap(
    marts: duckdb.DuckDBPyConnection, lists: pl.DataFrame, plays: pl.DataFrame
) -> None:
    """The linearised interval of the men's ratio agrees with a bootstrap over listeners; the shares add up to 1."""
    query = read_layers()["marts.exposure"].query
    male, female = marts.sql(
        f"select low, ratio, high, exposure_share, listening_share from ({query}) order by group_name desc"
    ).fetchall()

    estimate, *resampled = ratios(lists, plays, pl.col("track_id") // 3 == 0)

    assert male[1] == pytest.approx(estimate, abs=1e-8)
    assert np.log([male[0], male[2]]) == pytest.approx(np.log(np.quantile(resampled, [0.025, 0.975])), abs=0.03)
    assert [male[3] + female[3], male[4] + female[4]] == pytest.approx([1, 1])


def test_the_interval_of_a_country_agrees_with_a_bootstrap(
    marts: duckdb.DuckDBPyConnection, lists: pl.DataFrame, plays: pl.DataFrame
) -> None:
    """Of a label among the Icelanders, whose lists and plays alone count."""
    query = read_layers()["marts.country_exposure"].query
    low, ratio, high, n_shown, n_players = marts.sql(
        f"select low, ratio, high, n_shown, n_players from ({query}) "
        "where owner = 'label' and owner_id = 0 and country = 'IS'"
    ).fetchall()[0]

    icelandic = [rows.filter(pl.col("user_id") < 100) for rows in (lists, plays)]
    estimate, *resampled = ratios(icelandic[0], icelandic[1], pl.col("track_id") % 6 == 0)

    assert ratio == pytest.approx(estimate, abs=1e-8)
    assert np.log([low, high]) == pytest.approx(np.log(np.quantile(resampled, [0.025, 0.975])), abs=0.05)
    of_label = [rows.filter(pl.col("track_id") % 6 == 0)["user_id"].n_unique() for rows in icelandic]
    assert [n_shown, n_players] == of_label


def test_exposure_by_country_adds_up(marts: duckdb.DuckDBPyConnection) -> None:
    """In each country, labels have all exposure and all plays; so have artists, since every recording has both."""
    query = read_layers()["marts.country_exposure"].query
    sums = marts.sql(f"""
        select owner, country, sum(exposure_share), sum(listening_share) from ({query})
        group by owner, country order by owner, country
    """).fetchall()

    assert sums == [
        (owner, country, pytest.approx(1), pytest.approx(1))
        for owner in ("artist", "label")
        for country in ("IS", "unknown")
    ]


def test_shares_of_labels_and_of_their_groups_add_up(marts: duckdb.DuckDBPyConnection) -> None:
    """They add up to 1, since every recording in this world has a label."""
    query = read_layers()["marts.label_exposure"].query
    sums = marts.sql(f"""
        select group_kind, sum(exposure_share), sum(listening_share), sum(n_tracks) from ({query})
        group by group_kind order by group_kind
    """).fetchall()

    assert sums == [(kind, pytest.approx(1), pytest.approx(1), N_TRACKS) for kind in ("all", "artist_gender")]


def test_groups_of_few_labels_have_no_market_ratio(marts: duckdb.DuckDBPyConnection) -> None:
    """Men's recordings are on three labels; the market without the own label would reveal the two others."""
    query = read_layers()["marts.label_exposure"].query
    found = marts.sql(f"""
        select group_name, count(*), count(market_ratio) from ({query})
        where group_kind = 'artist_gender' group by group_name order by group_name
    """).fetchall()

    assert found == [("female", 6, 6), ("male", 3, 0)]


def test_why_an_artist_is_shown(marts: duckdb.DuckDBPyConnection, lists: pl.DataFrame) -> None:
    """Rank 1 has a recording of the same artist, rank 2 of another artist, rank 4 is explored; the others have none."""
    query = read_layers()["marts.artist_shown"].query
    found = marts.sql(f"""
        select value, sum(n_places)::int from ({query}) where dimension = 'reason' group by value order by value
    """).fetchall()

    of_others = N_LISTENERS * (LENGTH - 3)
    assert found == [
        ("another artist", N_LISTENERS),
        ("exploration", N_LISTENERS),
        ("no recording of theirs", of_others),
        ("the same artist", N_LISTENERS),
    ]


def test_to_whom_an_artist_is_shown(marts: duckdb.DuckDBPyConnection, lists: pl.DataFrame) -> None:
    """Affinity is a group's share of the artist's listeners divided by its share of all (Icelanders: a quarter)."""
    query = read_layers()["marts.artist_shown"].query
    found = marts.sql(
        f"select n_listeners, affinity from ({query}) where artist_id = 0 and dimension = 'country' and value = 'IS'"
    ).fetchall()

    shown = lists.filter(pl.col("track_id") < 3)["user_id"].unique()
    n_icelanders = len(shown.filter(shown < 100))
    assert found == [(n_icelanders, pytest.approx(n_icelanders / len(shown) / 0.25))]
