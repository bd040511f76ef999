"""What pages on recommendations should show, computed from the exported lists and the rows of the lake."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from recsys.home import Home
from recsys.releases import registry

from .page import Truth, country, language, number, percent
from .rows import AUDIENCES, Lake, total

LEAST_IN_COUNTRY = 10
CODES = {"artist_country": country, "language": language}
REASONS = {"exploration": "exploration", "artist": "the same artist", "recording": "another artist"}


def _in_words(rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Name groups whose names are codes."""
    if kind not in CODES:
        return rows
    return rows.with_columns(pl.col("group_name").map_elements(CODES[kind], return_dtype=pl.String))


def _in_country(code: str, own: list[tuple[pl.DataFrame, str]]) -> dict[str, Any]:
    """Compare positions with plays of one country; the interval is that of the influence of each listener."""
    of_all, of_own = (
        [
            rows.filter(condition).group_by("user_id").agg(pl.col(name).sum().alias(alias))
            for rows, name in own
            for alias in (f"{name}{suffix}",)
        ]
        for condition, suffix in ((pl.lit(value=True), "_all"), (pl.col("is_own").fill_null(value=False), ""))
    )
    sums = pl.concat([*of_all, *of_own], how="diagonal").group_by("user_id").agg(pl.all().sum())
    counts = {
        "n_shown": sums.filter(pl.col("exposure") > 0).height,
        "n_players": sums.filter(pl.col("n_plays") > 0).height,
    }
    if min(counts.values()) < LEAST_IN_COUNTRY:
        return {}
    totals = {name: float(sums[name].sum()) for name in sums.columns if name != "user_id"}
    part = {name: sums[name].to_numpy() / total for name, total in totals.items()}
    influence = part["exposure"] - part["exposure_all"] - part["n_plays"] + part["n_plays_all"]
    wide = float(np.exp(1.96 * np.sqrt((influence**2).sum())))
    exposed, played = (totals[name] / totals[f"{name}_all"] for name in ("exposure", "n_plays"))
    ratio = exposed / played
    shares = {"exposure_share": exposed, "listening_share": played}
    return (
        {"code": code, "name": country(code), "ratio": ratio, "low": ratio / wide, "high": ratio * wide}
        | shares
        | counts
    )


def _exposed(row: dict[str, Any]) -> str:
    """Write how much lists give to an artist or a label in a country, and why."""
    text = (
        f"{row['name']}: lists give it {row['ratio']:.2f} of its share (95 % interval {row['low']:.2f} to "
        f"{row['high']:.2f}): {row['exposure_share']:.1%} of exposure, {row['listening_share']:.1%} of plays."
    )
    missing, usual = row["n_unavailable"] / row["n_tracks"], row["home_unavailable_share"]
    if row["ratio"] > 1 or 1 - missing > 0.95 * (1 - usual):
        return text
    counts = f"{row['n_unavailable']:,} of its {row['n_tracks']:,} recordings"
    return f"{text} A reason: {counts} ({missing:.1%}, of all recordings {usual:.1%}) are not available there."


