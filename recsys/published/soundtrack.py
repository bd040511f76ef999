"""A soundtrack from the published warehouse, for `recsys soundtrack`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import polars as pl

from recsys.errors import InputError
from recsys.reports.wording import format_duration
from recsys.soundtrack.adapt import adjustment
from recsys.soundtrack.curve import Curve, activity
from recsys.soundtrack.plan import Recordings, Step, plan
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

DEFAULT_MIN = 40.0


@dataclass(frozen=True)
class Request:
    """
    What a soundtrack is asked for.

    Attributes:
        curve: Tempo and energy over the whole length.
        length_s: Length of the activity [s].
        user_id: Listener whose genres and country count; empty for nobody: only recordings available everywhere.
        start_s: Time that has passed [s].
        heard: Ids of the tracks that were heard so far, in this order; they are not listed again.
        skipped: Those of them that were skipped; what resembles them comes later or not at all.
    """

    curve: Curve
    length_s: float
    user_id: str = ""
    start_s: float = 0.0
    heard: Sequence[str] = ()
    skipped: Sequence[str] = ()

    @classmethod
    def of(cls, name: str | None, curve: str | None, minutes: float | None, start_min: float, **rest: Any) -> Self:
        """
        Return the request for the activity `name` or along a curve in words.

        Raises:
            InputError: Neither or both are given, there is no such activity, or the curve cannot be read.
        """
        if (name is None) == (curve is None):
            raise InputError("Expected an activity or --curve, and not both. Activities: run, study, wind-down")
        requested, own_min = Curve.parse(curve) if curve is not None else (activity(str(name)), DEFAULT_MIN)
        return cls(requested, 60 * (minutes or own_min), start_s=60 * start_min, **rest)


def soundtrack(warehouse: Warehouse, request: Request) -> pl.DataFrame:
    """
    Plan a soundtrack, or the rest of one.

    Returns:
        start (from the beginning), title, artist_name, tempo_bpm and target_bpm (of the curve) [1/min], energy and
        target_energy, key, fade_at (where in the recording the crossfade to the next begins), fade_s (its length [s]),
        track_id.

    Raises:
        InputError: There is no such listener or track, or no recording with tempo and energy.
    """
    user: dict[str, object] = {"user_id": request.user_id}
    if request.user_id and warehouse.query(internal_sql("known_listener"), user).is_empty():
        raise InputError(f"There is no listener {request.user_id!r}. Search by part of the id: recsys find WORDS")
    tracks = warehouse.query(internal_sql("soundtrack_tracks"), user)
    recordings = Recordings.of(tracks)
    if recordings.ids.is_empty():
        raise InputError("No recording has a length, tempo and energy. Scan music first: recsys audio scan FOLDER")
    outcomes = _outcomes(request, {track_id: row for row, track_id in enumerate(recordings.ids)})
    steps = plan(
        recordings,
        request.curve,
        request.length_s,
        start_s=request.start_s,
        heard=[row for row, _ in outcomes],
        adjustment=adjustment(recordings, outcomes),
    )
    return _table(steps, recordings, tracks)


def _outcomes(request: Request, row_of: Mapping[str, int]) -> list[tuple[int, bool]]:
    """Return the rows of the tracks that were heard, and whether each was skipped."""
    heard = dict.fromkeys((*request.heard, *request.skipped))
    for track_id in heard:
        if track_id not in row_of:
            raise InputError(f"There is no track {track_id!r} with tempo and energy. Search: recsys find WORDS")
    return [(row_of[track_id], track_id in request.skipped) for track_id in heard]


def _table(steps: Sequence[Step], recordings: Recordings, tracks: pl.DataFrame) -> pl.DataFrame:
    planned = pl.DataFrame(
        {
            "track_id": [recordings.ids[step.row] for step in steps],
            "start": [format_duration(step.start_s) for step in steps],
            "target_bpm": [step.tempo_bpm for step in steps],
            "target_energy": [step.energy for step in steps],
            "fade_at": [format_duration(float(recordings.length_s[step.row]) - step.fade_s) for step in steps],
            "fade_s": [step.fade_s for step in steps],
        },
        schema_overrides=dict.fromkeys(("track_id", "start", "fade_at"), pl.String)
        | dict.fromkeys(("target_bpm", "target_energy", "fade_s"), pl.Float64),
    )
    return planned.join(tracks, on="track_id", how="left", maintain_order="left").select(
        "start",
        "title",
        "artist_name",
        pl.col("tempo_bpm", "target_bpm").round(0),
        pl.col("energy", "target_energy").round(2),
        pl.concat_str("key", "mode", separator=" ").alias("key"),
        "fade_at",
        pl.col("fade_s").round(1),
        "track_id",
    )
