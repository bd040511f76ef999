"""
An attack on the ledger: what a label can work out about few listeners from all its lines, and accounts of its own.

For each small group of listeners (those of one recording, week, country and age band, 1 to 9 of them), the range of its
plays is computed by linear programming: the smallest and largest value that agrees with the lines of the period's total
and of its recordings, countries and ages, less what the label knows of its own accounts. The range must contain 0 and
the plays of ten average listeners. Lines of other dimensions (days, gender, source) do not narrow it: whatever agrees
with the others can be spread over their cells in proportion. Late lines count other rows.

Variables are sums of plays over classes: a class is a named cell of a line, or its others. A group in a class with more
than one member may have none of its plays, and all of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import polars as pl
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from recsys.arrays import F64
from recsys.ledger.lines import ARTIST, PLAYS, RECORDING, WEEK

N_KNOWN = 9  # accounts that the label owns
N_AVERAGE = 10  # listeners whose plays must fit into the range of a small group
SMALL = 9  # maximum number of listeners of a small group
CLASSES = ("recording", "country", "age_band")
OTHERS = "others"
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Attack:
    """
    The range of the plays of a small group of listeners.

    Attributes:
        label_id: The label.
        group: First and last day of the period, recording, country and age band.
        low: Smallest value that agrees with the lines.
        high: Largest value.
        needed: Plays of ten average listeners of the smallest class of the group.
    """

    label_id: str
    group: tuple[object, ...]
    low: float
    high: float
    needed: float

    @property
    def is_safe(self) -> bool:
        """Whether the range contains 0 and the plays of ten average listeners."""
        return self.low <= TOLERANCE and self.high >= self.needed - TOLERANCE


def audit(figures: pl.DataFrame, rows: pl.DataFrame) -> Iterator[Attack]:
    """
    Attack every small group in the periods of weeks.

    The label knows N_KNOWN accounts: those with the most plays of the attacked recording's class, outside of the group.

    Args:
        figures: Lines, with the columns of marts.label_figures.
        rows: The truth: label_id, artist_id, track_id, user_id, listen_date, country, age_band, and n_plays > 0; the
            rows that the lines count.
    """
    plays = figures.filter(pl.col("measure") == PLAYS, ~pl.col("is_late"), pl.col("value").is_not_null())
    for (label_id, first, last), lines in plays.filter(pl.col("dimension") != "day").group_by(
        "label_id", "from_day", "to_day", maintain_order=True
    ):
        inside = rows.filter(pl.col("label_id") == label_id, pl.col("listen_date").is_between(first, last))
        yield from _attacks(str(label_id), (first, last), lines, _with_classes(inside, lines))


def _with_classes(rows: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Add the class of each row in each of CLASSES; a recording without a line is among the others of its artist."""
    artists = lines.filter(pl.col("dimension") == ARTIST)["cell"].drop_nulls().implode()
    tracks = lines.filter(pl.col("dimension") == RECORDING)["cell"].drop_nulls().implode()
    of_artist = pl.when(pl.col("artist_id").is_in(artists)).then(pl.format("{} of {}", pl.lit(OTHERS), "artist_id"))
    recording = (
        pl.when(pl.col("track_id").is_in(tracks)).then("track_id").otherwise(of_artist.otherwise(pl.lit(OTHERS)))
    )
    named = {
        name: pl.when(pl.col(name).is_in(lines.filter(pl.col("dimension") == name)["cell"].drop_nulls().implode()))
        .then(name)
        .otherwise(pl.lit(OTHERS))
        for name in CLASSES[1:]
    }
    return rows.with_columns(**{f"in_{name}": value for name, value in ({CLASSES[0]: recording} | named).items()})


def _sums(lines: pl.DataFrame) -> list[dict[str, int]]:
    """Return the value of each class, for each of CLASSES."""
    of_artists = lines.filter(pl.col("dimension") == ARTIST, pl.col("cell").is_null())
    tracks = lines.filter(pl.col("dimension") == RECORDING).select("artist_id", "cell", "value").rows()
    recordings = {cell or f"{OTHERS} of {artist}": value for artist, cell, value in tracks}
    recordings |= dict.fromkeys([OTHERS] * of_artists.height, int(of_artists["value"].sum()))
    groups = [lines.filter(pl.col("dimension") == name).select("cell", "value").rows() for name in CLASSES[1:]]
    return [recordings, *({cell or OTHERS: value for cell, value in group} for group in groups)]


