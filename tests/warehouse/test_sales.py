"""Sales and usages by month, computed again from the reported rows by polars."""

import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest

from recsys.lake.store import Lake
from recsys.warehouse.query import Warehouse, run_query

from .conftest import AS_OF, Place, place_in, rows

COLUMNS = (
    "service,period_start,period_end,territory,commercial_model,use_type,resource_id,"
    "isrc,title,n_usages,revenue,currency\n"
)
SALES = f"""{COLUMNS}Premium,2026-01-01,2026-01-15,FR,Subscription,Stream,r1,us-rc1-76-00001,One,500,100.25,EUR
Premium,2026-01-16,2026-01-31,FR,Subscription,Stream,r1,USRC17600001,One,300,60.5,EUR
Premium,2026-01-16,2026-01-31,FR,AdSupport,Stream,r1b,USRC17600001,One,200,,EUR
Premium,2026-01-01,2026-01-31,US,Subscription,Stream,r1,USRC17600001,One,70,7,USD
Premium,2026-01-01,2026-01-31,US,Pass,Stream,r1,USRC17600001,One,10,1,EUR
Premium,2025-12-28,2026-01-03,FR,Subscription,Stream,r2,,Alien,40,0.4,EUR
Premium,2026-01-02,2026-01-04,FR,Subscription,Stream,r2,,Alien,5,0.05,EUR
Shop,2026-01-01,2026-01-31,FR,PayAsYouGo,Download,d1,USRC17600001,One,3,2.97,EUR
Shop,2026-01-01,2026-01-31,FR,PayAsYouGo,,d1,USRC17600001,One,-1,-0.99,EUR
Shop,2026-01-01,2026-01-31,FR,PayAsYouGo,Stream,d1,USRC17600001,One,8,0.5,EUR
Shop,2026-01-31,2026-01-01,DE,Free,Stream,d2,USRC17600009,Nine,6,,
Shop,2026-02-01,2026-02-28,FR,PayAsYouGo,Download,d1,USRC17600001,One,9,8.91,EUR
"""
CELL = ["month", "service", "territory", "use_type", "recording_id", "currency"]
MEASURES = ["n_usages", "revenue", "n_without_revenue", "n_reports", "last_day"]
ORDER = "order by month, service, territory, use_type, recording_id, currency"


@pytest.fixture(scope="module")
def reported(world: Place, tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, Path]:
    """Return a copy of the shared home with the sales above, and its warehouse."""
    place = place_in(tmp_path_factory.mktemp("reported"))
    shutil.copytree(world.home.path, place.home.path)
    return place, built_of(place, SALES)


def built_of(place: Place, sales: str) -> Path:
    """Ingest sales and return a warehouse with their mart and the recordings."""
    place.take("sales.csv", sales)
    return place.build("sales", only=["marts.sales_monthly", "marts.track_features"])


def expected(place: Place) -> pl.DataFrame:
    """Return the cells and their measures, computed from the raw rows."""
    sales = Lake(place.home).rows("sales").collect().filter(pl.col("period_start") <= AS_OF)
    isrc = pl.col("isrc").str.replace_all("-", "").str.to_uppercase()
    cells = sales.with_columns(
        month=pl.col("period_start").dt.truncate("1mo"), recording_id=isrc.fill_null(pl.col("resource_id"))
    )
    is_known = pl.col("revenue").is_not_null()
    measures = (
        pl.col("n_usages").sum(),
        pl.when(is_known.any()).then(pl.col("revenue").sum()).alias("revenue"),
        pl.col("n_usages").filter(~is_known).sum().alias("n_without_revenue"),
        pl.len().cast(pl.Int64).alias("n_reports"),
        pl.col("period_end").max().alias("last_day"),
    )
    return cells.group_by(CELL).agg(measures).sort(CELL, nulls_last=True)


def test_units_and_revenue_are_added_up_by_month_and_currency(reported: tuple[Place, Path]) -> None:
    """Never over currencies or kinds of use; reports that begin after the run's day are left out."""
    place, built = reported

    found = rows(built, f"select {', '.join(CELL + MEASURES)} from marts.sales_monthly {ORDER}")
    assert found == expected(place).select(CELL + MEASURES).rows()
    assert len(found) == 9


