"""On real listening logs: what re-ranking promises holds, and does not cost the lists their accuracy."""

import os
from pathlib import Path

import polars as pl
import pytest

from bench.recommenders.splits import SPLITS
from recsys.dataset.splits import Split
from recsys.evaluate.report import judged_users, report
from recsys.experiments.protocols import fixed
from recsys.recommenders.base import Recommender
from recsys.recommenders.ease import EASE
from recsys.rerank.ablation import before_and_after, prices
from recsys.rerank.base import RerankContext
from recsys.rerank.rules.popularity import Popularity

pytestmark = pytest.mark.slow
K = 10


@pytest.fixture(scope="module")
def candidate_set(tmp_path_factory: pytest.TempPathFactory) -> tuple[Split, pl.DataFrame]:
    """LFM-1M cut at a day, and the best 500 tracks that EASE finds for each judged listener."""
    data = os.environ.get("RECSYS_DATA")
    if data is None:
        pytest.skip("RECSYS_DATA is not set: it names the folder of real research data")
    folder = tmp_path_factory.mktemp("lfm1m")
    SPLITS["lfm1m"](Path(data)).write(folder)
    protocol = fixed(folder)
    split = protocol.test
    ids = split.train.users.ids(judged_users(split))
    return split, Recommender(EASE()).fit(split.train).recommend(ids, 500, filters=protocol.filters(split))


def test_popularity_lift_is_halved_at_less_than_three_hundredths(candidate_set: tuple[Split, pl.DataFrame]) -> None:
    """Lists follow what listeners play themselves, and find nearly as much."""
    split, candidates = candidate_set
    lists = before_and_after("ease", candidates, {"popularity": Popularity(0.1)}, RerankContext.of(split.train), K)

    lift = report(lists, split, k=K).filter(metric="popularity_lift").sort("recommender")["value"]
    price = prices(lists, "ease", split, k=K)["value"].item()

    assert lift[0] > 0.2
    assert lift[1] < lift[0] / 2
    assert price < 0.03
