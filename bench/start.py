"""
How long `recsys --help` takes, as a whole process: median of ten, beside a Python that does nothing. Bar: under 0.5 s.

Usage: python bench/start.py
"""

import statistics
import subprocess
import sys
import time

BAR_S, ROUNDS = 0.5, 10


def median_s(*arguments: str) -> float:
    """Time a Python process [s]."""
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


if __name__ == "__main__":
    ours, floor = median_s("-c", "from recsys.cli import main; main()", "--help"), median_s("-c", "pass")
    print(
        f"recsys --help {ours:.3f} s, python alone {floor:.3f} s, bar {BAR_S} s: {'met' if ours < BAR_S else 'not met'}"
    )
