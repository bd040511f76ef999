"""
How fits of the blend and of its members grow with the number of listeners: CPU time on a demo world and a larger one.

The catalogue of a demo world has 4,000 recordings at any size, so ten times the listeners are ten times the data. A
member whose time grows faster than the data would rule a large night. The last line compares the blend, which fits each
member twice and a ranker, with one fit of each member. A fit includes the states of all listeners, without which there
are no lists.
"""

from time import process_time

import numpy as np

from bench.options import benchmark, size
from bench.recommenders.worlds import demo_split
from recsys.dataset.interactions import Interactions

N_TRACKS = 4_000
MEMBERS = ("ease", "als", "item_knn", "user_knn")  # of the default recipe
ALL, BLEND = "all members", "blend"


@benchmark(headline=r"blend .* (\d+\.\d) times")
@size("--scale", default=10.0, smallest=0.2, help="Size of the larger world; 1 is 2,500 listeners.")
@size("--tracks", "n_tracks", default=N_TRACKS, smallest=1_400, help="Recordings in the catalogue.")
@size("--member", "members", multiple=True, default=MEMBERS, smallest=("user_knn",), help="Members to fit.")
def main(scale: float, n_tracks: int, members: tuple[str, ...]) -> None:
    """Print the CPU time of each fit at size 1 and at the larger size, and its growth."""
    small, large = (fit_seconds(size_of, n_tracks, members) for size_of in (min(1.0, scale / 2), scale))
    for name in (*members, ALL, BLEND):
        print(f"{name:12} {small[name]:8.2f} {large[name]:8.2f} CPU-s: {large[name] / small[name]:.1f} times")
    shares = " and ".join(f"{seconds[BLEND] / seconds[ALL]:.2f}" for seconds in (small, large))
    print(f"the blend takes {shares} times as long as its members")


def fit_seconds(scale: float, n_tracks: int, members: tuple[str, ...]) -> dict[str, float]:
    """Return the CPU time of one fit of each member, of all together, and of a blend of them [s]."""
    from recsys.recommenders.blend import BlendConfig

    train = demo_split(scale, n_tracks).train
    print(f"size {scale:g}: {len(train.users):,} listeners, {train.matrix.nnz:,} pairs", flush=True)
    seconds = {member: fit_s(member, None, train) for member in members}
    blend_s = fit_s(BLEND, BlendConfig(models={member: {} for member in members}), train)
    return seconds | {ALL: sum(seconds.values()), BLEND: blend_s}


def fit_s(name: str, config: object, train: Interactions) -> float:
    """Return the CPU time of one fit and of the states of all listeners [s]."""
    from recsys.recommenders.base import Recommender

    started = process_time()
    model = Recommender.named(name, config).fit(train)
    model.scorer.states(np.arange(len(model.users)))
    return process_time() - started


if __name__ == "__main__":
    main()
