"""
What if a group had to be seen more: 2,500 listeners x 500 candidates chosen among again, as the Fairness page asks.

The synthetic night of bench/rerank.py; each target is one move of the page's slider, and the lists without a target are
made anew each time. Beside it the share that each target gives and what it keeps. Run: python -m bench.what_if
"""

import os
from time import perf_counter

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # before polars is imported: one core means one

from threadpoolctl import threadpool_limits

from bench.rerank import MINORITY, N_CANDIDATES, N_LISTENERS, K, make_world
from recsys.rerank.base import Night
from recsys.rerank.what_if import what_if

TARGETS = (0.1, 0.2, 0.3, 0.4, 0.5)


def main() -> None:
    """Time each move of the slider."""
    with threadpool_limits(1):
        world = make_world()
        started = perf_counter()
        night = Night.of(world.candidates, world.about, K)
        print(f"read {N_LISTENERS:,} listeners x {N_CANDIDATES} candidates once: {perf_counter() - started:.2f} s")
        seconds = []
        for target in TARGETS:
            started = perf_counter()
            (outcome,) = what_if(night, MINORITY, [target])
            seconds.append(perf_counter() - started)
            print(
                f"target {target:.0%}: {seconds[-1]:.2f} s, share {outcome.share:.3f}, relevance kept "
                f"{outcome.kept:.3f}, tracks changed {outcome.changed:.3f}"
            )
    print(f"slowest {max(seconds):.2f} s, bar 2 s")


if __name__ == "__main__":
    main()
