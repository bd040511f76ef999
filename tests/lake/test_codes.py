"""Codes: published examples are right, and wrong digits are found."""

from collections.abc import Callable

import pytest

from recsys.lake.codes import normal_ipi, normal_isni, normal_isrc, normal_iswc

EXAMPLES = {
    "0000000121032683": normal_isni,
    "000000012146438X": normal_isni,
    "00014107338": normal_ipi,
}


@pytest.mark.parametrize(("code", "normal"), EXAMPLES.items())
def test_one_wrong_digit_is_found(code: str, normal: Callable[[str], str | None]) -> None:
    """Each digit is changed to each other one."""
    changed = [
        code[:n] + digit + code[n + 1 :]
        for n, character in enumerate(code)
        if character.isdigit()
        for digit in "0123456789"
        if digit != character
    ]

    assert normal(code) == code
    assert [text for text in changed if normal(text)] == []


def test_a_wrong_check_digit_of_a_work_is_found() -> None:
    """Of an ISWC, exactly one check digit is right; the weights cannot find every other wrong digit."""
    right = [digit for digit in "0123456789" if normal_iswc(f"T034524680{digit}")]

    assert right == ["1"]  # the example of ISO 15707


@pytest.mark.parametrize("normal", [normal_iswc, normal_ipi, normal_isni])
@pytest.mark.parametrize(
    "text", ["", "T", "n/a", "T-034.524.680-", "0" * 40, "\u0663" * 11, "T034524680\u0661", "0" * 16]
)
def test_what_is_no_code_is_wrong(text: str, normal: Callable[[str], str | None]) -> None:
    """Neither an error nor right; digits of other scripts are no digits of a code."""
    assert normal(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("USRC17607839", "USRC17607839"),
        ("us-rc1-76-07839", "USRC17607839"),
        ("ISRC US RC1 76 07839", "USRC17607839"),
        ("USRC1760783", None),
        ("USRC17607839X", None),
        ("0000", None),
        ("n/a", None),
        ("", None),
        (None, None),
    ],
)
def test_an_isrc_has_one_normal_form(text: str | None, code: str | None) -> None:
    """Upper case, without hyphens; what is malformed has none."""
    assert normal_isrc(text) == code


@pytest.mark.parametrize(
    ("normal", "text", "code"),
    [
        (normal_iswc, "t-034.524.680-1", "T0345246801"),
        (normal_iswc, "ISWC T-034.524.680-1", "T0345246801"),
        (normal_ipi, "14107338", "00014107338"),
        (normal_ipi, "IPI: 000 141 073 38", "00014107338"),
        (normal_isni, "ISNI 0000 0001 2146 438x", "000000012146438X"),
        (normal_isni, "https://isni.org/isni/000000012146438X", "000000012146438X"),
    ],
)
def test_other_codes_have_one_normal_form(normal: Callable[[str], str | None], text: str, code: str) -> None:
    """Upper case without the name of the code, separators and the address of its registry; an IPI with its zeros."""
    assert normal(text) == code
