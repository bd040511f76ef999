"""The report of `recsys same-tune` as one HTML page: where and how melodies agree, and how much that says."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recsys import files
from recsys.matching.tunes.agreement import Agreement, Span
from recsys.matching.tunes.find import Answer, Match
from recsys.matching.tunes.melody import Melody
from recsys.matching.tunes.same import SameTune
from recsys.matching.tunes.significance import expected_text
from recsys.reports.html import macros, render
from recsys.reports.tunes.contours import LARGEST_WIDTH, Contours, contours
from recsys.reports.tunes.notation import Notation, notation
from recsys.reports.tunes.recordings import Section

LEAST_SAYING, COMMON_SHARE = 6, 0.01  # notes of a phrase; share of the tunes from which a phrase is common


@dataclass(frozen=True)
class Detail:
    """
    What the page shows of one tune beside its row in the table.

    Attributes:
        match: The tune.
        contours: Both contours.
        summary: The same in words.
        spans: The spans in words: of the query, of the other, aligned notes.
        rhythm, harmony: How they agree, in words.
        phrase: The longest common phrase as the other tune has it; None without one.
        phrase_place: Where it is, in words.
        worth: What it is worth as evidence.
    """

    match: Match
    contours: Contours
    summary: str
    spans: tuple[tuple[str, str, int], ...]
    rhythm: str
    harmony: str
    phrase: Notation | None
    phrase_place: str
    worth: str


def write_page(found: SameTune, path: Path, sounds: Sequence[Section] = ()) -> None:
    """
    Write the page.

    Args:
        found: What was found.
        path: The page.
        sounds: What `recordings.sections_of` returns for its recordings.
    """
    answers = () if found.notes is None else found.notes.answers
    n_compared = 0 if found.notes is None else found.notes.n_compared
    page = render(
        "tunes.html",
        found=found,
        sections=[(answer, details_of(answer, n_compared)) for answer in answers],
        sounds=sounds,
        expected_text=expected_text,
        is_any_unusual=lambda answer: any(match.point for match in answer.matches),
        is_any_passing=lambda answers: any(answer.point for answer in answers),
    )
    files.write_text(path, page)


def details_of(answer: Answer, n_compared: int, largest_width: float = LARGEST_WIDTH) -> list[Detail]:
    """Return what is shown of the tunes that pass an operating point, and of the first."""
    shown = [match for match in answer.matches if match.point or match is answer.matches[0]]
    return [_detail(answer, match, n_compared, largest_width) for match in shown]


def picture_of_contours(detail: Detail) -> str:
    """Return both contours as an SVG picture on white paper."""
    return str(macros("tune_drawings.html").contour_svg(detail.contours, detail.summary, "c", on_paper=True))


def picture_of_phrase(phrase: Notation) -> str:
    """Return the notes of a phrase as an SVG picture on white paper."""
    return str(macros("tune_drawings.html").staff_svg(phrase, "n", on_paper=True))


def _detail(answer: Answer, match: Match, n_compared: int, largest_width: float) -> Detail:
    how, n_notes = match.agreement, match.agreement.phrase[1] - match.agreement.phrase[0]
    spans = tuple(_span(span, answer.melody, match.melody) for span in how.spans)
    return Detail(
        match=match,
        contours=contours(answer.melody, match.melody, how, largest_width),
        summary=_summary(answer, match, spans),
        spans=spans,
        rhythm=_rhythm(how, is_take=answer.melody.is_take),
        harmony=_harmony(how),
        phrase=notation(match.melody, how.other_phrase) if n_notes > 1 else None,
        phrase_place=_phrase_place(answer.melody, match),
        worth=_worth(n_notes, how.phrase_in, n_compared),
    )


def _bars(melody: Melody, first: int, last: int) -> str:
    return f"{melody.measure} {first}" if first == last else f"{melody.measure}s {first} to {last}"


def _span(span: Span, query: Melody, other: Melody) -> tuple[str, str, int]:
    own = _bars(query, span.first_bar, span.last_bar)
    return own, _bars(other, span.other_first_bar, span.other_last_bar), span.n_notes


def _summary(answer: Answer, match: Match, spans: tuple[tuple[str, str, int], ...]) -> str:
    how = match.agreement
    agree = "; ".join(f"{own} as {others}" for own, others, _ in spans) or "no span of several notes"
    return (
        f"Contour of {answer.name} (solid blue) and of {match.name} (dashed orange, moved by {-how.transposition:+d} "
        f"semitones): {how.aligned_share:.0%} of the notes agree; {agree}."
    )


def _rhythm(how: Agreement, *, is_take: bool) -> str:
    if not how.partners:
        return "No note agrees, so nothing can be said about rhythm."
    if is_take:
        return (
            f"Of the notes that agree in pitch, {how.rhythm_share:.0%} agree in length at {60 * how.tempo_ratio:.0f} "
            "quarter notes of the other tune per minute."
        )
    return (
        f"Of the notes that agree in pitch, {how.rhythm_share:.0%} agree in length, where note values of the other "
        f"tune are x {how.tempo_ratio:.3g} those of the file."
    )


def _harmony(how: Agreement) -> str:
    if how.harmony_share is None:
        return "Not measured: one of the tunes has no chord symbols."
    return f"Of the notes that agree in pitch, {how.harmony_share:.0%} stand under the same chord, after transposition."


def _phrase_place(query: Melody, match: Match) -> str:
    n_notes = match.agreement.phrase[1] - match.agreement.phrase[0]
    if n_notes < 2:
        return "No two successive notes agree."
    own, others = _place(query, match.agreement.phrase), _place(match.melody, match.agreement.other_phrase)
    return f"{n_notes} notes without a difference in pitch: {own} of the file, {others} of the other tune, drawn here."


def _place(melody: Melody, notes: tuple[int, int]) -> str:
    first, last = melody.bar[[notes[0], notes[1] - 1]].tolist()
    return _bars(melody, first, last)


def _worth(n_notes: int, phrase_in: int, n_compared: int) -> str:
    """Say how common a phrase is, and what follows."""
    if n_notes < 2:
        return "Without a common phrase, the similarity is one of outline alone."
    if phrase_in <= 1:
        common = f"No other of the {n_compared:,} tunes has this phrase in any key."
    else:
        common = (
            f"{phrase_in:,} of the {n_compared:,} tunes ({phrase_in / n_compared:.1%}) have this phrase in some key."
        )
    if n_notes < LEAST_SAYING:
        return f"{common} It is short, and a short phrase is weak evidence."
    if phrase_in > 1 and phrase_in >= COMMON_SHARE * n_compared:
        return f"{common} It is common: a cliché is weak evidence."
    return f"{common} What many tunes share would be weak evidence; how common it is elsewhere is not known."
