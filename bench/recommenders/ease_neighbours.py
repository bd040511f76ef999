"""
What EASE loses when it regresses each track on its neighbours, as it does in catalogues above `max_tracks`.

Both models have the same settings, except `max_tracks`, and recommend to the same listeners of a test that neither has
seen: of a demo world, and of HetRec 2011 where its data is present. Recall@20 and nDCG@10 with the ratio of means and
its paired 95 % interval; the bar is a loss of 3 %.
"""

from dataclasses import replace
from time import process_time

import click

from bench.options import benchmark, size
from bench.recommenders.splits import written_split
from bench.recommenders.worlds import demo_split
from recsys.arrays import F64
from recsys.dataset.splits import Split

SEED, N_LISTED = 7, 20
DEMO, HETREC = "demo", "hetrec"


@benchmark(headline=r"nDCG@10 .* ratio ([01]\.\d{3})")
@size("--data", "names", multiple=True, type=click.Choice([DEMO, HETREC]), default=(DEMO, HETREC), smallest=(DEMO,))
@size("--scale", default=2.0, smallest=0.1, help="Size of the demo world; 1 is 2,500 listeners.")
@size("--tracks", "n_tracks", default=20_000, smallest=1_400, help="Recordings of the demo world.")
@size("--neighbours", multiple=True, default=(100,), smallest=(20,), help="Neighbours per track.")
def main(names: tuple[str, ...], scale: float, n_tracks: int, neighbours: tuple[int, ...]) -> None:
    """Print both models' metrics on each data set."""
    from recsys.experiments.protocols import from_folder
    from recsys.recommenders.ease import EASEConfig

    for name in names:
        split = demo_split(scale, n_tracks) if name == DEMO else from_folder(written_split(HETREC)).test
        print(f"{name}: {len(split.train.users):,} listeners, {len(split.train.tracks):,} tracks", flush=True)
        exact = metrics("exact", split, EASEConfig())
        for n in neighbours:
            own = metrics(f"{n} neighbours", split, replace(EASEConfig(), max_tracks=1, neighbours=n))
            for metric, values in own.items():
                print(f"{metric} {values.mean():.4f}, exact {exact[metric].mean():.4f}: {ratio(values, exact[metric])}")


def metrics(label: str, split: Split, config: object) -> dict[str, F64]:
    """Fit one model, print its CPU time, and return its metrics, one value per listener."""
    from recsys.evaluate.ranking import ndcg_at_k, recall_at_k
    from recsys.evaluate.report import evaluated_users, values_per_user
    from recsys.recommenders.base import Recommender
    from recsys.recommenders.parts.filters import Filters

    started = process_time()
    model = Recommender.named("ease", config).fit(split.train)
    print(f"{label}: fit {process_time() - started:.0f} CPU-s", flush=True)
    ids = split.train.users.ids(evaluated_users(split))
    lists = model.recommend(ids, N_LISTED, filters=Filters.of(split.train))
    return {
        "nDCG@10": values_per_user(lists, split, ndcg_at_k, k=10),
        "recall@20": values_per_user(lists, split, recall_at_k, k=N_LISTED),
    }


def ratio(values: F64, exact: F64) -> str:
    """Format the ratio of means and its paired interval."""
    from recsys.evaluate.significance import compare_paired

    (row,) = compare_paired({"own": values, "exact": exact}, "exact", seed=SEED).to_dicts()
    return f"ratio {row['ratio']:.3f} [{row['ratio_low']:.3f}, {row['ratio_high']:.3f}]"


if __name__ == "__main__":
    main()
