"""What happened to artists and recordings, as pages list it below curves, computed from the rows of the lake."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars as pl

from .catalogue import CatalogueTruth, song_of
from .closings import Period
from .page import written
from .rows import Lake

LEAST = 1_000
Note = tuple[date, str, str, str, str]  # day, then what notes of a day are ordered by, and the text


@dataclass(frozen=True)
class NotesTruth:
    """The notes of a lake."""

    lake: Lake

    def lines(self, tracks: pl.DataFrame, period: Period, others: Iterable[Note]) -> list[str]:
        """Return the lines of the list for some recordings in a period, public notes and others."""
        notes = sorted({*self._releases(tracks), *self._charted(tracks), *others})
        by_day = defaultdict[date, list[str]](list)
        for day, *_, text in notes:
            if period[0] <= day <= period[1]:
                by_day[day].append(text)
        return [f"{no} · {written(day)}: {'; '.join(by_day[day])}." for no, day in enumerate(by_day, 1)]

    def _releases(self, tracks: pl.DataFrame) -> Iterator[Note]:
        title = pl.coalesce("release_title", "title", "track_id")
        for day, name, n in tracks.drop_nulls("release_date").group_by("release_date", title).len().iter_rows():
            yield day, "release", name, "", f"“{name}” released" + (f" ({n:,} recordings)" if n > 1 else "")

    def _charted(self, tracks: pl.DataFrame) -> Iterator[Note]:
        known = {row["track_id"]: row["title"] or row["track_id"] for row in tracks.iter_rows(named=True)}
        for song, weeks in self._editions.group_by("song_id"):
            track = self._song_tracks.get(str(song[0]))
            if track not in known:
                continue
            numbers = set(weeks["week_no"])
            for row in weeks.filter(pl.col("week_no") > 1).iter_rows(named=True):
                if row["week_no"] - 1 not in numbers:
                    is_new = row["week_no"] == min(numbers)
                    verb, kind = ("entered", "chart entry") if is_new else ("returned to", "chart return")
                    text = f"“{known[track]}” {verb} {row['chart']} at number {row['rank']}"
                    yield row["chart_date"], kind, known[track], row["chart"], text

    @cached_property
    def _editions(self) -> pl.DataFrame:
        return CatalogueTruth(self.lake).editions

    @cached_property
    def _song_tracks(self) -> dict[str, str]:
        """Return the recording of each song: the one named, else by ISRC, else by name; of several, the first by id."""
        known = self.lake.tracks.filter("is_known").sort("track_id", descending=True)
        by_isrc = {isrc: track for track, isrc in known.select("track_id", "isrc").iter_rows() if isrc}
        named = known.select("track_id", "title", artist="artist_name").drop_nulls()
        by_name = dict(named.select(song_of(), "track_id").iter_rows())
        ids, found = set(known["track_id"]), dict[str, str]()
        for song, track, isrc in self._editions.select("song_id", "track_id", "isrc").iter_rows():
            choices = (track if track in ids else None, by_isrc.get(isrc), by_name.get(song))
            link = next((one for one in choices if one), None)
            if link:
                found.setdefault(song, link)
        return found

    def added(self, tracks: pl.DataFrame) -> Iterator[Note]:
        """Yield the first adds of recordings to playlists that no listener owns."""
        rows = self.lake.table("playlists").sort("batch_no", maintain_order=True)
        newest = rows.unique(["playlist_id", "position"], keep="last", maintain_order=True)
        own = (
            newest.filter(pl.col("user_id").is_null())
            .drop_nulls("added_at")
            .join(tracks.select("track_id", name=pl.coalesce("title", "track_id")), on="track_id")
        )
        first = own.group_by("playlist_id", "track_id", "name").agg(
            pl.col("added_at").min().dt.date(), pl.col("title").max()
        )
        for (playlist, day), adds in first.group_by("playlist_id", "added_at"):
            place, names = adds["title"].drop_nulls(), adds["name"].sort()
            named = str(place.max()) if len(place) else str(playlist)
            what = f"“{names[0]}”" if len(names) == 1 else f"{len(names):,} recordings"
            yield day, "playlist", names[0], named, f"{what} added to the playlist “{named}”"


def milestones(plays: Iterable[tuple[date, int]], place: str) -> Iterator[Note]:
    """Yield the round numbers that a sum passes, the greatest of each day; `plays` by day."""
    so_far = 0
    for day, count in sorted(plays):
        passed = [10**power for power in range(3, 12) if so_far < 10**power <= so_far + count]
        so_far += count
        if passed:
            yield day, "milestone", "", place, f"{passed[-1]:,} plays {place}"
