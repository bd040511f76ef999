"""
Identifiers of recordings, works and contributors: their normal form, and whether they can be right.

A wrong code is a warning, never a reason to refuse a row: the recording exists all the same. A code with a wrong check
digit is a typing error, which points at nothing or at somebody else: ingest counts it, and the value becomes unknown.
Claims to rights are kept as they were made: there only the form is required (`formed_...`), and the warehouse warns.

Source:
    ISO 3901 (ISRC); ISO 15707 (ISWC); ISO 27729 and ISO 7064 (ISNI, MOD 11-2); CISAC, IPI System (name numbers).
"""

import re

_SPACING = re.compile(r"[\s.:\-\u2010\u2013]")
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_ISWC = re.compile(r"T([0-9]{9})([0-9])")
_IPI = re.compile(r"([0-9]{9})([0-9]{2})")
_IPI_BASE = re.compile(r"I([0-9]{9})([0-9])")
_ISNI = re.compile(r"([0-9]{15})([0-9X])")
_ISNI_ADDRESS = re.compile(r"https?://(www\.)?isni\.org/(isni/)?")


def normal_isrc(text: str | None) -> str | None:
    """
    Return an ISRC in upper case without hyphens; None if the text is not an ISRC, which has no check digit.

    >>> normal_isrc("us-rc1-76-07839"), normal_isrc("0000"), normal_isrc(None)
    ('USRC17607839', None, None)
    """
    code = _compact(text or "").removeprefix("ISRC")
    return code if _ISRC.fullmatch(code) else None


def normal_iswc(text: str) -> str | None:
    """
    Return an ISWC (musical work) without dots and hyphens; None if the text is none, or the check digit is wrong.

    >>> normal_iswc("T-034.524.680-1"), normal_iswc("T-034.524.680-2")
    ('T0345246801', None)
    """
    found = _ISWC.fullmatch(_compact(text).removeprefix("ISWC"))
    if not found:
        return None
    total = 1 + sum(weight * int(digit) for weight, digit in enumerate(found[1], start=1))
    return found[0] if (10 - total % 10) % 10 == int(found[2]) else None


def normal_ipi(text: str) -> str | None:
    """
    Return an IPI name number (writer or publisher) with its leading zeros; None if a text is none, or a digit is wrong.

    >>> normal_ipi("00014107338"), normal_ipi("14107338"), normal_ipi("00014107339")
    ('00014107338', '00014107338', None)
    """
    found = _IPI.fullmatch(_compact(text).removeprefix("IPI").zfill(11))
    if not found or not int(found[0]):
        return None
    total = sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), found[1], strict=True))
    return found[0] if (101 - total % 101) % 101 % 100 == int(found[2]) else None


def formed_iswc(text: str) -> str | None:
    """
    Return an ISWC without dots and hyphens, whatever its check digit; None if the text is none.

    >>> formed_iswc("T-034.524.680-2"), formed_iswc("T-034.524.680")
    ('T0345246802', None)
    """
    return _formed(_ISWC, _compact(text).removeprefix("ISWC"))


def formed_ipi(text: str) -> str | None:
    """
    Return an IPI name number with its leading zeros, whatever its check digits; None if the text is none.

    >>> formed_ipi("14107339"), formed_ipi("I41073")
    ('00014107339', None)
    """
    return _formed(_IPI, _compact(text).removeprefix("IPI").zfill(11))


def formed_ipi_base(text: str) -> str | None:
    """
    Return an IPI base number (a person or company, under all names) without hyphens; None if the text is none.

    >>> formed_ipi_base("I-000000229-7"), formed_ipi_base("229-7")
    ('I0000002297', None)
    """
    return _formed(_IPI_BASE, _compact(text))


def _formed(form: re.Pattern[str], code: str) -> str | None:
    return code if form.fullmatch(code) and set(code) - set("TI0") else None


def normal_isni(text: str) -> str | None:
    """
    Return an ISNI (public identity of a contributor) without blanks; None if a text is none, or a digit is wrong.

    A text may also be its address at isni.org.

    >>> normal_isni("0000 0001 2103 2683"), normal_isni("0000 0001 2103 2684")
    ('0000000121032683', None)
    """
    found = _ISNI.fullmatch(_compact(_ISNI_ADDRESS.sub("", text)).removeprefix("ISNI"))
    if not found or not int(found[1]):
        return None
    total = 0
    for digit in found[1]:
        total = (total + int(digit)) * 2
    return found[0] if "0123456789X"[(12 - total % 11) % 11] == found[2] else None


def _compact(text: str) -> str:
    return _SPACING.sub("", text).upper()
