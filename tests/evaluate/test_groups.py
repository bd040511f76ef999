"""Metrics by group of listeners and of tracks."""

import numpy as np
import polars as pl
import pytest

from recsys.columns import schema
from recsys.dataset.interactions import Interactions
from recsys.dataset.splits import Split
from recsys.evaluate.groups import (
    GROUP_METRICS_COLUMNS,
    MIN_LISTENERS,
    Group,
    groups_as_of,
    listener_groups,
    report_by_group,
    track_groups,
)
from recsys.evaluate.report import metrics, report
from recsys.evaluate.training_profile import TrainingProfile

# Twelve women who like a, b and c; twelve of unknown gender who like a; three men who like b. Nobody touched d and e.
USERS = [*(f"f{n:02}" for n in range(12)), *(f"m{n}" for n in range(3)), *(f"x{n:02}" for n in range(12))]
LIKED = {"f": ["a", "b", "c"], "m": ["b"], "x": ["a"]}
CATALOGUE = pl.DataFrame({"track_id": ["a", "b", "c", "d", "e"]})
LISTENERS = pl.DataFrame(
    {"user_id": USERS, "gender": [{"f": "female", "m": "male", "x": None}[user[0]] for user in USERS]}
)
TRAIN = Interactions.of(
    pl.DataFrame([(user, track, 1.0) for user in USERS for track in LIKED[user[0]]],
                 ["user_id", "track_id", "strength"], orient="row"),
    catalogue=CATALOGUE,
    listeners=LISTENERS,
)  # fmt: skip
# Held out are d for the women, c and e for the others; every list is d, c.
HELD_OUT = [(user, track) for user in USERS for track in ("d" if user[0] == "f" else "ce")]
CUT = Split.of(TRAIN, pl.DataFrame(HELD_OUT, ["user_id", "track_id"], orient="row"))
LISTS = pl.DataFrame(
    [(user, track, rank) for user in USERS for rank, track in enumerate("dc", 1)],
    ["user_id", "track_id", "rank"],
    orient="row",
)


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    """Return the report of one recommender."""
    return report_by_group({"dc": LISTS}, CUT, k=2)


def recall(table: pl.DataFrame, kind: str) -> dict[str, tuple[float | None, int]]:
    """Return recall and n_users of each group of a kind."""
    rows = table.filter(metric="recall", group_kind=kind).select("group_name", "value", "n_users")
    return {group: (value, n_users) for group, value, n_users in rows.iter_rows()}


def members(groups: list[Group], kind: str) -> dict[str, list[int]]:
    """Return the member rows of each group of a kind."""
    return {group.name: np.flatnonzero(group.members).tolist() for group in groups if group.kind == kind}


def test_one_row_per_recommender_metric_and_group(table: pl.DataFrame) -> None:
    """Every metric of single listeners has one row in each group of listeners; groups of tracks have recall."""
    single = set(metrics()) - {"coverage", "exposure_gini"}

    assert table.schema == schema(GROUP_METRICS_COLUMNS)
    assert not table.select("recommender", "metric", "group_kind", "group_name").is_duplicated().any()
    assert set(table["group_kind"]) == {"gender", "activity", "mainstream", "popularity", "novelty"}
    assert set(table.filter(group_kind="gender")["metric"]) == single
    assert set(table.filter(pl.col("group_kind").is_in(["popularity", "novelty"]))["metric"]) == {"recall"}


def test_unknown_is_a_group_and_small_groups_are_suppressed(table: pl.DataFrame) -> None:
    """Recall is 1 for women and 1/2 for unknown gender; of the three men, only their number is reported."""
    assert recall(table, "gender") == {"female": (1, 12), "male": (None, 3), "unknown": (0.5, 12)}
    hidden = table.filter(pl.col("n_users") < MIN_LISTENERS)
    assert hidden.select("value", "low", "high").null_count().row(0) == (hidden.height,) * 3


