"""The cross table of artists and audiences: right shares, bounded noise that repeats, and an attack on it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import polars as pl
import pytest
from scipy.optimize import linprog

from recsys.arrays import F64
from recsys.ledger import artist_tables, crossed
from recsys.ledger.audit import audit
from recsys.ledger.blocks import GROUP, rows_by_day
from recsys.ledger.close import Closing, close
from recsys.ledger.crossed import ARTIST_FACTOR, noise_key, noise_of
from recsys.ledger.lines import LISTENERS, PLAYS, SHARE, Lines
from recsys.ledger.settings import LabelSettings

from .worlds import MONDAY, Row, catalogue, frame

COUNTRIES, AGES, GENDERS = ("SE", "BR", "NG", "IS"), ("18-24", "25-34", "35-44"), ("female", "male")
GROUPS = ("country", "age_band", "gender")
COLUMNS = {"artist": "artist_id", "recording": "track_id", **{name: name for name in GROUPS}}
CELL = ["track_id", *GROUPS]
LABELS: dict[str, str | None] = {f"t{n}": "one" for n in range(9)}  # of artists a0, a1, a2
KEY = noise_key(b"k" * 32)
SMALL, N_KNOWN, N_AVERAGE = 9, 9, 10  # listeners of an attacked group; a label's accounts; of whom a range has room


def played(rng: random.Random, n_listeners: int, probabilities: tuple[float, ...], most: int) -> pl.DataFrame:
    """Return a day's plays, by listener, recording and group: of each artist with a probability, rarely very many."""
    rows, people = [], []
    for user in (f"u{n}" for n in range(n_listeners)):
        groups = (rng.choices(COUNTRIES, (8, 5, 2, 1))[0], rng.choices(AGES, (6, 3, 1))[0], rng.choice(GENDERS))
        people.append((user, *groups))
        for artist, probability in enumerate(probabilities):
            for _ in range(rng.choice([1, 1, 2, 3]) if rng.random() < probability else 0):
                track = 3 * artist + min(rng.randrange(3), rng.randrange(3))
                rows.append(Row(user, f"t{track}", MONDAY, 1, rng.choice([1, 1, 1, 2, most])))
    listeners = pl.DataFrame(people, ["user_id", *GROUPS], orient="row")
    return frame(rows).join(catalogue(LABELS), on="track_id").join(listeners, on="user_id")


def lines_of(truth: pl.DataFrame, key: bytes | None = KEY) -> pl.DataFrame:
    """Close the week in which the plays are."""
    closing = Closing(1, "run", MONDAY.replace(day=MONDAY.day + 8), 1, LabelSettings(), key)
    rows = truth.drop("artist_id", "label_id", *GROUPS)
    return close(
        rows.lazy(), catalogue(LABELS), truth.select("user_id", *GROUPS).unique(), Lines.of({}), closing
    ).figures


def greatest_noise(n_listeners: int) -> float:
    """Return the greatest noise of the shares of an artist, 0..1."""
    return max(crossed.NOISE_LISTENERS / n_listeners, 0.01)


def test_shares_are_those_of_the_plays_with_bounded_noise() -> None:
    """Each cell, and all others of the artist, passes the test."""
    truth = played(random.Random(1), 160, (0.9, 0.6), 4)

    shares = lines_of(truth).filter(measure=SHARE)

    assert set(shares["dimension"]) == {*GROUPS, "source"}
    assert set(shares["artist_id"]) == {"a0", "a1"}
    for (dimension, artist), cells in shares.filter(pl.col("dimension") != "source").group_by("dimension", "artist_id"):
        own = truth.filter(artist_id=artist)
        n_listeners = own["user_id"].n_unique()
        assert n_listeners >= ARTIST_FACTOR * 20
        column, named = pl.col(str(dimension)), cells["cell"].drop_nulls().implode()
        for cell, share in cells.select("cell", "value").iter_rows():
            found = own.filter(~column.is_in(named) if cell is None else column == cell)
            plays = found.group_by("user_id").agg(pl.col("n_plays").sum())
            noise = noise_of(plays["user_id"].to_list(), KEY) * greatest_noise(n_listeners)
            n_plays, n_own = int(plays["n_plays"].sum()), int(own["n_plays"].sum())
            assert share == pytest.approx(np.clip(100 * (n_plays / n_own + noise), 0, 100), abs=0.5 + 1e-9)
            assert plays.height >= (20 if cell else 40)
            assert int(plays["n_plays"].top_k(2).sum()) <= 0.8 * n_plays


