"""Texts and formatting of values for people."""

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

# Problem code in marts.catalogue_health -> what pages and reports call it.
ISSUES = {
    "unknown_track": "Played, but not in the catalogue",
    "unknown_artist": "Artist without an entry in the artists file",
    "unknown_label": "Label without an entry in the labels file",
    "no_label": "No label",
    "no_release_date": "No release date",
    "heard_before_release": "Played before the release date",
    "no_duration": "No length",
    "odd_duration": "Shorter than 10 s or longer than an hour",
    "no_isrc": "No ISRC",
    "odd_isrc": "Malformed ISRC",
    "shared_isrc": "ISRC shared with another recording",
    "same_recording": "Same artist, title and length as another recording",
    "no_genre": "No genre",
    "consent_unknown": "Unknown consent to training",
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
        "Figures are exact unless a note says otherwise, and of closed periods; what had "
        f"{under_listeners(least)} is in “all others” (docs/labels.md, The ledger)."
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
