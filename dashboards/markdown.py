"""
Escape data before Streamlit renders it as Markdown.

Streamlit turns any text into emphasis, formulas, links and pictures, and fetches a picture from whatever address a name
contains. So every text for Streamlit goes through `as_markdown`, which escapes it unless it is `Markdown`: text
written by the pages themselves, into which `fill` has inserted escaped values.
"""

from recsys.reports.markdown import escaped


class Markdown(str):
    """Markdown written by the pages themselves; it is not escaped again."""

    __slots__ = ()


def as_markdown(text: str) -> str:
    """Return Markdown that shows a plain text literally; `Markdown` is returned unchanged."""
    return text if isinstance(text, Markdown) else escaped(text)


def fill(template: str, **values: object) -> Markdown:
    """Insert values into a Markdown template with named fields; values are escaped unless they are `Markdown`."""
    return Markdown(template.format(**{name: as_markdown(_text(value)) for name, value in values.items()}))


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value)
