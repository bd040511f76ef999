"""A nightly run on real listening data, where the recommenders must beat popularity."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from recsys.dataset.interactions import Interactions
from recsys.dataset.splits import Split
from recsys.evaluate.report import evaluated_users, report
from recsys.home import Home, locked
from recsys.ingest.pseudonym import listener_key, pseudonym
from recsys.ingest.run import ingest
from recsys.lake.store import Lake
from recsys.pipeline import export
from recsys.pipeline.nightly import nightly
from recsys.pipeline.plan import result_tables
from recsys.pipeline.run import Run
from recsys.recipe import read_recipe
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.filters import Filters
from recsys.warehouse.build import Sources, build
from recsys.warehouse.query import Warehouse

from ..nights import result_table

AS_OF = date(2014, 4, 1)
RECIPE = """
recommender = "als"
compare = ["lightfm"]
[evaluation]
test_days = 28
"""


def write_lastfm(data: Path, inbox: Path) -> None:
    """Write LFM-1M in the formats of Last.fm histories and profiles."""
    inbox.mkdir()
    tracks = pl.read_parquet(data / "tracks.parquet").select(
        item=pl.col("new_id").cast(pl.Int32),
        artid=pl.format("artist-{}", "provider_id"),
        artname=pl.col("artists").list.first().fill_null("?"),
        traid=pl.format("track-{}", "new_id"),
        traname=pl.col("name").str.replace_all(r"[\t\r\n]", " "),
    )
    listens = pl.read_parquet(data / "interactions.parquet").join(tracks, on="item").sort("user", "timestamp")
    instant = pl.from_epoch("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    history = listens.select(pl.format("user_{}", "user"), instant, "artid", "artname", "traid", "traname")
    history.write_csv(inbox / "history.tsv", separator="\t", include_header=False, quote_style="never")
    profile = pl.read_parquet(data / "users.parquet").select(
        pl.format("user_{}", "new_id").alias("userid"), pl.col("gender").str.to_lowercase(), "age",
        pl.lit("").alias("country"), pl.lit("").alias("signup"),
    )  # fmt: skip
    profile.write_csv(inbox / "profile.tsv", separator="\t", quote_style="never")


@pytest.fixture(scope="module")
def run(recsys_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run of 1 April 2014 on LFM-1M."""
    folder = tmp_path_factory.mktemp("lfm1m")
    write_lastfm(recsys_data / "lfm1m_partial", folder / "inbox")
    (folder / "recipe.toml").write_text(RECIPE)
    home, recipe = Home(folder / "home"), read_recipe(folder / "recipe.toml")
    with locked(home):
        return nightly(home, folder / "inbox", as_of=AS_OF, today=date(2026, 1, 1), recipe=recipe)


@pytest.mark.slow
def test_both_models_beat_the_popularity_floor_with_disjoint_intervals(run: Run) -> None:
    """ALS and LightFM predict the discoveries of the next 28 days better than popularity."""
    rows = result_table(run, "run_metrics").filter(metric="ndcg").rows_by_key("recommender", named=True, unique=True)

    assert rows["als"]["low"] > rows["popular"]["high"]
    assert rows["lightfm"]["low"] > rows["popular"]["high"]
    assert rows["als"]["value"] > 0.08


@pytest.mark.slow
def test_every_listener_gets_k_new_tracks_and_the_export_validates(run: Run) -> None:
    """All listeners of profiles and log get twenty tracks that they have not played."""
    manifest = export.validate(run.export)
    with Warehouse.open(run.home.published_warehouse()) as warehouse:
        lists = warehouse.query("select user_id, track_id from marts.recommendations")
        listeners = warehouse.query("select user_id from marts.listener_profile")
        heard = warehouse.query("select user_id, track_id from marts.interactions")

    assert set(lists["user_id"]) == set(listeners["user_id"])
    assert lists.group_by("user_id").len()["len"].unique().to_list() == [20]
    assert lists.unique().height == lists.height
    assert lists.join(heard, on=["user_id", "track_id"]).is_empty()
    assert manifest["n_short_lists"] == 0


@pytest.mark.slow
def test_nothing_after_the_date_is_seen(run: Run) -> None:
    """The warehouse ends at the run's date, though the log goes on."""
    with Warehouse.open(run.home.published_warehouse()) as warehouse:
        last = warehouse.query("select max(listen_date) as day from marts.interactions_daily").item()
        n_timed = warehouse.query("select count(ms_played) as n from marts.interactions_daily").item()
        countries = warehouse.query("select distinct country from marts.listener_profile")["country"].to_list()
        skips = warehouse.query("select sum(n_skips) as n from marts.track_daily").item()

    assert last == AS_OF
    assert n_timed == 0
    assert countries == ["unknown"]
    assert skips == 0


@pytest.mark.slow
def test_profiles_keep_gender_and_age_band(run: Run) -> None:
    """All profiles are ingested; other age bands are mapped to ours."""
    with Warehouse.open(run.home.published_warehouse()) as warehouse:
        profiles = warehouse.query("select gender, age_band from marts.listener_profile where is_known")

    assert profiles.height == 4_817
    assert set(profiles["gender"]) == {"female", "male"}
    assert set(profiles["age_band"]) == {"under 18", "18-24", "25-34", "35-44", "45-54", "unknown"}


@pytest.mark.slow
def test_counts_without_dates_enter_through_our_own_csv(recsys_data: Path, tmp_path: Path) -> None:
    """
    HetRec's play counts, dated once, artists standing in for tracks, on its published split: not a temporal evaluation.

    ALS beats plain popularity with disjoint intervals.
    """
    folder, home = recsys_data / "hetrec2011_lastfm2k" / "split", Home(tmp_path / "home")
    counts = pl.concat([pl.read_parquet(folder / f"{part}.parquet") for part in ("train", "validation")])
    once = pl.lit("2011-05-01T00:00:00Z").alias("listened_at")
    listens = counts.select("user_id", pl.col("item_id").alias("track_id"), once, pl.col("weight").alias("n_listens"))
    listens.write_csv(tmp_path / "listens.csv")
    ingest(home, [tmp_path / "listens.csv"], today=date(2026, 1, 1))
    build(tmp_path / "built.duckdb", Sources(Lake(home), as_of=date(2011, 5, 1), results=result_tables()))
    held_out = pl.read_parquet(folder / "test.parquet").select(
        user_id=pl.Series(_pseudonyms(home, pl.read_parquet(folder / "test.parquet")["user_id"])),
        track_id=pl.col("item_id").cast(pl.String),
    )

    with Warehouse.open(tmp_path / "built.duckdb") as warehouse:
        train = Interactions.read(warehouse, until=date(2011, 5, 1))
    split = Split.of(train, held_out.filter(pl.col("track_id").is_in(train.tracks.ids().implode())))
    judged, filters = train.users.ids(evaluated_users(split)), Filters.of(train)
    models = {name: Recommender.named(name).fit(train) for name in ("als", "popular")}
    rankings = {name: model.recommend(judged, 10, filters=filters) for name, model in models.items()}
    ndcg = report(rankings, split, k=10).filter(metric="ndcg").rows_by_key("recommender", named=True, unique=True)

    assert train.matrix.nnz == counts.height
    assert ndcg["als"]["low"] > ndcg["popular"]["high"]
    assert ndcg["als"]["value"] > 0.15


def _pseudonyms(home: Home, accounts: pl.Series) -> list[str]:
    key = listener_key(home.key_file)
    return [pseudonym(str(account), key) for account in accounts]
