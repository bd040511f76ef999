"""
The truth file: the ground truth as one JSON line per planted fact, for tests and evaluations. It is never ingested.

Kinds: breakout, decoy (loop, release_spike, market_day), unplanned_rise (mostly a release that gained listeners slowly,
see `days_since_release`), duplicate, wrong_*, stub_*, charted, sound, cover, remix, reupload, lyrics (language, theme,
mood, part, explicit, references by name), lyrics_copy, lyrics_wrong, rights_conflict and rights_lawful (kind), dirt
(invalid rows).
Growth is measured on the finished log (see `breakout_days`), so the truth agrees with the raw files.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from recsys.demo.breakout_truth import breakout_days, peaks
from recsys.demo.catalogue import Tracks
from recsys.demo.planted_breakouts import PlantedRise
from recsys.demo.world import Truth, World


def breakout_truths(
    world: World, planted: Sequence[PlantedRise], weekly: np.ndarray, tracks: Tracks, user_ids: np.ndarray
) -> list[Truth]:
    """Return one truth per planted rise with its growth in the log, then one per other track with a breakout."""
    peak, confirmed = peaks(weekly), breakout_days(weekly, world.min_weekly_listeners)
    truths = [
        _rise_truth(world, rise, str(tracks.ids[rise.track]), user_ids, _growth(rise.track, rise.day, weekly, peak))
        for rise in planted
    ]
    confirmed[[rise.track for rise in planted if rise.kind == "breakout"]] = False
    days = {int(row): int(confirmed[row].argmax()) for row in np.flatnonzero(confirmed.any(axis=1))}
    return truths + [
        Truth(
            "unplanned_rise",
            str(tracks.ids[row]),
            world.date_of(day),
            _growth(row, day, weekly, peak) | {"days_since_release": day - int(tracks.release_day[row])},
        )
        for row, day in days.items()
    ]


def _growth(track: int, day: int, weekly: np.ndarray, peak: np.ndarray) -> dict[str, object]:
    """Return the weekly listeners on the day before a rise, and their maximum in the 14 days from its first day on."""
    return {"base_weekly_listeners": int(weekly[track, day - 1]), "peak_weekly_listeners": int(peak[track, day])}


def _rise_truth(
    world: World, rise: PlantedRise, track_id: str, user_ids: np.ndarray, growth: dict[str, object]
) -> Truth:
    if rise.kind == "breakout":
        growth["base_floor"] = world.min_weekly_listeners
        return Truth("breakout", track_id, world.date_of(rise.day), growth)
    of_loop = {"user_id": str(user_ids[rise.listener])} if rise.listener >= 0 else {}
    return Truth("decoy", track_id, world.date_of(rise.day), {"why": rise.kind, **growth, **of_loop})


def market_day_truths(world: World, days: np.ndarray) -> list[Truth]:
    """Return one truth per market day: a decoy without a track, whose id is its date."""
    return [Truth("decoy", str(world.date_of(day)), world.date_of(day), {"why": "market_day"}) for day in days]


def invalid_row_truths(table: str, file: str, counts: Mapping[str, int]) -> list[Truth]:
    """Return one truth per fault of a file, with its number of rows."""
    return [Truth("dirt", file, None, {"table": table, "fault": fault, "rows": n}) for fault, n in counts.items()]


def write_truth(path: Path, truths: Iterable[Truth]) -> None:
    """Write the truths as JSON lines: kind, id, date (null for none), details."""
    lines = (json.dumps(truth._asdict(), default=str, ensure_ascii=False) for truth in truths)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
