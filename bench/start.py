"""Start-up time of `recsys --help` as a process: median of ten runs, beside an empty Python process. Bar: 0.5 s."""

import statistics
import subprocess
import sys
import time

from bench.options import benchmark, size

BAR_S = 0.5


def median_s(n_rounds: int, *arguments: str) -> float:
    """Return the median wall time of a Python process [s]."""
    seconds = []
    for _ in range(n_rounds):
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


@benchmark(headline=r"recsys --help (\d\.\d{3}) s")
@size("--rounds", "n_rounds", default=10, smallest=1, help="Times that each is started.")
def main(n_rounds: int) -> None:
    """Print the start-up times of `recsys --help` and of Python alone."""
    ours = median_s(n_rounds, "-c", "from recsys.cli import main; main()", "--help")
    floor = median_s(n_rounds, "-c", "pass")
    print(
        f"recsys --help {ours:.3f} s, python alone {floor:.3f} s, bar {BAR_S} s: {'met' if ours < BAR_S else 'not met'}"
    )


if __name__ == "__main__":
    main()
