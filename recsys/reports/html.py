"""
HTML reports: each page is one file with its images embedded, so that it can be mailed.

The templates in `templates/` extend `base.html`. They escape every value and replace its control
characters; a value that is missing is an error.
"""

from base64 import b64encode
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from recsys.reports.wording import format_duration, without_controls

if TYPE_CHECKING:
    from matplotlib.figure import Figure  # plots are an extra


def render(template: str, /, **values: object) -> str:
    """Return the page that a template makes of these values."""
    return ENVIRONMENT.get_template(template).render(values)


def macros(template: str) -> Any:
    """Return the macros of a template, as attributes that are called."""
    return ENVIRONMENT.get_template(template).module


def png(figure: "Figure") -> bytes:
    """Return a figure as a PNG image; equal figures give equal bytes."""
    buffer = BytesIO()
    figure.savefig(buffer, dpi="figure", metadata={"Software": None})
    return buffer.getvalue()


def data_url(content: bytes, kind: str = "image/png") -> str:
    """
    Return the address of content that is embedded in a page.

    >>> data_url(b"week,value", "text/csv")
    'data:text/csv;base64,d2Vlayx2YWx1ZQ=='
    """
    return f"data:{kind};base64,{b64encode(content).decode('ascii')}"


ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    finalize=lambda value: without_controls(value) if type(value) is str else value,
)
ENVIRONMENT.filters.update(data_url=data_url, duration=format_duration)
