"""The table of all metrics for all recommenders."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recsys.columns import schema
from recsys.dataset.interactions import Interactions
from recsys.dataset.splits import Split
from recsys.evaluate.ranking import recall_at_k
from recsys.evaluate.report import RUN_METRICS_COLUMNS, evaluated_users, metrics, report, values_per_user

# Ann likes x, held out are y and z; bob likes y, nothing is held out; cyd likes z, held out is x.
CUT = Split.of(
    Interactions.of(
        pl.DataFrame({"user_id": ["ann", "bob", "cyd"], "track_id": ["x", "y", "z"], "strength": [1.0, 1, 1]})
    ),
    pl.DataFrame({"user_id": ["ann", "ann", "cyd"], "track_id": ["y", "z", "x"]}),
)
GOOD = pl.DataFrame(
    {"user_id": ["ann", "ann", "bob", "cyd"], "track_id": ["y", "z", "x", "x"], "rank": [1, 2, 1, 1]},
)
BAD = pl.DataFrame({"user_id": ["ann", "cyd"], "track_id": ["x", "y"], "rank": [1, 1]})


def test_one_row_per_recommender_and_metric() -> None:
    """Every metric of the folder has one row per recommender."""
    table = report({"good": GOOD, "bad": BAD}, CUT, k=2)

    assert table.schema == schema(RUN_METRICS_COLUMNS)
    assert table.select("recommender", "metric").rows() == [
        (name, metric) for name in ("good", "bad") for metric in metrics()
    ]


@pytest.mark.parametrize(("metric", "good", "bad"), [("ndcg", 1, 0), ("recall", 1, 0), ("coverage", 1, 2 / 3)])
def test_values_are_means_over_evaluated_listeners(metric: str, good: float, bad: float) -> None:
    """Listeners without held-out tracks do not count, with or without a list."""
    table = report({"good": GOOD, "bad": BAD}, CUT, k=2).filter(metric=metric)

    assert table["value"].to_list() == pytest.approx([good, bad])
    assert table["n_users"].to_list() == [2, 2]


def test_metrics_of_all_lists_have_no_interval() -> None:
    """Coverage and Gini are one number over all lists, without a bootstrap over listeners: the ends are null."""
    table = report({"good": GOOD}, CUT, k=1).drop_nulls("value")

    assert table.filter(pl.col("low").is_null())["metric"].to_list() == ["coverage", "exposure_gini"]


def test_a_metric_without_evidence_is_null() -> None:
    """Without features the diversity of a list is unknown, and no listener counts."""
    table = report({"good": GOOD}, CUT, k=2).filter(metric="intra_list_diversity")

    assert table.select("value", "low", "high", "n_users").row(0) == (None, None, None, 0)


def test_a_recommenders_values_do_not_depend_on_the_others() -> None:
    """Other recommenders in the table change neither values nor intervals."""
    alone, together = report({"bad": BAD}, CUT, k=2), report({"good": GOOD, "bad": BAD}, CUT, k=2)

    assert_frame_equal(alone, together.filter(recommender="bad"))


def test_values_per_user_follow_evaluated_users() -> None:
    """One value per evaluated listener, in the order of `evaluated_users`."""
    assert evaluated_users(CUT).tolist() == [0, 2]
    np.testing.assert_allclose(values_per_user(GOOD, CUT, recall_at_k, k=1), [0.5, 1])
