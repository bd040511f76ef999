"""
Before and after: what each rule changes, and what it costs in accuracy.

Every rule alone and all of them together choose among the same candidates of the same judged listeners, so that each
line can be held against the recommender's own list.
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
PRICE = "ndcg_price"


def before_and_after(
    name: str, candidates: pl.DataFrame, rules: RerankRules, context: RerankContext, k: int
) -> dict[str, pl.DataFrame]:
    """
    Rank the candidates as the recommender does, and as each rule and all of them would.

    Args:
        name: Of the recommender.
        candidates: As in `rerank`.
        rules: By name.
        context: As in `rerank`.
        k: Length of the lists.

    Returns:
        Lists by name: '<name>', with any rule '<name>+rerank' (all of them), with several '<name>+<rule>' each.
    """
    lists = {name: candidates.filter(pl.col("rank") <= k)}
    if len(rules) > 1:
        lists |= {f"{name}+{each}": rerank(candidates, [rule], context, k) for each, rule in rules.items()}
    if rules:
        lists[f"{name}+{ALL}"] = rerank(candidates, list(rules.values()), context, k)
    return lists


def prices(rankings: Mapping[str, pl.DataFrame], name: str, split: Split, *, k: int) -> pl.DataFrame:
    """
    Return the metric 'ndcg_price' of every ranking '<name>+...': the share of the recommender's nDCG given up for it.

    Columns as those of `evaluate.report.report`; below 0 where the lists became better.
    """
    after = [each for each in rankings if each.startswith(f"{name}+")]
    values = {each: values_per_user(rankings[each], split, ndcg_at_k, k=k) for each in (name, *after)}
    rows = []
    for each in after:
        ratio = ratio_interval(values[each], values[name], seed=SEED)
        rows.append((each, PRICE, k, 1 - ratio.mean, 1 - ratio.high, 1 - ratio.low, ratio.n_users))
    return pl.DataFrame(rows, schema(RUN_METRICS_COLUMNS), orient="row").fill_nan(None)
