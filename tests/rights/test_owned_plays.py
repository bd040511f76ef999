"""Who listened to the works of owners: arrays that are sorted once, against tables that are grouped."""

from itertools import product

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recsys.ledger.cells import summed
from recsys.ledger.lines import PLAYS
from recsys.rights.owned_plays import AMOUNT, MEASURES, OwnedPlays
from recsys.rights.royalties import MODELS, Model, Registry
from recsys.rights.statements import listening

OWNERS = ("abe", "bea", "cyd")
NOBODY = Registry(
    pl.DataFrame({"user_id": ["u"], "track_id": ["t"], "territory": ["DE"], "n_plays": [1]}),
    pl.DataFrame({"track_id": ["t"], "work_key": ["w"]}),
    pl.DataFrame(schema={"work_key": pl.String, "territory": pl.String, "owner": pl.String, "weight": pl.Int64}),
)


def registry(seed: int) -> Registry:
    """Return random plays of recordings in several territories, with medleys, and works that owners share."""
    rng = np.random.default_rng(seed)
    pairs = list(product(range(12), range(9), ("DE", "GB", "FR")))
    plays = [(f"u{user}", f"t{track}", place, int(rng.integers(1, 9))) for user, track, place in pairs]
    kept = rng.permutation(len(plays))[: len(plays) // 2]
    works = {(f"t{track}", f"w{rng.integers(6)}") for track in range(9) for _ in range(2)}
    owners = {
        (f"w{work}", place, OWNERS[rng.integers(3)]): int(rng.integers(0, 4)) * 1_000
        for work, place in product(range(6), ("WW", "DE"))
        for _ in range(2)
    }
    return Registry(
        pl.DataFrame([plays[row] for row in kept], ["user_id", "track_id", "territory", "n_plays"], orient="row"),
        pl.DataFrame(sorted(works), ["track_id", "work_key"], orient="row"),
        pl.DataFrame(
            [(*place, weight) for place, weight in owners.items()],
            ["work_key", "territory", "owner", "weight"],
            orient="row",
        ),
    )


@pytest.mark.parametrize(("seed", "model"), [*product(range(4), MODELS)])
def test_sums_are_those_of_grouped_tables(seed: int, model: Model) -> None:
    """Of works and of all works of an owner, by listener: plays, amounts, and what two listeners make of them."""
    of = registry(seed)
    owned, rows = OwnedPlays.of(of, pl.Series(["abe", "bea"]), model), listening(of, model)
    rows = rows.filter(pl.col("owner").is_in(["abe", "bea"]))

    assert len(owned.item) == rows.select("owner", "work_key", "user_id").n_unique() > 50
    for measure in MEASURES:
        found = owned.of_items(measure).with_columns(owned.items["work_key"]).drop("cell")
        expected = summed(rows.with_columns(value=pl.col(measure).cast(pl.Float64)), ["owner", "work_key"])
        columns = ["owner", "work_key", "n_listeners", "top_two", "value"]
        compared = (found.select(columns), expected.sort("owner", "work_key").select(columns))
        assert_frame_equal(*compared, check_exact=False)
        of_owners = owned.of_owners().group_by("owner").agg(pl.col(measure).sum(), n=pl.len()).sort("owner")
        whole = rows.group_by("owner").agg(pl.col(measure).sum(), n=pl.col("user_id").n_unique()).sort("owner")
        assert of_owners["n"].to_list() == whole["n"].to_list()
        assert of_owners[measure].to_list() == pytest.approx(whole[measure].to_list())


@pytest.mark.parametrize("model", MODELS)
def test_rows_of_some_works_are_those_of_their_listeners(model: Model) -> None:
    """As many rows as listeners, whose values add up to those of the works."""
    owned = OwnedPlays.of(registry(1), pl.Series(OWNERS), model)
    cells = owned.of_items(AMOUNT)[::2]

    rows = owned.rows_in(cells, AMOUNT)

    assert len(rows) == cells["n_listeners"].sum()
    assert rows["value"].sum() == pytest.approx(cells["value"].sum())
    assert set(rows["owner"]) == set(cells["owner"])


def test_nobody_owns_what_was_played() -> None:
    """There are no works, and no sums."""
    owned = OwnedPlays.of(NOBODY, pl.Series([], dtype=pl.String), "pro_rata")

    assert (len(owned.items), len(owned.of_items(PLAYS)), len(owned.of_owners())) == (0, 0, 0)
