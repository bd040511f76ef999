"""
Cells of a week that, taken together, would tell what few listeners played: merged with others, in plain Python.

By docs/labels.md, Intersections: of two or more of recording or artist, country, age, gender, source and loyalty.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import polars as pl

LEAST, N_OWN = 20, 10  # listeners whose plays may follow; accounts that a label may own
MERGED_FIRST = ("loyalty", "source", "gender", "age_band", "country")
COLUMNS = {"recording": "track_id", "artist": "artist_id"}
Cells = dict[str | None, Counter[str]]  # cell -> value of each listener
Choice = tuple[tuple[str, str], ...]  # dimension and cell, of several


class Crossing:
    """The rows of a week, and the partitions of their total."""

    def __init__(self, rows: pl.DataFrame, partitions: Mapping[str, Cells]) -> None:
        self.partitions = dict(partitions)
        self.users, self.numbers = np.unique(rows["user_id"].to_numpy(), return_inverse=True)
        self.values = rows["value"].to_numpy().astype(float)
        self.cells = {name: rows[COLUMNS.get(name, name)].fill_null("").to_numpy() for name in partitions}
        sums = np.sort(np.bincount(self.numbers, self.values))
        self.total, self.unknown = sums.sum(), sums[: max(0, len(sums) - N_OWN)].sum()

    def merged(self) -> dict[str, Cells]:
        """Return the partitions once no intersection tells of few listeners."""
        while narrow := self._narrowest():
            for name in MERGED_FIRST:
                if cells := {cell for dimension, cell in narrow if dimension == name}:
                    self._merge(name, cells)
        return self.partitions

    def _narrowest(self) -> set[tuple[str, str]]:
        """Return the cells to merge: of all narrow intersections of as few dimensions as possible."""
        names = [*(name for name in MERGED_FIRST if name in self.partitions), "recording", "artist"]
        for n in range(2, len(names)):
            sets = (some for some in combinations(names, n) if some[-2:] != ("recording", "artist"))
            narrow = [choice for some in sets for choice in self._choices(some) if self._is_narrow(choice)]
            if narrow:
                return {next(one for one in choice if self._value(*one) < self.total) for choice in narrow}
        return set()

    def _value(self, name: str, cell: str) -> int:
        return self.partitions[name][cell].total()

    def _choices(self, names: Sequence[str]) -> Iterator[Choice]:
        """Yield the named cells whose sum tells something, if the greatest listeners are not counted elsewhere."""
        named = [
            sorted(((users.total(), cell) for cell, users in self.partitions[name].items() if cell), reverse=True)
            for name in names
        ]
        open_choices: list[tuple[float, Choice]] = [(-(len(names) - 1) * self.unknown, ())]
        for no, name in enumerate(names):
            most = sum(cells[0][0] if cells else -np.inf for cells in named[no + 1 :])
            open_choices = [
                (found + value, (*choice, (name, cell)))
                for found, choice in open_choices
                for value, cell in named[no]
                if found + value + most > 0
            ]
        yield from (choice for _, choice in open_choices)

    def _is_narrow(self, choice: Choice) -> bool:
        outside = sum(self.cells[name] != cell for name, cell in choice)
        inside = np.bincount(self.numbers, outside == 0) > 0
        revealed = np.bincount(self.numbers, self.values * (1 - outside))
        own = np.minimum(np.sort(revealed[~inside])[:N_OWN], 0)
        return bool(inside.sum() < LEAST and revealed.sum() - own.sum() > 0)

    def _merge(self, name: str, cells: set[str]) -> None:
        found = self.partitions[name]
        if len(cells) == 1 and None not in found:
            others = [(len(users), users.total(), cell) for cell, users in found.items() if cell and cell not in cells]
            cells |= {cell for *_, cell in sorted(others)[:1]}
        rest = found.pop(None, Counter())
        for cell in cells:
            rest.update(found.pop(cell))
        found[None] = rest