def test_totals_are_those_of_the_raw_rows(reported: tuple[Place, Path]) -> None:
    """Units in all, and revenue of each currency."""
    _, built = reported

    assert rows(built, "select sum(n_usages), sum(n_reports) from marts.sales_monthly") == [(1141, 11)]
    revenue = "select currency, round(sum(revenue), 2) from marts.sales_monthly group by currency order by currency"
    assert rows(built, revenue) == [("EUR", 164.68), ("USD", 7), (None, None)]


def test_reports_whose_periods_overlap_are_counted(reported: tuple[Place, Path]) -> None:
    """A week that another report of the same recording, model and use has in part; recordings are found by ISRC."""
    _, built = reported

    cells = "select recording_id, track_id, month::varchar, n_overlapping from marts.sales_monthly"
    assert rows(built, f"{cells} where n_overlapping > 0 or recording_id = 'r2' {ORDER}") == [
        ("r2", None, "2025-12-01", 0),
        ("r2", None, "2026-01-01", 1),
    ]
    tracks = "select distinct recording_id, track_id from marts.sales_monthly order by 1"
    assert rows(built, tracks) == [("USRC17600001", "t1"), ("USRC17600009", None), ("r2", None)]


def test_a_corrected_report_replaces_the_first(grown: Place) -> None:
    """The newest row of a period counts."""
    grown.take("first.csv", SALES)
    built = built_of(grown, SALES.replace(",70,7,USD", ",60,6,USD"))

    assert rows(built, "select n_usages, revenue from marts.sales_monthly where currency = 'USD'") == [(60, 6)]


def test_without_sales_there_are_no_rows(built: Path) -> None:
    """The table exists."""
    assert rows(built, "select count(*) from marts.sales_monthly") == [(0,)]


@pytest.mark.parametrize(
    ("params", "n_rows", "n_usages"),
    [
        ({}, 8, 1141),
        ({"currency": "USD"}, 1, 70),
        ({"territory": "US"}, 2, 80),
        ({"service": "Shop"}, 4, 16),
        ({"from": "2026-01-15"}, 7, 1101),
        ({"to": "2025-12-31"}, 1, 40),
        ({"track_id": "t1"}, 5, 1090),
        ({"n": "1"}, 1, 1008),
        ({"territory": "none"}, 0, 0),
    ],
)
def test_the_query_adds_up_services(
    reported: tuple[Place, Path], params: dict[str, str], n_rows: int, n_usages: float
) -> None:
    """Every filter keeps the rows that it names."""
    with Warehouse.open(reported[1]) as warehouse:
        found = run_query(warehouse, "sales_by_month", params)

    assert (found.height, found["n_usages"].sum()) == (n_rows, n_usages)
    assert found["revenue"].null_count() == found["currency"].null_count()


OWN_PLAYS = """
create schema marts;
create table marts.sales_monthly as select *, 'Reported' as title, date '2026-01-01' as month from (
    values ('Us', 'FR', 'OnDemandStream', 't1', 'i1', 12.0), ('Us', 'FR', 'Download', 't1', 'i1', 5),
        ('Us', 'FR', 'NonInteractiveStream', 't1', 'i1', 1), ('Us', 'FR', null, 't1', 'i1', 3),
        ('Us', 'FR', 'Stream', 't3', 'i3', 4), ('Us', 'GB', 'Stream', null, 'i9', 9),
        ('Us', 'IT', 'Download', 't1', 'i1', 2), ('Shop', 'DE', 'Stream', 't1', 'i1', 7)
) as sales (service, territory, use_type, track_id, recording_id, n_usages);
create table marts.interactions_daily as select * from (
    values ('u', 't1', date '2026-01-31', 9), ('u', 't2', date '2026-01-02', 2), ('u', 't1', date '2026-02-01', 50),
        ('v', 't1', date '2026-01-02', 7), ('w', 't1', date '2026-01-03', 8), ('x', 't1', date '2026-01-04', 1),
        ('y', 't1', date '2026-01-05', 6)
) as days (user_id, track_id, listen_date, n_plays);
create table marts.listener_profile as select * from (
    values ('u', 'FR'), ('v', 'DE'), ('w', 'GB'), ('x', 'unknown'), ('y', 'IT')
) as rows (user_id, country);
create table marts.track_features as select * from (values ('t1', 'One'), ('t2', 'Two')) as rows (track_id, title);
"""