def test_equal_groups_have_equal_noise() -> None:
    """In any order, under one key; noise is uniform between -1 and 1, and another key gives other noise."""
    groups = [[f"u{n}", f"v{n}", "w"] for n in range(2_000)]
    noise = np.array([noise_of(group, KEY) for group in groups])

    assert [noise_of(group[::-1], KEY) for group in groups] == noise.tolist()
    assert abs(noise.mean()) < 0.05
    assert np.quantile(noise, [0.05, 0.25, 0.75, 0.95]) == pytest.approx([-0.9, -0.5, 0.5, 0.9], abs=0.06)
    assert abs(np.corrcoef(noise, [noise_of(group, noise_key(b"x" * 32)) for group in groups])[0, 1]) < 0.1


def test_artists_with_few_listeners_have_no_shares() -> None:
    """They need 60 in the week."""
    truth = played(random.Random(1), 90, (0.9, 0.6), 4)
    n_listeners = dict(truth.group_by("artist_id").agg(pl.col("user_id").n_unique()).rows())

    assert 20 <= n_listeners["a1"] < 60 <= n_listeners["a0"]
    assert set(lines_of(truth).filter(measure=SHARE)["artist_id"]) == {"a0"}


def test_without_a_key_there_are_no_shares() -> None:
    """All other lines are the same."""
    truth = played(random.Random(1), 160, (0.9, 0.6, 0.35), 4)
    lines = lines_of(truth)

    assert lines_of(truth, None).equals(lines.filter(pl.col("measure") != SHARE))


def test_one_artist_and_one_group_have_the_whole() -> None:
    """The share is 100 per cent less some noise, and never more; nobody gives nothing."""
    truth = played(random.Random(2), 120, (1.0,), 2).with_columns(country=pl.lit("SE"))
    shares = lines_of(truth).filter(measure=SHARE, dimension="country")

    assert shares.select("artist_id", "cell").rows() == [("a0", "SE")]
    assert 95 <= shares["value"].item() <= 100
    assert lines_of(truth.head(0)).is_empty()


@dataclass(frozen=True)
class Sums:
    """
    What a label knows of a table of plays: sums over sets of its cells, each within an interval.

    Attributes:
        covers: 1 where a set has a cell, otherwise 0; shape (n_sums, n_cells).
        low: Smallest value of each sum.
        high: Largest value.
    """

    covers: F64
    low: F64
    high: F64

    @classmethod
    def of(cls, lines: pl.DataFrame, table: pl.DataFrame) -> "Sums":
        """Read the lines of plays, and the shares with what bounds their noise."""
        artists = lines.filter(dimension="artist").drop_nulls("cell")
        plays, listeners = (
            dict(artists.filter(measure=of).select("cell", "value").rows()) for of in (PLAYS, LISTENERS)
        )
        known = lines.filter(pl.col("measure").is_in([PLAYS, SHARE]), pl.col("dimension").is_in(["week", *COLUMNS]))
        sums = []
        for (dimension, artist, measure), part in known.group_by("dimension", "artist_id", "measure"):
            of_artist = pl.col("artist_id") == artist if artist else pl.lit(value=True)
            cells = pl.col(COLUMNS.get(str(dimension), "artist_id"))
            others = ~cells.is_in(part["cell"].drop_nulls().implode()) if dimension != "week" else pl.lit(value=True)
            for cell, value in part.select("cell", "value").iter_rows():
                covered = table.select(
                    of_artist & (cells == cell if cell else others) & pl.col("track_id").is_not_null()
                )
                low = high = value
                if measure == SHARE:
                    error = greatest_noise(listeners[artist]) + 0.005
                    low = plays[artist] * (value / 100 - error) if value > 0 else 0
                    high = plays[artist] * (value / 100 + error) if value < 100 else plays[artist]
                sums.append((covered.to_series().to_numpy().astype(float), low, high))
        return cls(*(np.array(part, float) for part in zip(*sums, strict=True)))

    def range_of(self, group: F64, own: F64) -> tuple[float, float]:
        """Return the smallest and largest plays of a set of cells, if the label knows a part `own` of each cell."""
        known = self.covers @ own
        matrix, limits = np.vstack([self.covers, -self.covers]), np.concatenate([self.high - known, known - self.low])
        low, high = (linprog(sign * group, A_ub=matrix, b_ub=limits + 1e-9, method="highs") for sign in (1, -1))
        assert low.success
        assert high.success
        return float(low.fun), -float(high.fun)


def implied(lines: pl.DataFrame, table: pl.DataFrame) -> F64:
    """Return the sets of which differences of sums tell: a country or an age of all artists that do not list it."""
    listed = lines.filter(pl.col("measure") == SHARE, pl.col("cell").is_not_null(), pl.col("dimension").is_in(GROUPS))
    sets = [
        table.select((pl.col(dimension) == cell) & ~pl.col("artist_id").is_in(artists)).to_series().to_numpy()
        for dimension, cell, artists in listed.group_by("dimension", "cell").agg("artist_id").iter_rows()
    ]
    return np.array(sets, float).reshape(-1, table.height)