def _attacks(label_id: str, period: tuple[object, ...], lines: pl.DataFrame, rows: pl.DataFrame) -> Iterator[Attack]:
    sums, names = _sums(lines), [f"in_{name}" for name in CLASSES]
    total = int(lines.filter(pl.col("dimension") == WEEK)["value"].sum())
    members = {name: dict(rows.group_by(f"in_{name}").agg(pl.col(of).n_unique()).iter_rows()) for name, of in _MEMBERS}
    groups = rows.group_by("track_id", "country", "age_band", *names).agg(pl.col("user_id").n_unique())
    small = groups.filter(pl.col("user_id") <= SMALL).sort("track_id", "country", "age_band")
    for classes, of_classes in small.group_by(names, maintain_order=True):
        known = _known(rows, names, of_classes)
        left = [_less(of, known, name) for of, name in zip(sums, names, strict=True)]
        low, high = _range(left, total - int(known["n_plays"].sum()), tuple(map(str, classes)))
        alone = all(members[name][found] == 1 for (name, _), found in zip(_MEMBERS, classes, strict=True))
        needed = _needed(rows.join(known.select("user_id").unique(), on="user_id", how="anti"), names, classes)
        for group in of_classes.select("track_id", "country", "age_band").iter_rows():
            yield Attack(label_id, (*period, *group), low if alone else 0.0, high, needed)


_MEMBERS = (("recording", "track_id"), ("country", "country"), ("age_band", "age_band"))


def _known(rows: pl.DataFrame, names: list[str], of_classes: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the listeners with the most plays of the recording's class, outside of the attacked groups."""
    attacked = rows.join(of_classes, on=["track_id", "country", "age_band"], how="semi").select("user_id")
    of_class = rows.join(of_classes.select(names[0]), on=names[0], how="semi").join(attacked, on="user_id", how="anti")
    greatest = of_class.group_by("user_id").agg(pl.col("n_plays").sum()).sort("n_plays", "user_id", descending=True)
    return rows.join(greatest.head(N_KNOWN).select("user_id"), on="user_id", how="semi")


def _less(values: dict[str, int], known: pl.DataFrame, name: str) -> dict[str, int]:
    known_values = dict(known.group_by(name).agg(pl.col("n_plays").sum()).iter_rows())
    return {cell: value - int(known_values.get(cell, 0)) for cell, value in values.items()}


def _needed(rows: pl.DataFrame, names: list[str], classes: tuple[object, ...]) -> float:
    """Return the plays of ten average listeners of the class of the group with the fewest plays."""
    plays = [rows.filter(pl.col(name) == found) for name, found in zip(names, classes, strict=True)]
    least = min(plays, key=lambda of_class: int(of_class["n_plays"].sum()))
    return N_AVERAGE * float(least["n_plays"].sum()) / max(1, least["user_id"].n_unique())


def _range(sums: list[dict[str, int]], total: int, classes: tuple[str, ...]) -> tuple[float, float]:
    """
    Return the smallest and largest value of a cell of a table whose sums along each axis are known.

    Each axis is reduced to the attacked class and all others, which changes neither value: the plays of the others can
    be spread over their classes in proportion.
    """
    matrix, values = [], []
    cells = list(product((0, 1), repeat=len(sums)))
    for axis, (of_axis, found) in enumerate(zip(sums, classes, strict=True)):
        inside = of_axis.get(found, 0)
        for side, value in ((0, inside), (1, total - inside)):
            matrix.append([float(cell[axis] == side) for cell in cells])
            values.append(float(value))
    aim = np.zeros(len(cells))
    aim[0] = 1
    low, high = (_solved(sign * aim, csr_matrix(np.array(matrix)), np.array(values)) for sign in (1, -1))
    return low, -high


def _solved(aim: F64, matrix: csr_matrix, values: F64) -> float:
    found = linprog(aim, A_eq=matrix, b_eq=values, method="highs")
    return float(found.fun)
