"""Metadata that the sound contradicts is proposed to a person, one finding per recording and kind."""

import polars as pl
import pytest

from recsys.cleaning.doubts import DOUBT_KINDS, DOUBTS, doubted, wrong_genres, wrong_languages, wrong_tempos
from recsys.cleaning.duplicates import Decisions
from recsys.cleaning.findings import of_one_recording
from recsys.cli import review
from recsys.columns import schema
from recsys.lake.contract import FINDING_KINDS
from recsys.tags.doubts import DOUBTS_COLUMNS

from .conftest import tracks

TEMPOS = {
    "track_id": pl.String,
    "source": pl.String,
    "stated_bpm": pl.Float64,
    "measured_bpm": pl.Float64,
    "confidence": pl.Float64,
}
SUNG = "delivered as without lyrics, the sound has a voice"
NOT_SUNG = "delivered with the language en, the sound has no voice"
VOICES = {"track_id": pl.String, "language": pl.String} | dict.fromkeys(
    ("with_voice", "without_voice", "p_with_voice", "p_without_voice"), pl.Float64
)


def genre_doubts(*track_ids: str) -> pl.DataFrame:
    """Return recordings whose genre was rock at the last training, which a head took for jazz."""
    rows = [(track_id, "rock", "jazz", 0.9, 0.05) for track_id in track_ids]
    return pl.DataFrame(rows, schema(DOUBTS_COLUMNS), orient="row")


def voice(language: str, *heard: float | None) -> pl.DataFrame:
    """Return one recording: confidences with and without a voice, then probabilities."""
    return pl.DataFrame([("t1", language, *heard)], VOICES, orient="row")


def test_a_doubted_genre() -> None:
    """With both probabilities; recordings that are not in the catalogue have no finding."""
    found = wrong_genres(tracks({"genre": "Rock"}), genre_doubts("t1", "gone"))

    assert found.rows() == [
        ("wrong_genre", "t1", "learned genres", "delivered as rock (0.05), probably jazz (0.90)", 0.9)
    ]


@pytest.mark.parametrize("genre", ["Jazz", "unknown", None])
def test_a_genre_that_was_corrected_at_its_source_is_doubted_no_more(genre: str | None) -> None:
    """Also while the doubts of the last training still name the old one."""
    assert wrong_genres(tracks({"genre": genre}), genre_doubts("t1")).is_empty()


def test_a_tempo_of_half_the_measured_one() -> None:
    """With both tempos, the source, and the confidence of the measured one as score."""
    tempos = pl.DataFrame([("t1", "theirs", 70.04, 140.0, 0.93)], TEMPOS, orient="row")

    assert wrong_tempos(tempos).rows() == [
        ("wrong_tempo", "t1", "measured tempo", "70.0 per minute by theirs, measured 140.0", 0.93)
    ]


@pytest.mark.parametrize(
    ("language", "heard", "found"),
    [
        ("zxx", (0.6, 0.05, None, None), ("tags", f"{SUNG} (0.92)", 0.9231)),
        ("zxx", (0.6, 0.151, None, None), None),  # 0.799 of the sum
        ("zxx", (0.6, 0.149, None, None), ("tags", f"{SUNG} (0.80)", 0.8011)),
        ("zxx", (0.19, 0.0, None, None), None),
        ("zxx", (0.0, 0.9, None, None), None),
        ("en", (0.02, 0.6, None, None), ("tags", f"{NOT_SUNG} (0.97)", 0.9677)),
        ("en", (0.6, 0.02, None, None), None),
        ("zxx", (0.0, 0.9, 0.8, None), ("learned tags", f"{SUNG} (0.80)", 0.8)),
        ("zxx", (0.9, 0.0, 0.1, 0.9), None),
        ("zxx", (0.9, 0.0, 0.49, None), None),
        ("zxx", (0.9, 0.0, 0.6, 0.7), None),
        ("en", (0.9, 0.0, None, 0.7), ("learned tags", f"{NOT_SUNG} (0.70)", 0.7)),
        ("en", (0.0, 0.0, None, None), None),
    ],
)  # fmt: skip
def test_a_language_that_the_sound_contradicts(
    language: str, heard: tuple[float | None, ...], found: tuple[str, str, float] | None
) -> None:
    """Only if it is clear; where a learned tag has a probability, the pretrained tags do not count."""
    expected = [] if found is None else [("wrong_language", "t1", *found)]

    assert wrong_languages(voice(language, *heard)).rows() == expected


@pytest.mark.parametrize("kind", DOUBT_KINDS)
def test_a_decision_ends_the_finding(kind: str) -> None:
    """A doubt is a finding that pairs the recording with itself; whoever decided on it is not asked again."""
    doubts = pl.DataFrame([(kind, "t1", "tags", "why", 0.9)], DOUBTS, orient="row")
    pair = frozenset({("t1", "t1")})

    found = {
        status: of_one_recording(doubts, decisions).rows()
        for status, decisions in {
            "proposed": Decisions(),
            "accepted": Decisions(accepted=pair),
            "rejected": Decisions(rejected=pair),
        }.items()
    }

    assert found == {status: [("t1", "t1", "tags", "", "why", 0.9, status)] for status in found}


def test_nothing_in_nothing_out() -> None:
    """A catalogue without sound has no doubts."""
    found = doubted(tracks(), genre_doubts(), pl.DataFrame(schema=TEMPOS), pl.DataFrame(schema=VOICES))

    assert found.is_empty()


def test_kinds_are_those_of_the_contract() -> None:
    """Of the command, and of the findings that a decision may be about."""
    assert review.KINDS == FINDING_KINDS
    assert set(DOUBT_KINDS) < set(FINDING_KINDS)
