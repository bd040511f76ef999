"""Wrong artists in demo worlds: re-uploads of a recording under another artist, found as a nightly run finds them."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl

from bench.cleaning.catalogue import SCHEMA

if TYPE_CHECKING:
    from recsys.demo.world import Truth


def wrong_artists_in(n_recordings: int, seed: int) -> tuple[int, int, int, int]:
    """
    Write the recordings of a demo world, match them with each other, and clean its catalogue.

    Returns:
        Number of planted pairs of one recording under two artists, how many of these were found, how many other pairs
        were reported, and the number of recordings that are in no planted pair.
    """
    from recsys.cleaning.doubts import DOUBTS
    from recsys.cleaning.findings import WRONG_ARTIST, find_all
    from recsys.demo.music import write_recordings
    from recsys.demo.world import World
    from recsys.demo.write import simulate

    world = World(seed=seed, scale=0.04, n_tracks_with_audio=n_recordings)
    simulated = simulate(world)
    with TemporaryDirectory() as folder:
        truths = write_recordings(world, simulated.catalogue.tracks.ids, simulated.sounds, Path(folder))
        audio, candidates = _matched(Path(folder))
    artists = simulated.catalogue.artist_table.select("artist_id", "artist_type", artist_name="name")
    tracks = simulated.catalogue.track_table.join(artists, on="artist_id", how="left").join(
        audio, on="track_id", how="left"
    )
    found, _ = find_all(tracks.select(*SCHEMA), candidates, NO_DECISIONS, pl.DataFrame(schema=DOUBTS))
    pairs = found.filter(kind=WRONG_ARTIST).select("track_id", "other_track_id")
    reported = {frozenset(pair) for pair in pairs.iter_rows()}
    artist_of = dict(tracks.select("track_id", "artist_id").iter_rows())
    planted, same = _planted_pairs(truths, artist_of, set(audio["track_id"]))
    n_innocent = audio.height - len({track_id for pair in same for track_id in pair})
    return len(planted), len(planted & reported), len(reported - same), n_innocent


NO_DECISIONS = pl.DataFrame(schema=dict.fromkeys(("kind", "track_id", "other_track_id", "decision"), pl.String))


def _matched(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Fingerprint the recordings of a folder; return track_id, audio_id and audio_ms, and the uses that are found."""
    from recsys.columns import schema
    from recsys.library.files import recordings
    from recsys.library.settings import AudioSettings
    from recsys.matching.catalogue_index import index_folder
    from recsys.matching.cue_sheets import shipped_calibration
    from recsys.matching.history import MATCH_CANDIDATES_COLUMNS, MATCH_CHECKS_COLUMNS, MatchHistory
    from recsys.matching.nightly import extend_history
    from recsys.matching.settings import MatchingSettings

    index = index_folder(folder, AudioSettings()).index
    empty = [pl.DataFrame(schema=schema(columns)) for columns in (MATCH_CANDIDATES_COLUMNS, MATCH_CHECKS_COLUMNS)]
    settings = MatchingSettings(recordings=len(index))
    history = extend_history(
        *(index, [], MatchHistory(empty[0], empty[1]), AudioSettings(), settings),
        calibration=shipped_calibration(),
        found_on=date(2026, 7, 1),
    )
    lengths = history.checks.select(
        audio_id="source_audio_id", audio_ms=(1_000 * pl.col("source_duration_s")).cast(pl.Int64)
    )
    named = pl.DataFrame(
        [(it.path.stem, it.audio_id) for it in recordings(folder)], ["track_id", "audio_id"], orient="row"
    )
    return named.join(lengths, on="audio_id"), history.candidates


def _planted_pairs(
    truths: Iterable["Truth"], artist_of: Mapping[str, str], analysed: set[str]
) -> tuple[set[frozenset[str]], set[frozenset[str]]]:
    """Return the planted pairs under two artists, and all pairs of tracks that have the same recording."""
    of = {truth.id: str(truth.details["of"]) for truth in truths if truth.kind == "reupload"}
    groups: dict[str, set[str]] = {}
    for copy, original in of.items():
        groups.setdefault(original, {original}).add(copy)
    same = {
        frozenset((one, other))
        for group in groups.values()
        for one in group & analysed
        for other in group & analysed
        if one != other
    }
    planted = {pair for pair in same if len({artist_of[track_id] for track_id in pair}) == 2}
    return planted, same
