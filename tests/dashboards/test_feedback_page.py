"""Click-through of explored positions on the page Recommendations, computed again from the rows of the log."""

import shutil
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from recsys.home import Home
from recsys.warehouse.query import Warehouse

from .conftest import Open, failures

Z = 1.96
GROUPS = {
    "slot": pl.format("position {}", "rank"),
    "policy": pl.col("policy").replace("thompson", "Thompson sampling"),
    "choice": pl.when(pl.col("option_no") == 1)
    .then(pl.lit("the recommender's own choice"))
    .otherwise(pl.lit("another candidate")),
}


@pytest.fixture(scope="module")
def observed(published_home: Home, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pl.DataFrame]:
    """A warehouse whose explored positions have outcomes, two positions for some listeners; and these positions."""
    path = tmp_path_factory.mktemp("observed") / "warehouse.duckdb"
    shutil.copy(published_home.published_warehouse(), path)
    with duckdb.connect(path) as connection:
        connection.execute("""
            insert into marts.feedback by name select * replace (rank + 5 as rank, 'linucb' as policy)
            from marts.feedback where hash(user_id) % 3 = 0;
            update marts.feedback set is_complete = hash(track_id) % 5 > 0, reward = (hash(user_id) % 4 = 0)::int;
        """)
    with Warehouse.open(path) as warehouse:
        return path, warehouse.query("select * from marts.feedback")


def interval(rows: pl.DataFrame) -> tuple[float, float, float]:
    """Return rate, low and high of some positions: Wilson's interval, by the number of independent positions."""
    n, rate = rows.height, float(rows["reward"].mean())  # type: ignore[arg-type]
    sums = rows.group_by("user_id").agg(pl.col("reward").sum() - rate * pl.len())["reward"].to_numpy()
    variance = len(sums) / (len(sums) - 1) * (sums**2).sum()
    independent = n / max(1.0, variance / (n * rate * (1 - rate)))
    middle, wide = (
        rate + Z**2 / (2 * independent),
        Z * np.sqrt(rate * (1 - rate) / independent + (Z / (2 * independent)) ** 2),
    )
    return rate, (middle - wide) / (1 + Z**2 / independent), (middle + wide) / (1 + Z**2 / independent)


@pytest.mark.parametrize("group", GROUPS)
def test_click_through_is_that_of_the_positions(
    open_page: Open, observed: tuple[Path, pl.DataFrame], group: str
) -> None:
    """By position, policy and choice, of the positions whose days are over; listeners with two positions widen it."""
    path, rows = observed
    page = open_page("recommendations", file=path, by=group)

    assert failures(page) == []
    shown = next(table.value for table in page.dataframe if "n_positions" in table.value.columns).set_index("part")
    known = rows.filter("is_complete").with_columns(part=GROUPS[group])
    assert sorted(shown.index) == sorted(known["part"].unique())
    for (part,), of_part in known.group_by("part"):
        found = shown.loc[part]
        assert found["n_positions"] == of_part.height
        assert found["n_played"] == of_part["reward"].sum()
        expected = [100 * value for value in interval(of_part)]
        assert [found["rate"], found["low"], found["high"]] == pytest.approx(expected, abs=1e-6)


def test_other_policies_are_estimated_from_the_draws(open_page: Open, observed: tuple[Path, pl.DataFrame]) -> None:
    """Each draw weighs as the policy would draw it / its probability; the weights are normalised."""
    path, rows = observed
    page = open_page("recommendations", file=path)

    table = next(one.value for one in page.dataframe if "n_effective" in one.value.columns).set_index("policy")
    known = rows.filter("is_complete")
    chances = {
        "the recommender's first choice": (known["option_no"] == 1).cast(pl.Float64),
        "every candidate equally often": 1 / known["n_options"],
    }
    for policy, chance in chances.items():
        weights = (chance / known["propensity"]).to_numpy()
        found = table.loc[policy]
        estimate = np.average(known["reward"].to_numpy(), weights=weights)
        assert found["estimate"] == pytest.approx(100 * estimate, abs=1e-6)
        assert found["n_effective"] == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
        assert 0 <= found["low"] <= found["estimate"] <= found["high"] <= 100


@pytest.mark.parametrize("reward", [0, 1])
def test_all_or_nothing_played_has_an_interval(
    open_page: Open, observed: tuple[Path, pl.DataFrame], tmp_path: Path, reward: int
) -> None:
    """It reaches from or to the certain value, and not to it alone."""
    path = Path(shutil.copy(observed[0], tmp_path / "all.duckdb"))
    with duckdb.connect(path) as connection:
        connection.execute(f"update marts.feedback set reward = {reward}")

    page = open_page("recommendations", file=path, by="policy")

    assert failures(page) == []
    shown = next(table.value for table in page.dataframe if "n_positions" in table.value.columns)
    assert (shown["rate"] == 100 * reward).all()
    assert ((shown["high"] - shown["low"]).between(1e-4, 20)).all()
    assert (shown["low" if reward == 0 else "high"] - 100 * reward).abs().max() == pytest.approx(0, abs=1e-6)


def test_without_outcomes_the_page_says_when_there_are_some(open_page: Open) -> None:
    """After the first night nothing has been observed yet."""
    page = open_page("recommendations")

    assert failures(page) == []
    assert any("observed to its end" in info.value for info in page.info)