def test_a_track_group_counts_only_its_own_tracks(table: pl.DataFrame) -> None:
    """Of new tracks, the women's d is found and the others' e is missed; of old tracks, the others' c is found."""
    assert recall(table, "novelty") == {"old": (1, 15), "new": (pytest.approx(12 / 27), 27)}


def test_groups_of_a_feature_add_up_to_everybody() -> None:
    """Weighted by the numbers of listeners, the groups' means give the mean of the whole report."""
    everybody = LISTENERS.with_columns(gender=pl.col("user_id").str.head(1).replace({"m": "x"}))
    train = Interactions.of(
        LISTS.filter(rank=2).select("user_id", track_id=pl.lit("a"), strength=1.0),
        catalogue=CATALOGUE,
        listeners=everybody,
    )
    cut = Split.of(train, pl.DataFrame(HELD_OUT, ["user_id", "track_id"], orient="row"))

    groups = report_by_group({"dc": LISTS}, cut, k=2).filter(group_kind="gender", metric="ndcg")

    whole = report({"dc": LISTS}, cut, k=2).filter(metric="ndcg")["value"].item()
    assert np.average(groups["value"], weights=groups["n_users"]) == pytest.approx(whole)


def test_thirds_by_hand() -> None:
    """Six listeners with 0 to 5 liked tracks: two per third; without any, mainstream is unknown."""
    rows = [(f"u{n}", f"t{track}", 1.0 if n else -1.0) for n in range(6) for track in range(max(1, n))]
    train = Interactions.of(pl.DataFrame(rows, ["user_id", "track_id", "strength"], orient="row"))

    groups = list(listener_groups(train.user_features, TrainingProfile.of(train, np.arange(6))))

    assert members(groups, "activity") == {"low": [0, 1], "middle": [2, 3], "high": [4, 5]}
    # Track t0 is the most popular: listeners with fewer liked tracks are more mainstream.
    assert members(groups, "mainstream") == {"low": [4, 5], "middle": [3], "high": [1, 2], "unknown": [0]}


def test_popularity_is_that_of_the_training_window() -> None:
    """A track that became a hit after the window is in the tail as of then; other kinds of groups do not change."""
    pairs = [(f"u{user}", "then", 1.0) for user in range(4)] + [("u0", "later", 1.0)]
    catalogue = pl.DataFrame({"track_id": ["later", "then", "unheard"]})
    train = Interactions.of(pl.DataFrame(pairs, ["user_id", "track_id", "strength"], orient="row"), catalogue=catalogue)
    today = [
        *(("later", "popularity", "head"), ("then", "popularity", "middle"), ("unheard", "popularity", "tail")),
        *((track, "language", "pt") for track in ("later", "then", "unheard")),
    ]

    found = groups_as_of(pl.DataFrame(today, ["track_id", "group_kind", "group_name"], orient="row"), train)

    assert set(found.filter(group_kind="popularity").select("track_id", "group_name").rows()) == {
        *(("then", "head"), ("later", "tail"), ("unheard", "tail")),
    }
    assert set(found.filter(group_kind="language").rows()) == set(today[3:])


def test_tiers_of_tracks_by_hand() -> None:
    """Of ten pairs, t0 has four, t1 three, t2 two, t3 one, t4 and t5 none: t0 is the head, t3 to t5 are the tail."""
    n_listeners = {"t0": 4, "t1": 3, "t2": 2, "t3": 1}
    rows = [(f"u{user}", track, 1.0) for track, n in n_listeners.items() for user in range(n)]
    frame = pl.DataFrame([*rows, ("u0", "t4", -1.0)], ["user_id", "track_id", "strength"], orient="row")
    catalogue = pl.DataFrame({"track_id": [f"t{n}" for n in range(6)]})

    groups = list(track_groups(Interactions.of(frame, catalogue=catalogue)))

    assert members(groups, "popularity") == {"head": [0], "middle": [1, 2], "tail": [3, 4, 5]}
    assert members(groups, "novelty") == {"old": [0, 1, 2, 3, 4], "new": [5]}
