"""What of a report is whose."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.matching.alignment import Calibration
from recsys.matching.cue_sheets import Cue, CueSheet
from recsys.matching.report import Found
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
def found(judges: Calibration) -> Found:
    """A mix that uses two recordings, the second one of two labels."""
    uses = [Use(audio_id, at, at + 9, 0, 9, 1.0, 0.99, True, 1, 0.9) for audio_id, at in (("a", 0), ("b", 10))]
    cues = [Cue(use, 0.0, np.empty(0, np.float32)) for use in uses]
    return Found([CueSheet(Path("/somewhere/mix.mp3"), 20.0, cues)], OWNERS, judges)


def test_a_holder_sees_their_own_uses_only(found: Found) -> None:
    """Neither another's recording, nor another's name on a recording that both have."""
    own = found.of_tracks(["t1", "t3"])

    assert own.table["track_id"].to_list() == ["t1", "t3"]
    assert {"Lodestar", "Bea"}.isdisjoint(own.owners["label_name"].to_list() + own.owners["artist_name"].to_list())
    assert "Lodestar" not in own.as_json()


def test_a_holder_of_nothing_sees_nothing(found: Found) -> None:
    """The file is named, and no use of it."""
    nothing = found.of_tracks([])

    assert nothing.table.is_empty()
    assert len(nothing.sheets) == 1


def test_a_dropped_file_is_called_by_its_name(found: Found) -> None:
    """No report tells where it lay."""
    told = json.loads(found.by_name().as_json())

    assert [file["file"] for file in told["files"]] == ["mix.mp3"]
    assert len(told["files"][0]["uses"]) == 3