@dataclass(frozen=True)
class ListsTruth:
    """
    The pages Exposure, Fairness and Recommendations.

    Attributes:
        lake: The lake.
        export: Folder of the exported lists.
    """

    lake: Lake
    export: Path

    @classmethod
    def published(cls, lake: Lake, home: Home) -> "ListsTruth":
        """Return those of a home's current release."""
        release = registry.current(home)
        assert release is not None
        assert release.export is not None
        return cls(lake, release.export)

    @cached_property
    def places(self) -> pl.DataFrame:
        """Every position of every list, with its exposure 1 / log2(1 + rank), and its recording."""
        lists = pl.read_parquet(self.export / "recommendations.parquet", hive_partitioning=False)
        weighted = lists.with_columns(exposure=1 / (pl.col("rank") + 1).log(2))
        return weighted.join(self.tracks, on="track_id", how="left")

    @cached_property
    def tracks(self) -> pl.DataFrame:
        """The catalogue with the groups of each recording."""
        artists = self.lake.newest("artists", "artist_id").select(
            "artist_id", artist_gender="gender", artist_country="country"
        )
        labels = self.lake.newest("labels", "label_id").select("label_id", "label_type")
        last = self.lake.last_day
        age = (last.year - pl.col("release_date").dt.year()) * 12 + last.month - pl.col("release_date").dt.month()
        group = pl.when(age < 18).then(pl.lit("current")).when(age < 36).then(pl.lit("catalogue"))
        named = self.lake.tracks.join(artists, on="artist_id", how="left").join(labels, on="label_id", how="left")
        return named.with_columns(
            pl.col("artist_gender", "artist_country", "label_type", "language").fill_null("unknown"),
            age=group.when(age.is_not_null()).then(pl.lit("deep catalogue")).otherwise(pl.lit("unknown")),
        )

    @cached_property
    def plays(self) -> pl.DataFrame:
        """Every play, with the groups of its recording."""
        played = self.lake.rows.filter(pl.col("n_plays") > 0).select("user_id", "track_id", "n_plays")
        return played.join(self.tracks, on="track_id", how="left")

    def shares(self, key: str, label: str = "") -> pl.DataFrame:
        """Return the shares of each group in plays and exposure; of one label's recordings, or of all."""
        of_label = [pl.col("label_id") == label] if label else []
        plays, places, tracks = (rows.filter(*of_label) for rows in (self.plays, self.places, self.tracks))
        counts = tracks.group_by(key).agg(n_tracks=pl.len().cast(pl.Int64))
        played = plays.group_by(key).agg(n_players=pl.col("user_id").n_unique(), n_plays=pl.col("n_plays").sum())
        shown = places.group_by(key).agg(
            n_shown=pl.col("user_id").n_unique(),
            n_listed=pl.col("track_id").n_unique(),
            exposure=pl.col("exposure").sum(),
        )
        every = counts.join(played, on=key, how="left").join(shown, on=key, how="left")
        known = every.with_columns(pl.col("n_players", "n_plays", "n_shown", "n_listed", "exposure").fill_null(0))
        return known.with_columns(
            catalogue_share=pl.col("n_tracks") / pl.col("n_tracks").sum(),
            listening_share=pl.col("n_plays") / total(self.plays, "n_plays"),
            exposure_share=pl.col("exposure") / float(self.places["exposure"].sum()),
        ).with_columns(
            ratio=pl.when(pl.col("n_shown") > 0, pl.col("n_players") > 0).then(
                pl.col("exposure_share") / pl.col("listening_share")
            ),
            target_share=None,
            group_name=key,
        )

    def exposure(self, label: str, kind: str, artist: str, dimension: str) -> Truth:
        """Return the page Exposure for all labels ('') or one, and for an artist."""
        frames = {"reasons": self._shown_to(artist, "reason"), "shown_to": self._shown_to(artist, dimension)}
        frames = {key: rows for key, rows in frames.items() if not rows.is_empty()}
        labels = self.shares("label_id").drop_nulls("label_id").drop_nulls("ratio").drop("group_name")
        if not label:
            return Truth(rows=frames | {"labels": labels.sort("ratio", "label_id")})
        own = labels.filter(label_id=label).row(0, named=True)
        groups = self.shares(kind, label).drop_nulls("ratio").sort(pl.col("ratio").round(9), "group_name")
        metrics = {
            "Share of plays": percent(own["listening_share"]),
            "Share of exposure": percent(own["exposure_share"]),
            "Exposure relative to plays": number(own["ratio"]),
            "Listeners reached": number(own["n_shown"]),
        }
        by_country = self.by_country("label_id", label, "countries")
        frames |= {"groups": _in_words(groups, kind)}
        return Truth({name: (value, "") for name, value in metrics.items()}, frames) | by_country

    def by_country(self, key: str, owner: str, figure: str) -> Truth:
        """Return a figure of the exposure of an artist or a label (its column and id) by country."""
        own = [(rows.with_columns(is_own=pl.col(key) == owner), name) for rows, name in self._with_countries]
        codes = sorted(set(own[0][0]["country"]) | set(own[1][0]["country"]))
        every = [_in_country(code, [(rows.filter(country=code), name) for rows, name in own]) for code in codes]
        rows = [row | self._unavailable(key, owner, row["code"]) for row in every if row]
        rows.sort(key=lambda row: (round(row["ratio"], 9), row["code"]))
        if not rows:
            return Truth()
        known = [row for row in rows if row["code"] != "unknown"]
        low, high = [row for row in known if row["high"] < 1], [row for row in known if row["low"] > 1]
        return Truth(
            rows={figure: pl.DataFrame(rows)}, sentences=[_exposed(row) for row in [*low[:3], *high[::-1][:3]]]
        )

    @cached_property
    def _with_countries(self) -> list[tuple[pl.DataFrame, str]]:
        """The positions and the plays with the country of the listener, each with the name of what counts."""
        codes = self.lake.listeners.select("user_id", "country")
        return [
            (
                rows.join(codes, on="user_id", how="left").with_columns(pl.col("country").fill_null("unknown")),
                name,
            )
            for rows, name in ((self.places, "exposure"), (self.plays, "n_plays"))
        ]

    def _unavailable(self, key: str, owner: str, code: str) -> dict[str, float]:
        """Count the recordings that are withdrawn, or not available or not licensed in a country."""
        unlicensed = self.lake.unlicensed(code)
        rows = [
            (
                row[key] == owner,
                row["withdrawn_at"] is not None
                or row["track_id"] in unlicensed
                or (bool(row["available_in"]) and code not in row["available_in"]),
            )
            for row in self.tracks.select("track_id", key, "withdrawn_at", "available_in").iter_rows(named=True)
        ]
        own = [is_missing for is_own, is_missing in rows if is_own]
        missing_share = sum(is_missing for _, is_missing in rows) / len(rows)
        return {"n_tracks": len(own), "n_unavailable": sum(own), "home_unavailable_share": missing_share}

    def _shown_to(self, artist: str, dimension: str) -> pl.DataFrame:
        """Return the positions of an artist by group of listeners, or by kind of reason."""
        reason = pl.col("reason_kind").replace_strict(REASONS, default="no recording of theirs")
        groups = self.places.join(self.lake.listeners, on="user_id", how="left").with_columns(
            pl.col(AUDIENCES).fill_null("unknown"), reason=reason.fill_null("no recording of theirs")
        )
        market = dict(groups.group_by(dimension).agg(pl.col("user_id").n_unique()).iter_rows())
        own = groups.filter(artist_id=artist)
        sums = own.group_by(value=dimension).agg(
            n_listeners=pl.col("user_id").n_unique(), n_places=pl.len().cast(pl.Int64)
        )
        share = pl.col("n_listeners") / own["user_id"].n_unique()
        of_market = pl.col("value").replace_strict(market, return_dtype=pl.Float64) / groups["user_id"].n_unique()
        is_reason = dimension == "reason"
        rows = sums.with_columns(
            share=pl.col("n_places") / own.height, affinity=None if is_reason else share / of_market
        )
        ordered = rows.sort("n_places", "value", descending=[True, False])
        if dimension != "country":
            return ordered
        return ordered.with_columns(pl.col("value").map_elements(country, return_dtype=pl.String))

    def fairness(self, kind: str) -> Truth:
        """Return the shares of groups on the page Fairness."""
        sorted_by_code = [pl.col("catalogue_share").round(12), "group_name"]
        shares = _in_words(self.shares(kind).sort(sorted_by_code, descending=[True, False]), kind)
        ratios = shares.drop_nulls("ratio").sort(pl.col("ratio").round(9), maintain_order=True)
        return Truth(rows={"exposure": shares, "exposure_ratio": ratios} if ratios.height else {"exposure": shares})

    def recommendations(self, user: str) -> pl.DataFrame:
        """Return a listener's list."""
        return self.places.filter(user_id=user).select("rank", "title", "artist_name", "track_id").sort("rank")
