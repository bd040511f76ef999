"""A matching report, restricted to the tracks of one rights holder."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.matching.alignment import Calibration
from recsys.matching.cue_sheets import Cue, CueSheet
from recsys.matching.report import MatchReport
from recsys.matching.uses import Use

OWNERS = pl.DataFrame(
    {
        "audio_id": ["a", "b", "b"],
        "track_id": ["t1", "t2", "t3"],
        "title": ["One", "Two", "Two again"],
        "artist_name": ["Ann", "Bea", "Cid"],
        "label_name": ["Small Hours", "Lodestar", "Small Hours"],
        "isrc": None,
    }
)


@pytest.fixture
def report(calibration: Calibration) -> MatchReport:
    """A mix that uses two recordings, of which two labels own the second."""
    uses = [Use(audio_id, start, start + 9, 0, 9, 1.0, 0.99, True, 1, 0.9) for audio_id, start in (("a", 0), ("b", 10))]
    cues = [Cue(use, 0.0, np.empty(0, np.float32)) for use in uses]
    return MatchReport([CueSheet(Path("/somewhere/mix.mp3"), 20.0, cues)], OWNERS, calibration)


def test_a_holder_sees_their_own_uses_only(report: MatchReport) -> None:
    """The restricted report shows no recording of another label, and no other owner of a shared recording."""
    own = report.restricted_to(["t1", "t3"])

    assert own.table["track_id"].to_list() == ["t1", "t3"]
    assert {"Lodestar", "Bea"}.isdisjoint(own.owners["label_name"].to_list() + own.owners["artist_name"].to_list())
    assert "Lodestar" not in own.as_json()


def test_a_holder_without_tracks_sees_no_uses(report: MatchReport) -> None:
    """A report without a use of the tracks names the files, and has no rows."""
    nothing = report.restricted_to([])

    assert nothing.table.is_empty()
    assert len(nothing.sheets) == 1


def test_an_uploaded_file_is_reported_by_its_name(report: MatchReport) -> None:
    """The report contains the name of an uploaded file, but not its folder."""
    stored = json.loads(report.with_file_names_only().as_json())

    assert [file["file"] for file in stored["files"]] == ["mix.mp3"]
    assert len(stored["files"][0]["uses"]) == 3
