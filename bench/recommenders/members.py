"""
How the fits of the blend's members grow with the number of listeners: CPU time on a demo world and on a larger one.

The catalogue of a demo world has 4,000 recordings at any size, so ten times the listeners are ten times the data. A
member whose time grows faster than the data would rule a large night.
"""

from time import process_time

from bench.options import benchmark, size
from bench.recommenders.worlds import demo_split

N_TRACKS = 4_000
MEMBERS = ("ease", "als", "item_knn", "user_knn")  # of the default recipe


@benchmark(headline=r"all members .* (\d+\.\d) times")
@size("--scale", default=10.0, smallest=0.2, help="Size of the larger world; 1 is 2,500 listeners.")
@size("--tracks", "n_tracks", default=N_TRACKS, smallest=1_400, help="Recordings in the catalogue.")
@size("--member", "members", multiple=True, default=MEMBERS, smallest=("user_knn",), help="Members to fit.")
def main(scale: float, n_tracks: int, members: tuple[str, ...]) -> None:
    """Print the CPU time of each fit at size 1 and at the larger size, and its growth."""
    small, large = (fit_seconds(size_of, n_tracks, members) for size_of in (min(1.0, scale / 2), scale))
    for member in members:
        print(f"{member:12} {small[member]:8.2f} {large[member]:8.2f} CPU-s: {large[member] / small[member]:.1f} times")
    totals = sum(small.values()), sum(large.values())
    print(f"{'all members':12} {totals[0]:8.2f} {totals[1]:8.2f} CPU-s: {totals[1] / totals[0]:.1f} times")


def fit_seconds(scale: float, n_tracks: int, members: tuple[str, ...]) -> dict[str, float]:
    """Return the CPU time of one fit of each member [s]."""
    from recsys.recommenders.base import Recommender

    train = demo_split(scale, n_tracks).train
    print(f"size {scale:g}: {len(train.users):,} listeners, {train.matrix.nnz:,} pairs", flush=True)
    seconds = {}
    for member in members:
        started = process_time()
        Recommender.named(member).fit(train)
        seconds[member] = process_time() - started
    return seconds


if __name__ == "__main__":
    main()
