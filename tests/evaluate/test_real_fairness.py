"""Fairness on real plays: radio airplay compared with the published study, and listener groups of a listening log."""

from pathlib import Path

import polars as pl
import pytest

from bench.recommenders.splits import SPLITS
from recsys.evaluate.exposure import exposure_shares, share_if
from recsys.evaluate.fairness import fairness_report
from recsys.evaluate.report import evaluated_users
from recsys.experiments.protocols import from_folder
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.filters import Filters
from recsys.recommenders.popular import Popular

GENDERS = {"women": "female", "men": "male", "male-female": "mixed", "na": "unknown"}


@pytest.fixture(scope="module")
def airplay(recsys_data: Path) -> pl.DataFrame:
    """Song plays of 29 country radio stations as lists: every play of a station has rank 1. Adverts are left out."""
    plays = pl.read_parquet(recsys_data / "country_radio_2022" / "plays.parquet")
    return plays.filter(pl.col("artist") != "SPOT BREAK").select(
        user_id="station",
        track_id=pl.concat_str("artist", "title", "gender", separator="|"),
        rank=pl.lit(1),
        group_name=pl.col("gender").replace_strict(GENDERS),
    )


def test_airplay_of_women_is_what_was_published(airplay: pl.DataFrame, recsys_data: Path) -> None:
    """Each station's share agrees to a millionth of a per cent; over all stations women have about a tenth."""
    groups = airplay.select("track_id", "group_name", group_kind=pl.lit("artist_gender")).unique()
    published = pl.read_csv(recsys_data / "country_radio_2022" / "summary.csv", infer_schema_length=None)
    nothing = pl.DataFrame(schema={"track_id": pl.String, "n_plays": pl.Int64})

    for station, percent in published.select("stationName", "onlyWomenSongs_PERCENT").iter_rows():
        own = exposure_shares(airplay.filter(user_id=station), groups, nothing, seed=7)
        assert own.filter(group_name="female")["exposure_share"].item() * 100 == pytest.approx(percent, abs=1e-6)

    table = exposure_shares(airplay, groups, nothing, seed=7)
    shares = dict(table.select("group_name", "exposure_share").iter_rows())
    assert shares["female"] == pytest.approx(0.1007, abs=1e-4)
    assert shares["mixed"] == pytest.approx(0.0840, abs=1e-4)
    assert 0 < shares["unknown"] < 0.001
    assert table["n_users"].unique().to_list() == [29]
    low, high = table.filter(group_name="female").select("low", "high").row(0)
    assert 0.09 < low < shares["female"] < high < 0.112  # the bootstrap samples stations, not plays


def test_what_one_station_alone_could_change(airplay: pl.DataFrame) -> None:
    """If one of 29 stations played half women, the total share would rise from 10 to 11.4 per cent only."""
    shown = airplay.group_by("group_name", source="user_id").agg(exposure=pl.len())
    now = share_if(shown, "KASE-FM", "female", _share(shown, "KASE-FM"))

    assert now == pytest.approx(0.1007, abs=1e-4)
    assert share_if(shown, "KASE-FM", "female", 0.5) == pytest.approx(0.114, abs=2e-3)


def _share(shown: pl.DataFrame, source: str) -> float:
    own = shown.filter(source=source)
    return float(own.filter(group_name="female")["exposure"].sum()) / float(own["exposure"].sum())


@pytest.mark.slow
def test_gaps_between_listeners_of_a_real_log(recsys_data: Path, tmp_path: Path) -> None:
    """On LFM-1M every group has a gap with an interval, and the gaps of the two genders have opposite signs."""
    SPLITS["lfm1m"](recsys_data).write(tmp_path)
    protocol = from_folder(tmp_path)
    split = protocol.test
    ids = split.train.users.ids(evaluated_users(split))
    lists = Recommender(Popular()).fit(split.train).recommend(ids, 10, filters=Filters.for_split(split))
    tracks = split.train.tracks.ids()
    groups = pl.DataFrame({"track_id": tracks, "group_kind": "all", "group_name": "track"})

    table = fairness_report({"popular": lists}, split, groups, k=10).filter(metric="ndcg_gap")

    gender = dict(table.filter(group_kind="gender").select("group_name", "value").iter_rows())
    assert set(gender) >= {"M", "F"}
    assert table.filter(group_kind="gender")["n_users"].sum() == len(ids)
    assert (gender["M"] > 0) != (gender["F"] > 0)
    measured = table.drop_nulls("value")
    assert measured.select((pl.col("low") <= pl.col("value")) & (pl.col("value") <= pl.col("high"))).to_series().all()
    assert measured["n_users"].min() >= 10  # type: ignore[operator]
