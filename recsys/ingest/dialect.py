"""What a person states about files whose content does not say it: encoding, order of dates, decimal comma, day."""

import codecs
from dataclasses import dataclass
from datetime import date

from recsys.errors import InputError
from recsys.ingest.instants import DateOrder


@dataclass(frozen=True)
class Dialect:
    """
    How to read the texts of files.

    Attributes:
        encoding: Name of the encoding of text files without a byte order mark; None is UTF-8.
        dates: Order of day and month in dates of digits that end with the year; None refuses them.
        has_decimal_comma: Whether a comma is the decimal point of numbers, in files with any delimiter.
        day: Day of what a file dates not at all, such as the saved tracks of a library; None refuses such files.
    """

    encoding: str | None = None
    dates: DateOrder | None = None
    has_decimal_comma: bool = False
    day: date | None = None

    def __post_init__(self) -> None:
        if self.encoding is not None and not _is_text_encoding(self.encoding):
            raise InputError(
                f"There is no text encoding {self.encoding!r}. Give a name that Python knows, such as "
                "windows-1252, iso-8859-15, cp850, mac_roman, shift_jis, gb18030 or utf-16-le"
            )


UTF_8 = Dialect()


def _is_text_encoding(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding  # noqa: SLF001 - the codecs module has no public name for it
    except (LookupError, ValueError):
        return False
