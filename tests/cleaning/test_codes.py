"""Codes: published examples are right, and wrong digits are found."""

from collections.abc import Callable

import pytest

from recsys.cleaning.codes import is_ipi, is_isni, is_iswc, normal_isrc

EXAMPLES = {
    "0000000121032683": is_isni,
    "000000012146438X": is_isni,
    "00014107338": is_ipi,
}


@pytest.mark.parametrize(("code", "is_right"), EXAMPLES.items())
def test_one_wrong_digit_is_found(code: str, is_right: Callable[[str], bool]) -> None:
    """Each digit is changed to each other one."""
    changed = [
        code[:n] + digit + code[n + 1 :]
        for n, character in enumerate(code)
        if character.isdigit()
        for digit in "0123456789"
        if digit != character
    ]

    assert is_right(code)
    assert [text for text in changed if is_right(text)] == []


def test_a_wrong_check_digit_of_a_work_is_found() -> None:
    """Of an ISWC, exactly one check digit is right; the weights cannot find every other wrong digit."""
    right = [digit for digit in "0123456789" if is_iswc(f"T034524680{digit}")]

    assert right == ["1"]  # the example of ISO 15707


@pytest.mark.parametrize("is_right", [is_iswc, is_ipi, is_isni])
@pytest.mark.parametrize("text", ["", "T", "n/a", "T-034.524.680-", "0" * 40, "\u0663" * 11, "T034524680\u0661"])
def test_what_is_no_code_is_wrong(text: str, is_right: Callable[[str], bool]) -> None:
    """Neither an error nor right; digits of other scripts are no digits of a code."""
    assert not is_right(text)


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
