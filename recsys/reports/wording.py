"""Texts and formatting of values for people."""

import re
import unicodedata
from datetime import date

# Control characters, which act on a terminal, and those that reverse the direction of the text after them. Halves of
# surrogate pairs are not text; some of them stand for the bytes of file names that are not UTF-8.
_CONTROLS = dict.fromkeys(
    (
        *range(9),
        *range(11, 32),
        *range(127, 160),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
        *range(0xD800, 0xE000),
    ),
    "\ufffd",
) | {0xDC00 + byte: f"\\x{byte:02x}" for byte in range(0x80, 0x100)}

TOO_FEW = "too few"  # of listeners, in place of a figure of a label
N_NAME = 80  # of the name of a file, without its date [characters]

# Kinds of issues of marts.catalogue_health.
ISSUE_KINDS = {
    "missing": "missing values",
    "improbable": "improbable values",
    "conflicting": "conflicting values",
    "duplicate": "possible duplicates",
    "sound": "faults of the sound",
}

# Problem code in marts.catalogue_health -> what pages and reports call it.
ISSUES = {
    "unknown_track": "Played, but not in the catalogue",
    "unknown_artist": "Artist without an entry in the artists file",
    "unknown_label": "Label without an entry in the labels file",
    "no_label": "No label",
    "no_release_date": "No release date",
    "heard_before_release": "Played before the release date",
    "no_duration": "No length",
    "odd_release_date": "Release date before 1890 or over a year ahead",
    "odd_duration": "Shorter than 10 s or longer than an hour",
    "odd_length_of_file": "Length differs from that of the file",
    "odd_tempo": "Tempo below 30 or above 300",
    "no_isrc": "No ISRC",
    "odd_isrc": "Malformed ISRC",
    "odd_isrc_year": "ISRC of a later year than the release",
    "shared_isrc": "ISRC shared with another recording",
    "same_recording": "Same artist, title and length as another recording",
    "no_genre": "No genre",
    "no_language": "No language",
    "no_explicit": "Unknown whether explicit",
    "consent_unknown": "Unknown consent to training",
    "sources_differ": "Sources that state different values",
    "copies_differ_in_language": "Copies of a recording in different languages",
    "copies_differ_in_explicit": "Copies of a recording of which one is explicit",
    "copies_differ_in_consent": "Copies of a recording with different consent",
    "lyrics_differ_in_language": "Lyrics in another language than stated",
    "lyrics_differ_in_explicit": "Lyrics that contradict the explicit flag",
    "clipped": "Sound: clipped peaks",
    "mono_incompatible": "Sound: channels cancel each other in mono",
    "silent_ends": "Sound: long silence at the start or end",
    "upsampled": "Sound: raised from a lower sampling rate",
    "lossy_origin": "Sound: a lossless file, probably made from MP3 or AAC (listen)",
    "off_level": "Sound: much louder or quieter than the artist's other recordings",
}

# Why a row or a file was refused: reason code in the quarantine -> what pages and reports call it.
REFUSALS = {
    "missing_value": "a required value is missing",
    "too_long": "longer than allowed",
    "date_order": "the order of day and month is not stated",
    "named_zone": "a time in a named time zone",
    "bad_type": "not of its column's type",
    "out_of_range": "out of its column's range",
    "in_future": "in the future",
    "ends_before_start": "a term that ends before it starts",
    "not_allowed": "not one of the allowed values",
    "wrong_code": "a code with wrong check digits",
    "other_encoder": "a vector of another encoder",
    "other_length": "a vector of another length",
    "malformed_row": "a line that cannot be parsed",
    "conflicting_row": "in conflict with an earlier row",
    "batch_refused": "valid, in a file with too many refused rows",
    "unreadable_file": "a file that cannot be read",
    "no_file": "no file that can be opened",
    "empty": "an empty file",
    "no_audio": "a file without sound",
    "not_decodable": "sound that cannot be decoded",
    "timeout": "took too long to analyse",
    "crash": "the decoder crashed",
    "out_of_memory": "needs too much memory",
}


def without_controls(text: str) -> str:
    r"""
    Replace invisible characters that would change how the text after a title or name is shown.

    >>> without_controls("Love\x1b[2J \u202egnos")
    'Love\ufffd[2J \ufffdgnos'
    >>> without_controls("caf\udce9.mp3")
    'caf\\xe9.mp3'
    """
    return text.translate(_CONTROLS)


def under_listeners(least: int | None) -> str:
    """Say in place of a figure that the ledger of labels has none; `least`: listeners that a line needs."""
    return "too few listeners" if least is None else f"under {least} listeners"


def ledger_note(least: int | None) -> str:
    """Say what the figures that a label sees include; `least`: listeners that a line of the ledger needs."""
    return (
        "Figures are of closed periods, and exact unless a note says otherwise. What had "
        f"{under_listeners(least)} is in “all others”; where it would have a figure, it says “{TOO_FEW}”."
    )


def format_duration(seconds: float) -> str:
    """
    Format a duration or position as minutes and seconds, or as hours, minutes and seconds if at least an hour long.

    >>> format_duration(5.25), format_duration(125.7), format_duration(36_000)
    ('0:05.2', '2:05.7', '10:00:00')
    """
    whole, tenths = divmod(round(seconds * 10), 10)
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d}.{tenths}"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def format_number(value: float | None, unit: str = "") -> str:
    """Format a number: 57,342, 1.24 M, 4.1 % for a share with the unit '%', and - for None."""
    if value is None:
        return "-"
    if unit == "%":
        return f"{value:.1%}"
    if abs(value) >= 1e6:
        return f"{value / 1e6:,.2f} M {unit}".rstrip()
    text = f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1_000 else f"{value:.3g}"
    return f"{text} {unit}".rstrip()


def format_day(day: date) -> str:
    """Format a date: 30 June 2026."""
    return f"{day.day} {day:%B %Y}"


def file_stem(name: str, last_day: date) -> str:
    """
    Return the name of a file for people, without its suffix: letters and digits of a name, and the last day of data.

    >>> file_stem("AC/DC: ../Zoë", date(2026, 6, 30)), file_stem("???", date(2026, 6, 30))
    ('AC-DC-Zoë-2026-06-30', 'report-2026-06-30')
    """
    words = re.findall(r"\w+", unicodedata.normalize("NFC", name))
    return f"{'-'.join(words)[:N_NAME].strip('-') or 'report'}-{last_day}"
