"""
Ablation of the rerank rules: how each rule changes the lists, and how much nDCG it costs.

Each rule alone, and all rules together, choose from the same candidates for the same evaluated listeners, so each
result can be compared with the list without rules.
"""

from collections.abc import Mapping

import polars as pl

from recsys.columns import schema
from recsys.dataset.splits import Split
from recsys.evaluate.ranking import ndcg_at_k
from recsys.evaluate.report import RUN_METRICS_COLUMNS, SEED, values_per_user
from recsys.evaluate.significance import ratio_interval
from recsys.rerank.base import RerankContext, RerankRules
from recsys.rerank.lists import rerank

ALL = "rerank"
NDCG_LOSS = "ndcg_price"


def before_and_after(
    name: str, candidates: pl.DataFrame, rules: RerankRules, context: RerankContext, k: int
) -> dict[str, pl.DataFrame]:
    """
    Rank the candidates without rules, with each rule alone, and with all rules together.

    Args:
        name: The recommender's name.
        candidates: As in `rerank`.
        rules: The rules by name.
        context: As in `rerank`.
        k: Length of the lists.

    Returns:
        Lists by name: '<name>' without rules; '<name>+rerank' with all rules, if there are any; '<name>+<rule>' for
        each rule, if there are several.
    """
    lists = {name: candidates.filter(pl.col("rank") <= k)}
    if len(rules) > 1:
        lists |= {f"{name}+{key}": rerank(candidates, [rule], context, k) for key, rule in rules.items()}
    if rules:
        lists[f"{name}+{ALL}"] = rerank(candidates, list(rules.values()), context, k)
    return lists


def ndcg_losses(rankings: Mapping[str, pl.DataFrame], name: str, split: Split, *, k: int) -> pl.DataFrame:
    """
    Compute the relative nDCG loss of each reranked list: 1 - nDCG after / nDCG before. Metric name: 'ndcg_price'.

    Args:
        rankings: Lists by name, as `before_and_after` returns them.
        name: The recommender's name.
        split: The held-out tracks.
        k: Number of list positions that are evaluated.

    Returns:
        One row per list '<name>+...', with the columns of `evaluate.report.report`. Negative where the rules improved
        nDCG.
    """
    reranked = [key for key in rankings if key.startswith(f"{name}+")]
    values = {key: values_per_user(rankings[key], split, ndcg_at_k, k=k) for key in (name, *reranked)}
    rows = []
    for key in reranked:
        ratio = ratio_interval(values[key], values[name], seed=SEED)
        rows.append((key, NDCG_LOSS, k, 1 - ratio.mean, 1 - ratio.high, 1 - ratio.low, ratio.n_users))
    return pl.DataFrame(rows, schema(RUN_METRICS_COLUMNS), orient="row").fill_nan(None)