def attacks(truth: pl.DataFrame) -> Iterator[tuple[float, float, float]]:
    """
    Yield the range of each small group of a recording, country and age, and the plays of ten average listeners.

    The label owns the accounts with the most plays of the recording's artist outside of the group. The listeners are
    those of the class of the group with the fewest plays.
    """
    lines = lines_of(truth)
    table = pl.DataFrame(list(product(sorted(LABELS), COUNTRIES, AGES, GENDERS)), CELL, orient="row").join(
        catalogue(LABELS), on="track_id", maintain_order="left"
    )
    sums = Sums.of(lines, table)
    classes = np.vstack([sums.covers, implied(lines, table)])
    users = truth["user_id"].to_physical().rank("dense").to_numpy() - 1
    of_cell = truth.join(table.with_row_index("row"), on=CELL, maintain_order="left")["row"].to_numpy()
    plays = np.zeros((users.max() + 1, table.height))
    np.add.at(plays, (users, of_cell), truth["n_plays"].to_numpy())
    for track, country, age in product(sorted(LABELS), COUNTRIES, AGES):
        group = (
            table.select((pl.col("track_id") == track) & (pl.col("country") == country) & (pl.col("age_band") == age))
            .to_series()
            .to_numpy()
            .astype(float)
        )
        members = plays @ group > 0
        if not 0 < members.sum() <= SMALL:
            continue
        of_artist = (table["artist_id"] == f"a{int(track[1:]) // 3}").to_numpy()
        known = np.argsort(np.where(members, -1, plays @ of_artist))[::-1][:N_KNOWN]
        left = np.delete(plays, known, axis=0) @ classes[classes @ group == group.sum()].T  # (n_listeners, n_classes)
        average = left.sum(0) / np.maximum((left > 0).sum(0), 1)
        low, high = sums.range_of(group, plays[known].sum(0))
        yield low, high, N_AVERAGE * float(average[left.sum(0).argmin()])


def n_unsafe(truth: pl.DataFrame) -> tuple[int, int]:
    """Count the groups whose range is too narrow, and all groups."""
    ranges = list(attacks(truth))
    return sum(low > 1e-6 or high < needed - 1e-6 for low, high, needed in ranges), len(ranges)


@pytest.mark.parametrize(
    ("seed", "n_listeners", "probabilities"),
    [(7, 130, (0.95, 0.5)), (22, 90, (0.7, 0.7, 0.7)), (3, 200, (0.9, 0.6, 0.35))],
)
def test_small_groups_are_safe(seed: int, n_listeners: int, probabilities: tuple[float, ...]) -> None:
    """With all lines and shares of a week, the range of each contains nothing, and ten average listeners."""
    truth = played(random.Random(seed), n_listeners, probabilities, 60)

    unsafe, n_groups = n_unsafe(truth)

    assert n_groups > 30
    assert unsafe == 0
    lines = lines_of(truth)
    assert [attack for attack in audit(lines, rows_by_day(lines, truth)) if not attack.is_safe] == []


def test_shares_of_small_cells_without_noise_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The attack, and the audit, narrow groups down if every cell is listed, and exactly."""
    for module, name in product((crossed, artist_tables), ("NOISE_LISTENERS", "LEAST_NOISE")):
        monkeypatch.setattr(module, name, 0)
    monkeypatch.setattr(crossed, "does_pass", lambda _: pl.lit(value=True))
    monkeypatch.setattr(crossed, "merge_intersections", lambda cells, *_: cells)
    truth = played(random.Random(7), 130, (0.95, 0.5), 60)

    assert n_unsafe(truth)[0] > 0
    lines = lines_of(truth)
    assert sum(not attack.is_safe for attack in audit(lines, rows_by_day(lines, truth))) > 50


@pytest.mark.parametrize("seed", [7, 22])
def test_the_audit_of_shares_agrees_with_linear_programmes(seed: int) -> None:
    """Its ranges contain those of programmes over all lines, which contain the truth."""
    truth = played(random.Random(seed), 130, (0.95, 0.7, 0.5), 4)
    lines = lines_of(truth)
    table = truth.select("artist_id", *CELL).unique(maintain_order=True)
    of_programme = Sums.of(lines, table)

    found = list(audit(lines, rows_by_day(lines, truth), known=[]))

    of_three = [attack for attack in found if {axis for axis, _ in attack.group} == set(GROUP)]
    assert len(of_three) > 20
    for attack in of_three:
        group = table.select(pl.all_horizontal(pl.col(axis) == value for axis, value in attack.group))
        of_group = truth.filter(*(pl.col(axis) == value for axis, value in attack.group))
        low, high = of_programme.range_of(group.to_series().to_numpy().astype(float), np.zeros(table.height))
        assert attack.low - 1e-6 <= low <= of_group["n_plays"].sum() <= high <= attack.high + 1e-6
    assert len(of_three) > len(
        {frozenset(attack.group) for attack in of_three}
    )  # some in the table of their artist as well
