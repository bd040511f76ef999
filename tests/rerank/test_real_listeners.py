"""Re-ranking on a real listening log: the rule has its effect at a small cost in accuracy."""

import os
from pathlib import Path

import polars as pl
import pytest

from bench.recommenders.splits import SPLITS
from recsys.dataset.splits import Split
from recsys.evaluate.report import evaluated_users, report
from recsys.experiments.protocols import from_folder
from recsys.recommenders.base import Recommender
from recsys.recommenders.ease import EASE
from recsys.recommenders.parts.filters import Filters
from recsys.rerank.ablation import before_and_after, ndcg_losses
from recsys.rerank.base import RerankContext
from recsys.rerank.rules.popularity import Popularity

pytestmark = pytest.mark.slow
K = 10


@pytest.fixture(scope="module")
def split_and_candidates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Split, pl.DataFrame]:
    """LFM-1M split by time, and EASE's best 500 tracks for each evaluated listener."""
    data = os.environ.get("RECSYS_DATA")
    if data is None:
        pytest.skip("RECSYS_DATA is not set: it names the folder of real research data")
    folder = tmp_path_factory.mktemp("lfm1m")
    SPLITS["lfm1m"](Path(data)).write(folder)
    protocol = from_folder(folder)
    split = protocol.test
    ids = split.train.users.ids(evaluated_users(split))
    return split, Recommender(EASE()).fit(split.train).recommend(ids, 500, filters=Filters.for_split(split))


def test_popularity_lift_is_halved_for_less_than_three_per_cent_of_ndcg(
    split_and_candidates: tuple[Split, pl.DataFrame],
) -> None:
    """Popularity calibration brings lists near to the listeners' own popularity, and nDCG hardly falls."""
    split, candidates = split_and_candidates
    lists = before_and_after("ease", candidates, {"popularity": Popularity(0.1)}, RerankContext.of(split.train), K)

    lift = report(lists, split, k=K).filter(metric="popularity_lift").sort("recommender")["value"]
    price = ndcg_losses(lists, "ease", split, k=K)["value"].item()

    assert lift[0] > 0.2
    assert lift[1] < lift[0] / 2
    assert price < 0.03
