"""Matching in the nightly run: earlier uploads are searched for recordings that come later, and for nothing else."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, RATE_HZ, Fingerprinter
from recsys.columns import schema
from recsys.library.files import Recording
from recsys.library.settings import AudioSettings
from recsys.matching.alignment import Calibration
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.matching.history import MATCH_CANDIDATES_COLUMNS, MATCH_CHECKS_COLUMNS, MatchHistory
from recsys.matching.nightly import extend_history
from recsys.matching.settings import MatchingSettings
from recsys.synth.render import write_audio

from .conftest import index_of, piece, walk

FIRST, SECOND = date(2026, 7, 1), date(2026, 7, 2)
NEW = walk(100, 60)


def searched(*sources: tuple[str, str]) -> pl.DataFrame:
    """Checks of the first day: kind and id of each source."""
    rows = [
        {"source_kind": kind, "source_file": f"{name}.mp3", "source_audio_id": name, "n_uses": 0, "checked_on": FIRST}
        for kind, name in sources
    ]
    return pl.DataFrame(rows, schema=schema(MATCH_CHECKS_COLUMNS))


def candidates(*pairs: tuple[str, str]) -> pl.DataFrame:
    """Uses of recordings in uploads, found on the first day."""
    rows = [
        {"source_kind": "upload", "source_audio_id": upload, "audio_id": used, "found_on": FIRST}
        for upload, used in pairs
    ]
    return pl.DataFrame(rows, schema=schema(MATCH_CANDIDATES_COLUMNS))


def uploaded(name: str, path: Path = Path("nowhere")) -> Recording:
    """An upload of this id."""
    return Recording(name, path, f"{name}.mp3", name, 1)


def history_of(tracks: dict[str, np.ndarray], found: pl.DataFrame) -> MatchHistory:
    """The history of a run that searched all tracks, a mix with 20 s of a recording after 15 s, and a stranger."""
    mix = np.concatenate([walk(101, 15), piece(NEW, 10, 20, noise=0.3), walk(102, 15)])
    fingerprints = index_of({"mix": mix, "stranger": walk(103, 50)})
    checks = searched(*(("catalogue", name) for name in tracks), ("upload", "mix"), ("upload", "stranger"))
    return MatchHistory(found, checks, fingerprints)


def next_run(
    index: FingerprintIndex, uploads: list[Recording], last: MatchHistory, calibration: Calibration
) -> MatchHistory:
    """Search what is new on the second day."""
    settings = (AudioSettings(workers=1), MatchingSettings())
    return extend_history(index, uploads, last, *settings, calibration=calibration, found_on=SECOND)


def test_a_recording_that_comes_later_is_found_in_an_earlier_upload(
    tracks: dict[str, np.ndarray], calibration: Calibration
) -> None:
    """The use has its place in the upload and in the recording; the stranger uses nothing."""
    last = history_of(tracks, candidates())

    after = next_run(index_of(tracks | {"new": NEW}), [uploaded("mix"), uploaded("stranger")], last, calibration)

    (use,) = after.candidates.iter_rows(named=True)
    assert (use["source_kind"], use["source_file"], use["audio_id"], use["found_on"]) == (
        *("upload", "mix.mp3", "new"),
        SECOND,
    )
    assert [use[name] for name in ("starts_s", "ends_s", "reference_starts_s", "reference_ends_s")] == pytest.approx(
        [15, 35, 10, 30], abs=1.5
    )
    assert after.checks.filter(checked_on=SECOND)["source_audio_id"].to_list() == ["new"]
    assert after.checks.filter(pl.col("n_uses") > 0).select("source_audio_id", "n_uses").rows() == [("mix", 1)]
    assert after.fingerprints is not None
    assert after.fingerprints.ids == ["mix", "stranger"]


def test_a_use_is_reported_once(tracks: dict[str, np.ndarray], calibration: Calibration) -> None:
    """A recording that waited for its turn, and that the upload was searched for, is not reported again."""
    last = history_of(tracks, candidates(("mix", "new")))

    after = next_run(index_of(tracks | {"new": NEW}), [uploaded("mix"), uploaded("stranger")], last, calibration)

    assert after.candidates.equals(last.candidates)


def test_an_upload_that_was_removed_is_not_searched_again(
    tracks: dict[str, np.ndarray], calibration: Calibration
) -> None:
    """Its fingerprint is removed with it."""
    last = history_of(tracks, candidates())

    after = next_run(index_of(tracks | {"new": NEW}), [uploaded("stranger")], last, calibration)

    assert after.candidates.is_empty()
    assert after.fingerprints is not None
    assert after.fingerprints.ids == ["stranger"]


def test_missing_fingerprints_of_earlier_uploads_are_made(
    song: np.ndarray, network: Fingerprinter, calibration: Calibration, tmp_path: Path
) -> None:
    """A home whose runs kept no fingerprints searches its uploads again; what could not be decoded stays out."""
    write_audio(tmp_path / "old.flac", np.stack([song, song]), RATE_HZ)
    vectors = network.recording_vectors(song, RATE_HZ)[::INDEX_STEP]
    index = FingerprintIndex.build(["song"], [vectors], version=network.version)
    checks = searched(("upload", "old"), ("upload", "broken"))
    failure = pl.when(pl.col("source_audio_id") == "broken").then(pl.lit("not_decodable"))
    last = MatchHistory(candidates(), checks.with_columns(failure=failure))
    uploads = [uploaded("old", tmp_path / "old.flac"), uploaded("broken", tmp_path / "nowhere")]

    after = next_run(index, uploads, last, calibration)

    assert after.candidates.select("source_audio_id", "audio_id").rows() == [("old", "song")]
    assert after.fingerprints is not None
    assert after.fingerprints.ids == ["old"]
