"""The page Rights: conflicts of the registry, for operators with plays, for a label of its own recordings only."""

import polars as pl

from recsys.home import Home
from recsys.rights.check import KINDS, conflicts, count_conflicts
from recsys.warehouse.query import Warehouse

from .conftest import Open, failures


def test_an_operator_sees_every_conflict_with_its_plays(open_page: Open, published_home: Home) -> None:
    """The most played first; a kind filters chart and table, and the claims are those of the chosen conflict."""
    with Warehouse.open(published_home.published_warehouse()) as warehouse:
        expected = conflicts(warehouse)
    page = open_page("rights")

    shown = pl.from_pandas(page.dataframe[0].value)
    page.selectbox(key="conflict").select(KINDS["shares_over"]).run()

    assert failures(page) == []
    assert shown.height == min(expected.height, 500)
    assert shown["n_plays"][0] == expected["n_plays"].max()
    over = pl.from_pandas(page.dataframe[0].value)
    assert over["kind"].unique().to_list() == ["shares above 100 %"]
    assert over["subject"].n_unique() == count_conflicts(expected).filter(kind="shares_over")["n_subjects"].item()
    claims = pl.from_pandas(page.dataframe[1].value)
    assert claims.group_by("right_type").agg(pl.col("share").sum())["share"].unique().to_list() == [125.0]


def test_a_label_sees_conflicts_of_its_own_recordings_without_plays(
    open_page: Open, published_home: Home, label_id: str
) -> None:
    """No row is of another label's recording, and there are no plays."""
    with Warehouse.open(published_home.published_warehouse()) as warehouse:
        of_label = "select track_id from marts.track_features where label_id = $label_id"
        own = warehouse.query(of_label, {"label_id": label_id})["track_id"].to_list()

    page = open_page("rights", label=label_id)

    shown = pl.from_pandas(page.dataframe[0].value)
    assert failures(page) == []
    assert 0 < shown["track_id"].n_unique() < len(own)
    assert set(shown["track_id"]) <= {*own}
    assert "n_plays" not in shown.columns
