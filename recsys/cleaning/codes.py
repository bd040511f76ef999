"""
Identifiers of recordings, works and contributors: their normal form, and whether they can be right.

A wrong code is a warning, never a reason to refuse a row: the recording exists all the same. A code with a wrong check
digit is a typing error.

Source:
    ISO 3901 (ISRC); ISO 15707 (ISWC); ISO 27729 and ISO 7064 (ISNI, MOD 11-2); CISAC, IPI System (name numbers).
"""

import re

_SPACING = re.compile(r"[\s.\-\u2010\u2013]")
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_ISWC = re.compile(r"T([0-9]{9})([0-9])")
_IPI = re.compile(r"([0-9]{9})([0-9]{2})")
_ISNI = re.compile(r"([0-9]{15})([0-9X])")


def normal_isrc(text: str | None) -> str | None:
    """
    Return an ISRC in upper case without hyphens; None if the text is not an ISRC, which has no check digit.

    >>> normal_isrc("us-rc1-76-07839"), normal_isrc("0000"), normal_isrc(None)
    ('USRC17607839', None, None)
    """
    code = _compact(text or "").removeprefix("ISRC")
    return code if _ISRC.fullmatch(code) else None


def is_iswc(text: str) -> bool:
    """
    Return whether a text is an ISWC (musical work) with the right check digit.

    >>> is_iswc("T-034.524.680-1"), is_iswc("T-034.524.680-2")
    (True, False)
    """
    found = _ISWC.fullmatch(_compact(text))
    if not found:
        return False
    total = 1 + sum(weight * int(digit) for weight, digit in enumerate(found[1], start=1))
    return (10 - total % 10) % 10 == int(found[2])


def is_ipi(text: str) -> bool:
    """
    Return whether a text is an IPI name number (writer or publisher), up to 11 digits, with the right check digits.

    >>> is_ipi("00014107338"), is_ipi("14107338"), is_ipi("00014107339")
    (True, True, False)
    """
    found = _IPI.fullmatch(_compact(text).zfill(11))
    if not found or not int(found[0]):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), found[1], strict=True))
    return (101 - total % 101) % 101 % 100 == int(found[2])


def is_isni(text: str) -> bool:
    """
    Return whether a text is an ISNI (public identity of a contributor) with the right check character.

    >>> is_isni("0000 0001 2103 2683"), is_isni("0000 0001 2103 2684")
    (True, False)
    """
    found = _ISNI.fullmatch(_compact(text))
    if not found:
        return False
    total = 0
    for digit in found[1]:
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11] == found[2]


def _compact(text: str) -> str:
    return _SPACING.sub("", text).upper()
