"""Languages of deliveries are named on pages."""

import pytest

from recsys.ingest.languages import language_name


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("en", "English"),
        ("por", "Portuguese"),
        ("ger", "German"),  # ISO 639-2, of libraries; 639-3 has deu
        ("el", "Modern Greek"),  # without its years
        ("sw", "Swahili"),
        ("zxx", "No linguistic content"),
        ("xq", "xq"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_a_language_has_its_english_name(code: str, name: str) -> None:
    """Of two or three letters; what is no code stays as it is."""
    assert language_name(code) == name
