"""
How data enters what Streamlit renders as Markdown: as text, whatever stands in it.

Streamlit makes emphasis, formulas, links and pictures of whatever it is given, and fetches a picture from wherever a
name says. So whatever goes to it goes through `shown`, which takes a text letter by letter unless it is `Markdown`: a
sentence of the pages' own, whose values `say` has put in as text.
"""

from recsys.reports.markdown import escaped


class Markdown(str):
    """Markdown that the pages themselves have written."""

    __slots__ = ()


def shown(text: str) -> str:
    """Return what Streamlit is to be given so that it shows a text letter by letter, or Markdown as Markdown."""
    return text if isinstance(text, Markdown) else escaped(text)


def say(sentence: str, **values: object) -> Markdown:
    """Put values into a sentence of Markdown, as text unless they are Markdown themselves."""
    return Markdown(sentence.format(**{name: shown(_text(value)) for name, value in values.items()}))


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value)
