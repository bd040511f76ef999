"""
What was planted, for tests and evaluations: one JSON line a fact, in a file beside the raw files, never ingested.

Kinds: breakout, decoy (loop, release_spike, market_day), unplanned_rise (mostly a release that found its listeners
slowly; `days_since_release` tells), duplicate, wrong_*, stub_*, charted, dirt. Growth is
measured on the finished log (see `rises`), so what is told is what the files show.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from recsys.demo.breakout_truth import peaks, rises
from recsys.demo.catalogue import Tracks
from recsys.demo.planted_breakouts import Plant
from recsys.demo.world import Truth, World


def tell_rises(
    world: World, plants: Sequence[Plant], weekly: np.ndarray, tracks: Tracks, user_ids: np.ndarray
) -> list[Truth]:
    """Tell of every planted rise what the log shows, then of every other rise that the log happens to show."""
    peak, confirmed = peaks(weekly), rises(weekly, world.base_floor)
    told = [
        _tell(world, plant, str(tracks.ids[plant.track]), user_ids, _growth(plant.track, plant.day, weekly, peak))
        for plant in plants
    ]
    confirmed[[plant.track for plant in plants if plant.kind == "breakout"]] = False
    days = {int(row): int(confirmed[row].argmax()) for row in np.flatnonzero(confirmed.any(axis=1))}
    return told + [
        Truth(
            "unplanned_rise",
            str(tracks.ids[row]),
            world.date_of(day),
            _growth(row, day, weekly, peak) | {"days_since_release": day - int(tracks.release_day[row])},
        )
        for row, day in days.items()
    ]


def _growth(track: int, day: int, weekly: np.ndarray, peak: np.ndarray) -> dict[str, object]:
    """Weekly listeners on the day before, and the most within 14 days."""
    return {"base_weekly_listeners": int(weekly[track, day - 1]), "peak_weekly_listeners": int(peak[track, day])}


def _tell(world: World, plant: Plant, track_id: str, user_ids: np.ndarray, growth: dict[str, object]) -> Truth:
    if plant.kind == "breakout":
        growth["base_floor"] = world.base_floor
        return Truth("breakout", track_id, world.date_of(plant.day), growth)
    of_loop = {"user_id": str(user_ids[plant.listener])} if plant.listener >= 0 else {}
    return Truth("decoy", track_id, world.date_of(plant.day), {"why": plant.kind, **growth, **of_loop})


def tell_market_days(world: World, days: np.ndarray) -> list[Truth]:
    """Tell of the days on which everything rises: a decoy without a track, its id is its date."""
    return [Truth("decoy", str(world.date_of(day)), world.date_of(day), {"why": "market_day"}) for day in days]


def tell_dirt(table: str, file: str, counts: Mapping[str, int]) -> list[Truth]:
    """Tell how many rows of each fault a file holds."""
    return [Truth("dirt", file, None, {"table": table, "fault": fault, "rows": n}) for fault, n in counts.items()]


def write_truth(path: Path, truths: Iterable[Truth]) -> None:
    """Write the facts as JSON lines: kind, id, date (null where there is none), details."""
    lines = (json.dumps(truth._asdict(), default=str, ensure_ascii=False) for truth in truths)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
