"""
What a demo world is made of: its seed, its last day, its size and what is planted in it.

Days are whole numbers inside the simulator (0 = the first local day of the period); dates appear only in the files.
Every part draws from a generator of its own, keyed by the part's name, so that adding a part shifts no other.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zlib import crc32

import numpy as np

from recsys.errors import InputError


class Truth(NamedTuple):
    """One planted fact: what kind, on which id, from which date on, and everything a test needs to confirm it."""

    kind: str
    id: str
    date: date | None
    details: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """
    The settings of one world; the same settings give the same bytes.

    Args:
        seed: Seed of every draw.
        as_of: Last day of the period; no listen is later, neither by the UTC clock nor by the listener's own.
        scale: Factor on listeners and listens, > 0; the catalogue and the plants stay as they are. 1.0 gives about a
            million listens; under 0.3 some breakouts grow from fewer than 20 weekly listeners, and the truth says so.
        n_days: Length of the period [d], at least 90: room for every plant to be seen before and after.
        n_labels: Labels, at least 6: four majors, two of unknown kind.
        n_artists: Artists.
        n_tracks: Recordings, the planted duplicates among them.
        base_listeners: Listeners at scale 1.
        listens_per_listener: Mean listens of a listener in the whole period.
        base_floor: Weekly listeners that a track needs before it can break out.
        n_sounding: Tracks that have a recording, `raw/audio/<track_id>.mp3`.

    Raises:
        InputError: `scale` or `n_days` leaves no world to simulate.
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
    base_floor: int = 20
    n_sounding: int = 120

    def __post_init__(self) -> None:
        if not self.n_listeners >= 100:
            raise InputError(
                f"scale {self.scale} gives {self.n_listeners} listeners, expected at least 100: use 0.04 or more."
            )
        if self.n_days < 90:
            raise InputError(f"n_days is {self.n_days}, expected at least 90: the plants need room before and after.")

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
        """Return the generator of one part of the simulator; no two parts share one."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(crc32(part.encode()),)))
