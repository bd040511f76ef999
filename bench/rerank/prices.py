"""
What each rerank rule changes on LFM-1M's test window, and its price: the relative loss of nDCG@10.

The protected group is one artist in ten, drawn at random, with about a tenth of the exposure; its target is a fifth.
Because the price depends on the draw, the exposure rule is repeated for five groups. Settings are the defaults, except
those of popularity and the share of FA*IR. Debiasing is measured with several exponents: the tail are the tracks with
the last 20 % of all training pairs of listener and track.
"""

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from bench.options import benchmark, size, size_argument
from bench.recommenders.splits import written_split
from recsys.dataset.interactions import Interactions
from recsys.experiments.protocols import Protocol, from_folder
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.filters import Filters
from recsys.rerank.base import CandidateSet, RerankContext, RerankRule
from recsys.rerank.rules.artist_cap import ArtistCap
from recsys.rerank.rules.calibration import Calibration
from recsys.rerank.rules.debias import Debias
from recsys.rerank.rules.diversity import Diversity
from recsys.rerank.rules.exposure import Exposure, group_exposure_shares
from recsys.rerank.rules.fair_top_k import FairTopK
from recsys.rerank.rules.popularity import Popularity

if TYPE_CHECKING:
    from recsys.dataset.splits import Split

GROUP, TARGET, K, SEED = "group=drawn", 0.2, 10, 7
TAIL, EXPONENTS = "popularity=tail", (0.05, 0.1, 0.2, 0.4)
SHOWN = ("ndcg", "popularity_lift", "intra_list_diversity", "miscalibration", "exposure_gini")


@benchmark(headline=r"group 1: (0\.\d{3}) to")
@size_argument("name", default="ease", smallest="popular", metavar="[MODEL]")
@size("--candidates", "n_candidates", default=500, smallest=30, help="Candidates per listener.")
@size("--groups", "n_groups", default=5, smallest=1, help="Random groups for which exposure is repeated.")
def main(name: str, n_candidates: int, n_groups: int) -> None:
    """Print one line for the lists without rules, one per rule, one for all rules, and one per random group."""
    from recsys.evaluate.report import report
    from recsys.rerank.ablation import before_and_after, ndcg_losses

    protocol = from_folder(written_split("lfm1m"))
    split, context = protocol.test, RerankContext.of(protocol.test.train, drawn_group(protocol.test.train, SEED))
    candidates = candidates_of(protocol, name, n_candidates)
    rules = {
        "artist_cap": ArtistCap(),
        "diversity": Diversity(),
        "calibration": Calibration(),
        "popularity": Popularity(0.1),
        "fair_top_k": FairTopK(GROUP, 0.2),
        "exposure": Exposure({GROUP: TARGET}),
    }
    lists = before_and_after(name, candidates, rules, context, K)
    metrics = pl.concat([report(lists, split, k=K), ndcg_losses(lists, name, split, k=K)])
    wide = metrics.pivot("metric", index="recommender", values=["value", "low", "high"])
    group_shares = [group_exposure(ranking, context) for ranking in lists.values()]
    group = pl.DataFrame({"recommender": list(lists), "share": group_shares})
    price = pl.format("{} [{}, {}]", *(pl.col(f"{end}_ndcg_price").round(4) for end in ("value", "low", "high")))
    shown = [pl.col(f"value_{metric}").round(4).alias(metric) for metric in SHOWN]
    table = wide.join(group, on="recommender").select("recommender", price.alias("price"), *shown, "share")
    with pl.Config(tbl_cols=-1, tbl_rows=-1, tbl_width_chars=200, fmt_str_lengths=40):
        print(table)
    tail = RerankContext.of(split.train, popularity_groups(split.train))
    for exponent in EXPONENTS:
        effect = effect_on(TAIL, Debias(exponent), tail, candidates, split)
        print(f"debias {exponent:g}: share of the tail {effect}", flush=True)
    for seed in range(1, 1 + n_groups):
        drawn = RerankContext.of(split.train, drawn_group(split.train, seed))
        print(f"group {seed}: {effect_on(GROUP, rules['exposure'], drawn, candidates, split)}")


def effect_on(group: str, rule: RerankRule, context: RerankContext, candidates: pl.DataFrame, split: "Split") -> str:
    """Say how a rule alone changes a group's share of exposure, and its price with its 95 % interval."""
    from recsys.rerank.ablation import before_and_after, ndcg_losses

    lists = before_and_after("lists", candidates, {"rule": rule}, context, K)
    before, after = (group_exposure(ranking, context, group) for ranking in lists.values())
    cost = ndcg_losses(lists, "lists", split, k=K).row(0, named=True)
    return f"{before:.3f} to {after:.3f}, price {cost['value']:.4f} [{cost['low']:.4f}, {cost['high']:.4f}]"


def popularity_groups(interactions: Interactions) -> pl.DataFrame:
    """Return the group of popularity of each track: head, middle or tail."""
    from recsys.evaluate.groups import POPULARITY, track_groups

    groups = [group for group in track_groups(interactions) if group.kind == POPULARITY]
    number = np.stack([group.members for group in groups]).argmax(axis=0)
    names = np.array([group.name for group in groups])[number]
    return pl.DataFrame({"track_id": interactions.tracks.ids(), POPULARITY: names})


def drawn_group(interactions: Interactions, seed: int) -> pl.DataFrame:
    """Assign one artist in ten to the protected group."""
    artist = RerankContext.of(interactions).artists
    is_drawn = np.random.default_rng(seed).random(artist.max() + 2) < 0.1
    return pl.DataFrame({"track_id": interactions.tracks.ids(), "group": np.where(is_drawn[artist], "drawn", "other")})


def candidates_of(protocol: Protocol, name: str, n: int) -> pl.DataFrame:
    """Fit on everything before the test window and rank unheard tracks for the evaluated listeners."""
    from recsys.evaluate.report import evaluated_users

    split = protocol.test
    model = Recommender.named(name).fit(split.train, validation=protocol.validation)
    ids = split.train.users.ids(evaluated_users(split))
    return model.recommend(ids, n, filters=Filters.for_split(split))


def group_exposure(lists: pl.DataFrame, context: RerankContext, group: str = GROUP) -> float:
    """Return a group's share of exposure, 0..1."""
    candidate_set = CandidateSet.of(lists, context, K)
    chosen = np.where(candidate_set.tracks >= 0, np.arange(candidate_set.tracks.shape[1]), -1)
    return float(group_exposure_shares(candidate_set, chosen.astype(np.int64), context.members(group)[:, None])[0])


if __name__ == "__main__":
    main()
