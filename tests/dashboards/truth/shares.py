"""
Shares with noise on pages of labels: each must be near the share that the rows of the lake give.

A truth repeats a share that is as near as docs/labels.md promises, and states the share of the rows where one is not.
"""

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from .closings import MIN_LISTENERS, SOURCES, Closings, Month, Period
from .page import country
from .rows import Lake

NOISE_LISTENERS = 5  # more or fewer behind a share
ROUNDING = 0.005 + 1e-9  # of whole per cent
LEAST_IN_MONTH, MOST_SHARED = 60, 0.4  # of an artist's listeners, for a line of overlap
N_OTHERS = 20  # artists on a page
Group = tuple[frozenset[str], float]  # listeners, share


def near(shown: float, true: float, error: float) -> float:
    """Return a shown share if it is within the error of the truth, otherwise the truth."""
    return shown if max(0, true - error) <= shown <= min(1, true + error) else true


@dataclass(frozen=True)
class SharesTruth:
    """The shares of one label's artists, as pages show them."""

    closings: Closings
    label: str

    @property
    def lake(self) -> Lake:
        """The rows."""
        return self.closings.lake

    def groups(self, artist: str, dimension: str, shown: pl.DataFrame) -> pl.DataFrame:
        """
        Return how an artist's plays divide, in the rows that a page shows.

        Each named group has 20 listeners in a closed week; which of these are listed, tests of the ledger check.
        """
        (period,) = shown.select("from_day", "to_day").unique().rows()
        assert period in self.closings.weeks(self.label, "n_plays")
        cells = self.closings.cells(self.label, "n_plays", period, "artist")
        error = max(NOISE_LISTENERS / cells[artist].n_listeners, 0.01) + 0.005
        groups = self._groups(artist, dimension, period)
        named = {name: groups.pop(name, (frozenset(), 0.0)) for name in shown["name"] if name != "all others"}
        assert all(len(listeners) >= MIN_LISTENERS for listeners, _ in named.values())
        named["all others"] = frozenset(), sum(share for _, share in groups.values())
        shares = [near(share, named[name][1], error) for name, share in shown.select("name", "share").iter_rows()]
        order = sorted(range(len(shares)), key=lambda n: (shown["name"][n] == "all others", -shares[n]))
        return shown.with_columns(share=pl.Series(shares), error=pl.lit(error))[order]

    def sources(self, artist: str, shown: pl.DataFrame) -> pl.DataFrame:
        """Return who chose an artist's recordings, in the closed weeks that a page shows."""
        weeks = [
            self._sources_of(artist, period, of_week)
            for period, of_week in shown.group_by("from_day", "to_day", maintain_order=True)
        ]
        return pl.concat(weeks)

    def _sources_of(self, artist: str, period: Period, shown: pl.DataFrame) -> pl.DataFrame:
        assert period in self.closings.weeks(self.label, "n_plays")
        listeners = self.closings.cells(self.label, "n_plays", period, "artist")[artist].n_listeners
        error = max(NOISE_LISTENERS / listeners, 0.01) + 0.005
        names = {"active": "chosen by the listener", "algorithmic": "recommended", "unknown": "unknown"}
        groups = {names[part]: group for part, group in self._groups(artist, "source", period).items()}
        named = [part for part in shown["part"] if part != "all others"]
        assert all(len(groups[part][0]) >= MIN_LISTENERS for part in named if part in groups)
        rest = sum(share for part, (_, share) in groups.items() if part not in named)
        true = {part: groups.get(part, (frozenset(), 0.0))[1] for part in named} | {"all others": rest}
        shares = [near(share, true[part], error) for part, share in shown.select("part", "play_share").iter_rows()]
        return shown.with_columns(play_share=pl.Series(shares), error=pl.lit(error))

    def markets(self, artist: str, shown: pl.DataFrame) -> pl.DataFrame:
        """Return an artist's share of the plays of each country that a page shows, compared with the label's share."""
        (period,) = shown.select("from_day", "to_day").unique().rows()
        listeners = self.closings.cells(self.label, "n_plays", period, "artist")[artist].n_listeners
        error = max(NOISE_LISTENERS / listeners, 0.01) + 0.005
        groups = {name: share for name, (_, share) in self._groups(artist, "country", period).items()}
        cells = self.closings.cells(self.label, "n_plays", period, "country")
        total = sum(cell.value for cell in cells.values())
        of_label = {country(code): cell.value / total for code, cell in cells.items() if code is not None}
        rows = [
            (name, near(share, groups[name], error), of_label[name])
            for name, share in shown.select("name", "share").iter_rows()
        ]
        found = pl.DataFrame(rows, ["name", "share", "label_share"], orient="row").with_columns(
            error=pl.lit(error), from_day=pl.lit(period[0]), to_day=pl.lit(period[1])
        )
        bounds = {
            "low": pl.max_horizontal(pl.col("share") - error, 0),
            "high": pl.min_horizontal(pl.col("share") + error, 1),
        }
        ratios = {"ratio": pl.col("share"), **bounds}
        compared = found.with_columns(**{key: value / pl.col("label_share") for key, value in ratios.items()})
        return compared.sort("ratio", descending=True, maintain_order=True)

    def _groups(self, artist: str, dimension: str, period: Period) -> dict[str, Group]:
        """Return listeners and share of the plays of each group."""
        own = self.lake.rows.filter(pl.col("day").is_between(*period), label_id=self.label, artist_id=artist)
        plays = own.filter(pl.col("n_plays") > 0)
        if dimension == "source":
            unknown = plays.with_columns(n_unknown=pl.col("n_plays") - pl.sum_horizontal(*SOURCES.values()))
            kinds = {**SOURCES, "unknown": "n_unknown"}
            split = [unknown.select("user_id", n_plays=column, source=pl.lit(kind)) for kind, column in kinds.items()]
            plays = pl.concat(split).filter(pl.col("n_plays") > 0)
        total = int(plays["n_plays"].sum())
        sums = plays.group_by(dimension).agg(pl.col("user_id").unique(), pl.col("n_plays").sum())
        shown = country if dimension == "country" else str
        return {shown(name): (frozenset(users), n / total) for name, users, n in sums.iter_rows()}

    def overlap(self, artist: str, shown: pl.DataFrame | None) -> pl.DataFrame | None:
        """Return the artists that share listeners with an artist, in the rows that a page shows; None without any."""
        for month in sorted(self.closings.months, reverse=True):
            if true := self._overlaps(artist, self.closings.months[month]):
                return self._listed(true, shown)
        return None

    def _listed(self, true: dict[str, tuple[float, float]], shown: pl.DataFrame | None) -> pl.DataFrame:
        """Return name and share: those that are shown, if none that are not may have had a greater share."""
        by_name = {name: true[artist] for artist, name in self._names.items() if artist in true}
        exact = pl.DataFrame({"name": list(by_name), "share": [share for share, _ in by_name.values()]})
        exact = exact.sort("share", descending=True).head(N_OTHERS)
        if shown is None or shown.height != min(len(true), N_OTHERS) or set(shown["name"]) - set(by_name):
            return exact
        last = shown["share"].min()
        if any(share - error > last for name, (share, error) in by_name.items() if name not in shown["name"]):  # type: ignore[operator]
            return exact
        rows = [(name, near(share, *by_name[name])) for name, share in shown.select("name", "share").iter_rows()]
        return pl.DataFrame(rows, shown.select("name", "share").schema, orient="row").sort(
            "share", descending=True, maintain_order=True
        )

    @cached_property
    def _names(self) -> dict[str, str]:
        return dict(self.lake.artists.select("artist_id", "artist_name").iter_rows())

    def _overlaps(self, artist: str, month: Month) -> dict[str, tuple[float, float]]:
        """Return share and error of each artist that may be listed."""
        own = month.listeners.get(artist, set())
        found = {}
        for other in month.released - {artist}:
            shared = own & month.listeners[other]
            most = MOST_SHARED * min(len(own), len(month.listeners[other]))
            if len(own) >= LEAST_IN_MONTH and MIN_LISTENERS <= len(shared) <= most:
                found[other] = len(shared) / len(own), NOISE_LISTENERS / len(own) + ROUNDING
        return found
