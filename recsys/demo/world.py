"""
Settings of a demo world: seed, last day, size, and how much is planted.

Inside the simulator days are integers (0 = the first local day of the period); dates appear only in the files. Each
part has its own random generator, keyed by the part's name, so that a new part does not change the others.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zlib import crc32

import numpy as np

from recsys.errors import InputError


class Truth(NamedTuple):
    """One planted fact: kind, id, first date (None if it has no date), and the details that tests need to check it."""

    kind: str
    id: str
    date: date | None
    details: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """
    The settings of one world; the same settings give the same bytes.

    Args:
        seed: Seed of all random generators.
        as_of: Last day of the period; no listen is later, in UTC or in local time.
        scale: Factor on listeners and listens, > 0; catalogue and planted facts do not change. 1.0 gives about a
            million listens. Below 0.3, some breakouts grow from fewer than 20 weekly listeners (see the truth file).
        n_days: Length of the period [d], at least 90, so that there are weeks before and after every planted rise.
        n_labels: Labels, at least 6: four majors and two of unknown type.
        n_artists: Artists.
        n_tracks: Recordings, planted duplicates included.
        base_listeners: Listeners at scale 1.
        listens_per_listener: Mean listens per listener in the period.
        n_breakouts: Planted breakouts.
        n_loops: Decoys in which one listener loops a track.
        n_release_spikes: Decoys in which a release is played for a few days only.
        n_market_days: Decoy days on which all plays rise.
        n_duplicates: Planted duplicates of recordings.
        min_weekly_listeners: Minimum weekly listeners of a track before a breakout.
        n_tracks_with_audio: Tracks that have audio, `raw/audio/<track_id>.flac` or `.mp3`.
        n_rights_conflicts: Planted conflicts per kind in the registry of rights, and lawful look-alikes per kind.
        n_tracks_with_lyrics: Tracks that have lyrics, `raw/lyrics.jsonl`, at most; those with audio first.
        words_weight: Weight of the listener's preference for theme and language in who plays which track with lyrics.
            0: listening does not depend on words.

    Raises:
        InputError: `scale` or `n_days` is too small.
    """

    seed: int = 7
    as_of: date = date(2026, 6, 30)
    scale: float = 1.0
    n_days: int = 120
    n_labels: int = 30
    n_artists: int = 400
    n_tracks: int = 4_000
    base_listeners: int = 2_500
    listens_per_listener: int = 400
    n_breakouts: int = 10
    n_loops: int = 4
    n_release_spikes: int = 4
    n_market_days: int = 2
    n_duplicates: int = 24
    min_weekly_listeners: int = 20
    n_tracks_with_audio: int = 120
    n_tracks_with_lyrics: int = 240
    n_rights_conflicts: int = 5
    words_weight: float = 0.0

    def __post_init__(self) -> None:
        if not self.n_listeners >= 100:
            raise InputError(
                f"scale: {self.scale} gives {self.n_listeners} listeners, expected at least 100. Use 0.04 or more."
            )
        if self.n_days < 90:
            raise InputError(
                f"n_days: found {self.n_days}, expected at least 90. Planted rises need weeks before and after them."
            )

    @property
    def n_listeners(self) -> int:
        """Number of listeners at this scale."""
        return round(self.base_listeners * self.scale)

    @property
    def first_date(self) -> date:
        """Day 0 as a date."""
        return self.as_of - timedelta(days=self.n_days - 1)

    @property
    def first_second(self) -> int:
        """Midnight UTC of day 0, in seconds since 1970."""
        return int(datetime.combine(self.first_date, datetime.min.time(), tzinfo=UTC).timestamp())

    def date_of(self, day: int) -> date:
        """Return the date of a day number, which may be negative."""
        return self.first_date + timedelta(days=int(day))

    def rng(self, part: str) -> np.random.Generator:
        """Return the random generator of one part of the simulator; no two parts share one."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(crc32(part.encode()),)))
