"""
What two rules of EASE gain on sparse data: the validation parts of splits, thinned at random.

Each listener keeps a random share of the training pairs, at least one; the held-out pairs stay. Recall@20 and nDCG@10
with a rule and without it, the ratio of means and its paired 95 % interval over listeners: `regularization` grows where
histories are short (`sparsity_factor`), or tracks with rich tags count more (`size_exponent`). Splits whose data is
missing cannot be read; a demo world always can.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import click
import numpy as np

from bench.options import benchmark, size
from bench.recommenders.ease_neighbours import metrics, ratio
from bench.recommenders.splits import written_split
from bench.recommenders.worlds import demo_split

if TYPE_CHECKING:
    from recsys.dataset.splits import Split

DEMO, N_TRACKS = "demo", 4_000
FACTOR, SIZE = "regularization", "size_exponent"


@benchmark(headline=r"nDCG@10 .* ratio (\d\.\d{3})")
@size(
    "--data",
    "names",
    multiple=True,
    type=click.Choice([DEMO, "hetrec", "cpfair", "lfm1m"]),
    default=("hetrec", "cpfair", DEMO),
    smallest=(DEMO,),
    help="Splits.",
)
@size("--scale", default=1.0, smallest=0.1, help="Size of the demo world; 1 is 2,500 listeners.")
@size("--share", "shares", multiple=True, default=(1.0, 0.4, 0.15, 0.07), smallest=(0.3,), help="Share of pairs kept.")
@click.option("--rule", type=click.Choice([FACTOR, SIZE]), default=FACTOR, show_default=True, help="Rule to leave out.")
@click.option("--seed", default=2, show_default=True, help="Seed of the thinning.")
def main(names: tuple[str, ...], scale: float, shares: tuple[float, ...], rule: str, seed: int) -> None:
    """Print both models' metrics on each split at each share."""
    from recsys.experiments.protocols import from_folder
    from recsys.recommenders.ease import EASEConfig, sparsity_factor

    config = EASEConfig()
    for name in names:
        whole = demo_split(scale, N_TRACKS) if name == DEMO else from_folder(written_split(name)).validation
        for share in shares:
            split = thinned(whole, share, seed)
            factor = sparsity_factor(split.train.liked)
            n_mean = split.train.matrix.nnz / len(split.train.users)
            print(f"{name}, {share:.0%} of the pairs, {n_mean:.1f} per listener: factor {factor:.2f}", flush=True)
            by_rule = {
                FACTOR: replace(config, regularization=config.regularization / factor),
                SIZE: replace(config, size_exponent=0.0),
            }
            plain = metrics("without", split, by_rule[rule])
            for metric, values in metrics("with", split, config).items():
                means = f"{plain[metric].mean():.4f} -> {values.mean():.4f}"
                print(f"{metric} {means}, {ratio(values, plain[metric])}", flush=True)


def thinned(split: "Split", share: float, seed: int) -> "Split":
    """Return the split with a random share of the training pairs, at least the first of each listener."""
    train = split.train
    is_kept = np.random.default_rng(seed).random(train.matrix.nnz) < share
    is_kept[train.matrix.indptr[:-1][np.diff(train.matrix.indptr) > 0]] = True
    kept = type(split).hold_out(train, is_kept, np.zeros_like(is_kept)).train
    return replace(split, train=replace(kept, seen=train.seen))  # what was seen is not recommended


if __name__ == "__main__":
    main()
