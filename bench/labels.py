"""Cost of the label files: CPU-seconds to write them all, and their sizes beside that of the warehouse."""

import tempfile
from pathlib import Path
from time import perf_counter, process_time

from bench.options import benchmark, home_argument
from recsys.home import Home

MB = 1e6


@benchmark(headline=r"labels: (\d+\.\d) CPU-seconds")
@home_argument
def main(home: Path) -> None:
    """Write every label's file from a published warehouse into a temporary folder; print time and sizes."""
    from recsys.warehouse.labels import write_labels

    warehouse = Home(home).published_warehouse()
    with tempfile.TemporaryDirectory() as folder:
        cpu, wall = process_time(), perf_counter()
        n_labels = write_labels(warehouse, Path(folder) / "labels")
        cpu, wall = process_time() - cpu, perf_counter() - wall
        sizes = [path.stat().st_size / MB for path in Path(folder).rglob("*.duckdb")]
    print(f"{n_labels} labels: {cpu:.1f} CPU-seconds, {wall:.1f} s")
    print(
        f"{sum(sizes):.0f} MB, the largest file {max(sizes):.1f} MB; warehouse {warehouse.stat().st_size / MB:.0f} MB"
    )


if __name__ == "__main__":
    main()
