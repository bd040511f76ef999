"""What the page of similar tunes shows of a result, as rows and sentences (see `recsys.matching.tunes.same`)."""

from typing import TYPE_CHECKING

import polars as pl

from dashboards import data
from recsys.matching.tunes.significance import LEAST_EXPECTED
from recsys.reports.wording import without_controls

if TYPE_CHECKING:
    from recsys.matching.tunes.find import Answer, SimilarTunes
    from recsys.matching.tunes.recordings import SimilarRecording
    from recsys.matching.tunes.same import SameTune
    from recsys.reports.tunes.notation import Notation
    from recsys.reports.tunes.page import Detail

WIDEST = 900.0  # of the drawn contours [px]
N_REASONS = 50  # shown at most
PASSES_NONE = "none"
N_PLAYED = 3  # recordings of a tune with players


def names(found: "SameTune") -> dict[str, str]:
    """Return the names of the tunes of the file that were compared, by their number."""
    in_notes = [] if found.notes is None else [answer.name for answer in found.notes.answers]
    in_sound = [] if found.recordings is None else list(found.recordings.answers)
    return {str(no): name for no, name in enumerate(dict.fromkeys(in_notes + in_sound), start=1)}


def sentence(reason: str) -> str:
    """Return a reason as a sentence."""
    return f"{without_controls(reason).rstrip('. ')}."


def note_rows(found: "SimilarTunes", answer: "Answer") -> pl.DataFrame:
    """Return the tunes in notes that resemble one of the file, the most similar first: one row each."""
    n = found.n_compared
    return pl.DataFrame(
        [
            {
                "tune": without_controls(match.name),
                "similar_share": match.resemblance.score,
                "melody_share": match.resemblance.pitch,
                "rhythm_share": match.resemblance.rhythm,
                "harmony_share": match.agreement.harmony_share,
                "figure_share": match.resemblance.figures,
                "transposition_semitones": match.agreement.transposition,
                "expected_strangers": max(match.resemblance.expected, LEAST_EXPECTED),
                "operating_point": match.point or PASSES_NONE,
                "n_phrase_notes": match.agreement.phrase[1] - match.agreement.phrase[0],
                "n_tunes_with_phrase": match.agreement.phrase_in,
                "phrase_share": match.agreement.phrase_in / n,
            }
            for match in answer.matches
        ],
        schema_overrides=dict.fromkeys(("harmony_share", "figure_share"), pl.Float64),
    )


def recording_rows(answers: "tuple[SimilarRecording, ...]") -> pl.DataFrame:
    """Return the recordings that resemble one tune of the file, the most similar first: one row each, with ids."""
    tracks = {row["name"]: row for row in data.recordings_with_tunes().iter_rows(named=True)}
    return pl.DataFrame(
        [
            {
                "title": tracks[it.name]["title"] or tracks[it.name]["track_id"],
                "artist_name": tracks[it.name]["artist_name"],
                "sound_share": it.match.score,
                "transposition_semitones": it.match.transposition,
                "tempo_of_file": it.match.tempo_ratio,
                "file_starts_s": it.match.starts_s,
                "file_ends_s": it.match.ends_s,
                "recording_starts_s": it.match.other_starts_s,
                "recording_ends_s": it.match.other_ends_s,
                "expected_strangers": max(it.match.expected, LEAST_EXPECTED),
                "operating_point": it.point or PASSES_NONE,
                "track_id": tracks[it.name]["track_id"],
            }
            for it in answers
        ],
        schema_overrides={"artist_name": pl.String},
    )


def details(found: "SimilarTunes", answer: "Answer") -> "dict[str, Detail]":
    """Return what is drawn and said of the first tune and of those that pass an operating point, by their number."""
    from recsys.reports.tunes.page import details_of  # noqa: PLC0415 - not needed before a file is dropped

    return {str(no): detail for no, detail in enumerate(details_of(answer, found.n_compared, WIDEST), start=1)}


def contours(detail: "Detail") -> str:
    """Return both contours as a picture."""
    from recsys.reports.tunes.page import picture_of_contours  # noqa: PLC0415

    return picture_of_contours(detail)


def staff(detail: "Detail") -> str:
    """Return the longest common phrase on a staff as a picture; '' without one."""
    from recsys.reports.tunes.page import picture_of_phrase  # noqa: PLC0415

    return picture_of_phrase(detail.phrase) if detail.phrase else ""


def span_rows(detail: "Detail") -> pl.DataFrame:
    """Return the spans that agree: of the file, of the other tune, number of notes that agree."""
    schema = {"file_span": pl.String, "other_span": pl.String, "n_agreeing_notes": pl.String}
    rows = [(own, others, f"{n_notes:,}") for own, others, n_notes in detail.spans]
    return pl.DataFrame(rows, schema=schema, orient="row")


def reasons(found: "SameTune") -> list[str]:
    """Return sentences on which tunes and recordings are not compared, and why."""
    all_of = dict[str, str]()
    if found.notes is not None:
        all_of |= found.notes.refused | found.notes.left_out
    if found.recordings is not None:
        all_of |= found.recordings.left_out
    shown = [f"{without_controls(name)}: {sentence(reason)}" for name, reason in list(all_of.items())[:N_REASONS]]
    left = len(all_of) - len(shown)
    return [*shown, f"{left:,} more, which the report lists."] if left else shown


def name_of(detail: "Detail") -> str:
    """Return the name of a tune as its row has it."""
    return without_controls(detail.match.name)


def staff_note(phrase: "Notation") -> str:
    """Say what the staff does not show of a phrase."""
    octaves, direction = abs(phrase.octaves), "higher" if phrase.octaves > 0 else "lower"
    moved = f"It sounds {octaves} {'octave' if octaves == 1 else 'octaves'} {direction} than drawn. " if octaves else ""
    return moved + (f"{phrase.n_left_out} more notes are not drawn; the ABC has them." if phrase.n_left_out else "")


def seconds_of(answer: "Answer", detail: "Detail") -> tuple[float, float]:
    """Return where the longest span of a recording begins and ends [s]."""
    span = max(detail.match.agreement.spans, key=lambda span: span.n_notes)
    first, last = span.notes
    return float(answer.melody.onset[first]), float(answer.melody.onset[last - 1] + answer.melody.duration[last - 1])


def sure_recordings(answers: "tuple[SimilarRecording, ...]") -> "list[SimilarRecording]":
    """Return the recordings with players: those that pass an operating point, or else the first."""
    return ([it for it in answers if it.point] or list(answers[:1]))[:N_PLAYED]
