"""Three great cells reveal an intersection; where it has few listeners, one of them is merged with others."""

from datetime import timedelta

import polars as pl
import pytest

from recsys.ledger.audit import Attack, audit
from recsys.ledger.blocks import rows_by_day
from recsys.ledger.close import Closing, close
from recsys.ledger.intersections import merge_intersections
from recsys.ledger.lines import Lines
from recsys.ledger.settings import LabelSettings

from .worlds import MONDAY, Row, frame

Group = tuple[int, str, str, str, int]  # listeners, recording, country, age band, plays of each
FEW: list[Group] = [
    (9, "t0", "SE", "18-24", 100),
    (20, "t0", "SE", "25-34", 1),
    (20, "t0", "BR", "18-24", 1),
    (20, "t1", "SE", "18-24", 1),
    (20, "t1", "BR", "25-34", 1),
]
MANY: list[Group] = [(20, "t0", "SE", "18-24", 45), *FEW[1:]]


def closed(groups: list[Group], artist: str | None = "a0") -> tuple[pl.DataFrame, list[Attack]]:
    """Close a week in which each listener is in one group; return its lines of plays, and the attacks on them."""
    members = [group for group in groups for _ in range(group[0])]
    people = [(f"u{n}", country, age, "female") for n, (_, _, country, age, _) in enumerate(members)]
    listeners = pl.DataFrame(people, ["user_id", "country", "age_band", "gender"], orient="row")
    rows = frame([Row(f"u{n}", track, MONDAY, 1, plays) for n, (_, track, _, _, plays) in enumerate(members)])
    catalogue = pl.DataFrame(
        {"track_id": ["t0", "t1"], "artist_id": [artist, "a1"], "label_id": ["one", "one"]},
        schema_overrides={"artist_id": pl.String},
    )
    closing = Closing(1, "run", MONDAY + timedelta(days=14), 1, LabelSettings())
    lines = close(rows.lazy(), catalogue, listeners, Lines.of({}), closing).figures
    truth = rows.join(catalogue, on="track_id").join(listeners, on="user_id")
    return lines.filter(measure="n_plays"), list(audit(lines, rows_by_day(lines, truth)))


def cells(lines: pl.DataFrame, dimension: str) -> dict[str | None, int]:
    """Return the values of a dimension's cells."""
    return dict(lines.filter(dimension=dimension).select("cell", "value").iter_rows())


@pytest.mark.parametrize("artist", ["a0", None])
def test_an_intersection_of_few_listeners_is_not_revealed(artist: str | None) -> None:
    """Nine listeners make 900 of 980 plays; at least 860 of them would follow from the lines of the three cells."""
    lines, attacks = closed(FEW, artist)

    assert cells(lines, "age_band") == {None: 980}
    assert cells(lines, "country") == {"BR": 40, "SE": 940}
    assert attacks
    assert all(attack.is_safe for attack in attacks)


@pytest.mark.parametrize(
    ("group", "merged"), [((9, "t1", "SE", "25-34", 90), "country"), ((9, "t1", "BR", "18-24", 90), "age_band")]
)
def test_two_cells_reveal_an_intersection_as_well(group: Group, merged: str) -> None:
    """Nine listeners of a recording in a country, or of an age, make most of its plays and of those of the group."""
    groups = [(20, "t0", "SE", "18-24", 1), (20, "t1", "BR", "25-34", 1), (40, "t0", "BR", "25-34", 1), group]
    groups += [(11, "t1", group[2], group[3], 0)]
    lines, attacks = closed([one for one in groups if one[4]])

    assert None in cells(lines, merged)
    assert attacks
    assert all(attack.is_safe for attack in attacks)


def test_an_intersection_of_enough_listeners_may_be_revealed() -> None:
    """Twenty listeners make the 900 plays."""
    lines, _ = closed(MANY)

    assert cells(lines, "age_band") == {"18-24": 940, "25-34": 40}


def test_with_one_age_the_country_is_merged() -> None:
    """Two countries and two recordings: at least 880 of 980 plays would follow."""
    groups = [(n, track, country, "18-24", plays) for n, track, country, _, plays in FEW]
    groups[1] = (20, "t0", "BR", "18-24", 1)
    groups[3] = (20, "t1", "SE", "18-24", 1)
    lines, attacks = closed(groups)

    assert cells(lines, "country") == {None: lines.filter(dimension="week")["value"].item()}
    assert len(cells(lines, "age_band")) == 1
    assert all(attack.is_safe for attack in attacks)


def test_only_known_accounts_make_it_narrow() -> None:
    """Ten heavy accounts outside of all three cells hide the intersection, but not from the label that owns them."""
    lines, attacks = closed([*FEW, (10, "t1", "BR", "25-34", 500)])

    assert cells(lines, "age_band") == {None: 5980}
    assert all(attack.is_safe for attack in attacks)


def test_a_cell_is_merged_with_the_smallest_other() -> None:
    """Of three ages, the great one is merged with the one of the fewest listeners."""
    lines, _ = closed([*FEW, (20, "t1", "BR", "35-44", 2)])

    assert cells(lines, "age_band") == {"25-34": 40, None: 980}


def test_nothing_is_merged_without_rows() -> None:
    """No periods."""
    lines, _ = closed(MANY)
    empty = lines.clear().select(
        "label_id", "from_day", "to_day", "cell", "value", n_listeners="value", top_two="value"
    )
    rows = empty.select("label_id", "from_day", "to_day", "value", user_id="cell", artist_id="cell", track_id="cell")
    rows = rows.with_columns(country="user_id", age_band="user_id")
    partitions = dict.fromkeys(("recording", "country", "age_band"), empty)

    assert all(of.is_empty() for of in merge_intersections(partitions, rows, LabelSettings()).values())
