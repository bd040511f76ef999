"""The expected band of a release: quantiles of earlier releases, too few of them, and weeks without a figure."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import accumulate

import numpy as np
import polars as pl
import pytest

from recsys.analytics.release_band import N_LEAST, so_far, with_band

FIRST = date(2026, 3, 6)
Plays = Sequence[int | None]


def releases(*plays: Plays, kinds: str = "", n_closed: int = 3) -> pl.DataFrame:
    """Return the days of releases that came out a week apart, the oldest first; only the last one is still open."""
    rows = [
        {
            "release_id": f"r{no}",
            "release_date": FIRST + timedelta(days=7 * no),
            "kind": "album" if kinds[no : no + 1] == "a" else "single",
            "period_no": period + 1,
            "n_days": 1,
            "n_plays": count,
            "is_closed": no + 1 < len(plays) or period < n_closed,
            "is_withheld": False,
        }
        for no, of_release in enumerate(plays)
        for period, count in enumerate(of_release)
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def last(plays: Sequence[Plays], **options: bool) -> pl.DataFrame:
    """Return the last of some releases with its band."""
    return with_band(releases(*plays), f"r{len(plays) - 1}", any_kind=options.get("any_kind", False))


def end(values: Sequence[float], share: float) -> float:
    """Return the value at position (n + 1) share of sorted values, between two of them in proportion."""
    position = (len(values) + 1) * share
    below = int(position + 1e-9)
    rest, ranked = position - below, sorted(values)
    return ranked[below - 1] + (rest * (ranked[below] - ranked[below - 1]) if rest > 1e-9 else 0)


@pytest.mark.parametrize("n", [N_LEAST, 12, 30])
def test_the_band_is_that_of_the_earlier_releases(n: int) -> None:
    """Of each day, and of the plays so far; the ends are computed by hand from the sorted values."""
    rng = np.random.default_rng(n)
    earlier = rng.integers(0, 1_000, (n, 3)).tolist()

    found = last([*earlier, [5, 500, 2_000]])

    for day in range(3):
        row, daily = found.row(day, named=True), [plays[day] for plays in earlier]
        totals = [sum(plays[: day + 1]) for plays in earlier]
        own = [5, 505, 2_505][day]
        assert [row["low"], row["high"]] == pytest.approx([end(daily, 0.1), end(daily, 0.9)])
        assert [row["so_far_low"], row["so_far_high"]] == pytest.approx([end(totals, 0.1), end(totals, 0.9)])
        assert (row["n_so_far"], row["n_earlier"]) == (own, n)
        assert row["n_lower"] == sum(total < own for total in totals)


def test_a_like_release_is_inside_four_times_out_of_five() -> None:
    """The smallest band, of nine releases, holds the tenth with a probability of 80 %."""
    rng, inside = np.random.default_rng(1), 0
    for _ in range(250):
        plays = rng.lognormal(5, 1, 10).round().astype(int)
        row = last([[int(count)] for count in plays]).row(0, named=True)
        inside += row["so_far_low"] <= row["n_so_far"] <= row["so_far_high"]

    assert 0.74 < inside / 250 < 0.86


def test_too_few_earlier_releases_have_no_band() -> None:
    """Their number is stated; the first release of all has none."""
    found, first = last([[1]] * N_LEAST), with_band(releases([7]), "r0", any_kind=True)

    assert found.select("n_earlier", "low", "high", "so_far_low", "so_far_high").row(0) == (N_LEAST - 1, *[None] * 4)
    assert first.select("n_earlier", "low", "n_so_far").row(0) == (0, None, 7)


def test_releases_of_another_kind_count_only_if_asked_for() -> None:
    """Ten albums are no precedent of a single."""
    every = releases(*[[10]] * 10, [3], kinds="a" * 10)

    assert with_band(every, "r10", any_kind=False)["n_earlier"][0] == 0
    assert with_band(every, "r10", any_kind=True)["n_earlier"][0] == 10


def test_missing_figures_are_the_lowest_and_never_0() -> None:
    """Two of ten without one: the lower end is unknown; the release that has none is not compared."""
    earlier: list[Plays] = [[None]] * 2 + [[no] for no in range(10, 90, 10)]

    known, unknown = (last([*earlier, [own]]).row(0, named=True) for own in (45, None))

    assert (known["low"], known["so_far_low"]) == (None, None)
    assert known["high"] == pytest.approx(end([0, 0, *range(10, 90, 10)], 0.9))
    assert known["n_lower"] == 2 + 4
    assert (unknown["n_so_far"], unknown["plays_a_day"], unknown["n_lower"]) == (None, None, None)


def test_a_band_of_missing_figures_alone_is_none() -> None:
    """No end is known."""
    found = last([[None]] * 12 + [[3]]).row(0, named=True)

    assert [found[name] for name in ("low", "high", "so_far_low", "so_far_high")] == [None] * 4


def test_days_to_come_have_a_band_and_no_plays() -> None:
    """The release's own plays end with the log."""
    found = with_band(releases(*[[4, 4, 4]] * 9, [1, 2, None], n_closed=2), "r9", any_kind=False)

    assert found["n_so_far"].to_list() == [1, 3, None]
    assert found["high"].to_list() == [4, 4, 4]


def test_weeks_add_up_over_those_without_a_figure() -> None:
    """The sum is null until the first figure, and from a withheld week on."""
    periods = releases([None, 5, None, 7]).with_columns(is_closed=True)

    assert so_far(periods)["n_so_far"].to_list() == [None, 5, 5, 12]
    withheld = periods.with_columns(is_withheld=pl.col("period_no") == 3)
    assert so_far(withheld)["n_so_far"].to_list() == [None, 5, None, None]


def test_a_withheld_release_is_no_precedent() -> None:
    """From the withheld period on."""
    periods = releases(*[[1, 1]] * 10, [1, 1])
    withheld = periods.with_columns(is_withheld=(pl.col("release_id") == "r0") & (pl.col("period_no") == 2))

    assert with_band(withheld, "r10", any_kind=False)["n_earlier"].to_list() == [10, 9]


def test_plays_per_day_divide_by_the_days_of_a_period() -> None:
    """A first week of three days is not taken for one of seven."""
    periods = releases([6, 14]).with_columns(n_days=pl.Series([3, 7]))

    found = so_far(periods)

    assert found["plays_a_day"].to_list() == [2, 2]
    assert found["n_so_far"].to_list() == list(accumulate([6, 14]))
