"""
StatsForecast's side of `bench.analytics.forecasts`; runs in its own environment (see `bench.peers.environments`).

The library fits each series by itself and chooses the form of a model by information criteria. ETS, CES and ARIMA get
no season longer than 24 steps: the library's ETS allows none, and its ARIMA would take seconds per series. A series on
which a model fails gets the seasonal naive forecast, by the library's own option.

Reads NUMBER.npz of a folder (`history`, `horizon`, `season`) and writes NUMBER-MODEL.npz beside it: `mean`, `low`,
`high`, and the CPU time [s] of all series. Without a folder it forecasts three example series.
"""

from importlib import import_module  # the library is not installed where this file is linted
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import click

from bench.options import benchmark, require
from bench.peers.environments import installation

NAMES = ("SeasonalNaive", "AutoTheta", "AutoETS", "AutoCES", "AutoARIMA")
LONG_SEASONS = ("SeasonalNaive", "AutoTheta")  # models that are given a season of any length
LONGEST_SEASON = 24  # of the others
COVERAGE_PERCENT = 80


@benchmark(headline=r"AutoETS +\d+ +(\d+\.\d+) CPU-s")
@click.argument("folder", type=click.Path(path_type=Path, exists=True), required=False)
@click.option("--models", default=",".join(NAMES), show_default=True, help="Names of models, comma-separated.")
def main(folder: Path | None, models: str) -> None:
    """Forecast every case with every model that has no result yet; print a line for each."""
    require("statsforecast", installation("statsforecast"))
    with TemporaryDirectory() as temporary:
        cases = folder or write_example(Path(temporary))
        numbered = [path for path in sorted(cases.glob("*.npz")) if path.stem.isdigit()]
        for name in models.split(","):
            for path in numbered:
                out = path.with_name(f"{path.stem}-{name}.npz")
                if not out.exists():
                    print(f"{name:<14} {path.stem:>4} {write_forecast(name, path, out):>9.2f} CPU-s", flush=True)


def write_forecast(name: str, case: Path, out: Path) -> float:
    """Forecast the series of a case, write the result and return the CPU time [s]."""
    numpy, _ = import_module("numpy"), import_module("statsforecast.models")  # its import is not timed
    with numpy.load(case, allow_pickle=False) as arrays:
        history, horizon, season = arrays["history"], int(arrays["horizon"]), int(arrays["season"])
    start = process_time()
    result = forecast(name, history, horizon, season)
    seconds = process_time() - start
    numpy.savez(out, seconds=seconds, **result)
    return seconds


def forecast(name: str, history: Any, horizon: int, season: int) -> dict[str, Any]:
    """
    Forecast every series with 80 % intervals.

    Args:
        name: Name of a model of the library.
        history: Counts, oldest first. Shape (n_series, n_times).
        horizon: Number of steps to forecast.
        season: Length of the season in steps.

    Returns:
        `mean`, `low` and `high`, shape (n_series, horizon) each; negative values are set to 0, as ours are.
    """
    numpy, pandas, library, models = (
        import_module(module) for module in ("numpy", "pandas", "statsforecast", "statsforecast.models")
    )
    fitted_season = season if name in LONG_SEASONS or season <= LONGEST_SEASON else 1
    n_series, n_times = history.shape
    rows = {
        "unique_id": numpy.repeat(numpy.arange(n_series), n_times),
        "ds": numpy.tile(numpy.arange(n_times), n_series),
        "y": history.ravel(),
    }
    forecaster = library.StatsForecast(
        models=[getattr(models, name)(season_length=fitted_season, alias="model")],
        freq=1,
        n_jobs=1,
        fallback_model=models.SeasonalNaive(season_length=season),
    )
    predicted = forecaster.forecast(df=pandas.DataFrame(rows), h=horizon, level=[COVERAGE_PERCENT])
    predicted = predicted.sort_values(["unique_id", "ds"])
    columns = {"mean": "model", "low": f"model-lo-{COVERAGE_PERCENT}", "high": f"model-hi-{COVERAGE_PERCENT}"}
    return {
        part: numpy.clip(predicted[column].to_numpy(numpy.float64).reshape(n_series, horizon), 0, None)
        for part, column in columns.items()
    }


def write_example(folder: Path) -> Path:
    """Write a case of three series with a weekly season; return the folder."""
    numpy = import_module("numpy")
    means = numpy.array([[5.0], [20.0], [80.0]]) * (1 + numpy.arange(98) % 7)
    numpy.savez(folder / "0.npz", history=numpy.random.default_rng(1).poisson(means), horizon=28, season=7)
    return folder


if __name__ == "__main__":
    main()