def test_streams_of_reports_are_reconciled_with_our_plays(tmp_path: Path) -> None:
    """By month, territory and recording: nothing of either side is lost, also where the other lacks it."""
    with duckdb.connect(tmp_path / "w.duckdb") as connection:
        connection.execute(OWN_PLAYS)

    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        own = run_query(warehouse, "sales_against_plays", {"service": "Us"})
        shop, by_day = (
            run_query(warehouse, "sales_against_plays", {"service": "Shop", "month": month})
            for month in ("2026-01", "2026-01-15")
        )
        other = run_query(warehouse, "sales_against_plays", {"service": "Us", "month": "2026-02"})

    columns = ("territory", "track_id", "reported_id", "title", "n_reported", "n_plays", "difference", "n_unknown_use")
    assert own.select(columns).rows() == [
        ("GB", None, "i9", "Reported", 9, 0, 9, 0),
        ("GB", "t1", None, "One", 0, 8, -8, 0),
        ("IT", "t1", None, "One", 0, 6, -6, 0),
        ("FR", "t1", None, "One", 13, 9, 4, 3),
        ("FR", "t3", None, "Reported", 4, 0, 4, 0),
        ("FR", "t2", None, "Two", 0, 2, -2, 0),
        ("unknown", "t1", None, "One", 0, 1, -1, 0),
    ]
    assert shop.select(columns).rows() == [
        ("unknown", "t1", None, "One", 0, 1, -1, 0),
        ("DE", "t1", None, "One", 7, 7, 0, 0),
    ]
    assert by_day.equals(shop)
    assert other.is_empty()


PAID = """
create or replace table marts.sales_monthly as select *, date '2026-01-01' as month from (
    values ('Us', 'FR', 'OnDemandStream', 'EUR', 10, 2, 4e-1), ('Us', 'FR', 'NonInteractiveStream', 'EUR', 4, 0, 2e-1),
        ('Us', 'FR', 'Download', 'EUR', 5, 0, 9e0), ('Us', 'DE', 'Stream', 'EUR', 5, 0, 1e0),
        ('Us', 'DE', 'Stream', 'CHF', 5, 0, 2e0), ('Us', 'GB', 'Stream', null, 9, 9, null),
        ('Us', 'US', 'Stream', 'USD', 3, 0, 3e-1), ('Shop', 'FR', 'Stream', 'EUR', 7, 0, 7e0)
) as sales (service, territory, use_type, currency, n_usages, n_without_revenue, revenue);
"""


def test_amounts_of_reports_are_reconciled_with_our_plays(tmp_path: Path) -> None:
    """France: 12 streams for 0.60, so that our 11 plays would earn 0.55; nothing is compared across currencies."""
    with duckdb.connect(tmp_path / "w.duckdb") as connection:
        connection.execute(OWN_PLAYS + PAID)

    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        found = run_query(warehouse, "amounts_against_plays", {"service": "Us"})
        shop = run_query(warehouse, "amounts_against_plays", {"service": "Shop", "month": "2026-01-31"})
        other = run_query(warehouse, "amounts_against_plays", {"service": "Us", "month": "2026-02"})

    columns = ("territory", "currency", "n_paid", "revenue", "rate_per_1000", "n_plays", "n_without_revenue")
    assert found.with_columns(pl.col("revenue", "rate_per_1000").round(9)).select(columns).rows() == [
        ("FR", "EUR", 12, 0.6, 50, 11, 2),
        ("DE", "CHF", 5, 2, 400, 7, 0),
        ("DE", "EUR", 5, 1, 200, 7, 0),
        ("GB", None, 0, None, None, 8, 9),
        ("US", "USD", 3, 0.3, 100, 0, 0),
    ]
    assert found["amount_of_plays"].to_list() == [pytest.approx(0.55), None, None, None, None]
    assert found["difference"].to_list() == [pytest.approx(0.05), None, None, None, None]
    assert shop.select("n_paid", "revenue", "amount_of_plays", "difference").rows() == [(7, 7, 11, -4)]
    assert other.is_empty()
