"""Printed output of `recsys same-tune`."""

from typing import TYPE_CHECKING

import polars as pl

from recsys.cli.show.tables import frame, note, out
from recsys.matching.tunes.significance import expected_text
from recsys.reports.wording import format_duration, without_controls

if TYPE_CHECKING:
    from recsys.matching.tunes.agreement import Agreement, Span
    from recsys.matching.tunes.find import Answer, Match, SimilarTunes
    from recsys.matching.tunes.recordings import SimilarRecording, SimilarRecordings
    from recsys.matching.tunes.same import SameTune

COLUMNS = ("tune", "similar", "melody", "rhythm", "chords", "key", "values", "chance", "passes")  # 80 columns wide
RECORDING_COLUMNS = ("recording", "similar", "key", "tempo", "here", "there", "chance", "passes")
MAX_SHOWN = 16  # notes of a phrase


def same_tune(found: "SameTune") -> None:
    """Print what was found in notes and in sound, and why a part was not compared."""
    if found.notes is not None:
        similar(found.notes)
    if found.recordings is not None:
        recordings(found.recordings)
    for part, answer in (("notes", found.notes), ("recordings", found.recordings)):
        if answer is None:
            note.print(without_controls(f"{part.capitalize()}: {found.reasons[part]}"), soft_wrap=True)


def similar(found: "SimilarTunes") -> None:
    """Print the similar tunes of each melody, and where and how the first and all unusual ones agree."""
    for answer in found.answers:
        out.print(
            f"{without_controls(answer.name)}: most similar of {found.n_compared:,} tunes in notes", soft_wrap=True
        )
        frame(
            pl.DataFrame(
                [_row(match, is_take=answer.melody.is_take) for match in answer.matches],
                schema=_columns(answer),
                orient="row",
            )
        )
        for match in answer.matches:
            if match.point or match.doubt or match is answer.matches[0]:
                out.print(_where(answer, match, found.n_compared), soft_wrap=True)
        if not any(match.point for match in answer.matches):
            out.print(found.no_point, soft_wrap=True)
    _refused("Not compared", found.refused)
    _refused("Left out of the collection", found.left_out)


def recordings(found: "SimilarRecordings") -> None:
    """Print the recordings with similar tunes of each tune, and where both agree."""
    for name, answers in found.answers.items():
        out.print(f"{without_controls(name)}: most similar of {found.n_compared:,} recordings", soft_wrap=True)
        rows = [_recording(answer) for answer in answers]
        frame(pl.DataFrame(rows, schema=list(RECORDING_COLUMNS), orient="row"))
        if not any(answer.point for answer in answers):
            out.print("None is more similar than strangers are in one search of a hundred.", soft_wrap=True)
    _refused("Not compared", found.left_out)


def _recording(answer: "SimilarRecording") -> tuple[object, ...]:
    match = answer.match
    return (
        without_controls(answer.name),
        round(100 * match.score),
        f"{match.transposition:+d}",
        f"{match.tempo_ratio:.0%}",
        f"{format_duration(match.starts_s)}-{format_duration(match.ends_s)}",
        f"{format_duration(match.other_starts_s)}-{format_duration(match.other_ends_s)}",
        expected_text(match.expected),
        answer.point or "-",
    )


def _columns(answer: "Answer") -> list[str]:
    """Return the names of the columns; of a take, quarter notes per minute take the place of note values."""
    return ["per min" if name == "values" and answer.melody.is_take else name for name in COLUMNS]


def _row(match: "Match", *, is_take: bool) -> tuple[object, ...]:
    by, how = match.resemblance, match.agreement
    return (
        without_controls(match.name),
        *(round(100 * share) for share in (by.score, by.pitch, by.rhythm)),
        None if how.harmony_share is None else round(100 * how.harmony_share),
        f"{how.transposition:+d}",
        f"{60 * how.tempo_ratio:.0f}" if is_take else f"x {how.tempo_ratio:.2g}",
        expected_text(by.expected),
        match.point or "-",
    )


def _where(answer: "Answer", match: "Match", n_compared: int) -> str:
    how = match.agreement
    n_notes = how.phrase[1] - how.phrase[0]
    spans = "; ".join(_span(span, answer.melody.measure) for span in how.spans) or "no span of several notes"
    notes = match.phrase.split()
    shown = " ".join(notes[:MAX_SHOWN]) + (" ..." if len(notes) > MAX_SHOWN else "")
    found = f"Longest common phrase, {n_notes} notes, in {how.phrase_in:,} of {n_compared:,} tunes: {shown}"
    where = f"{without_controls(match.name)}: {spans}. {_rhythm(how)} {found if n_notes > 1 else 'No common phrase.'}"
    return f"{where} {match.doubt}".rstrip()


def _rhythm(how: "Agreement") -> str:
    return f"{how.aligned_share:.0%} of the notes agree, {how.rhythm_share:.0%} of these in rhythm."


def _span(span: "Span", measure: str) -> str:
    return f"{measure}s {span.first_bar}-{span.last_bar} as bars {span.other_first_bar}-{span.other_last_bar}"


def _refused(title: str, reasons: dict[str, str]) -> None:
    for name, reason in list(reasons.items())[:10]:
        note.print(f"{title}: {without_controls(name)}: {without_controls(reason)}", soft_wrap=True)
    if len(reasons) > 10:
        note.print(f"{title}: {len(reasons) - 10:,} more; --report lists all")
