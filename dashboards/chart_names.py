"""
Names in charts: beside bars on as many lines as they need, and behind curves on one line.

Two rows or two curves never get the same name. Called by `charts`.
"""

import unicodedata
from textwrap import wrap

import altair as alt
import polars as pl

from dashboards import columns

SIDE_NAME = "side_name"  # column that the axis of names shows
ROW_HEIGHT, LINE_HEIGHT = 26, 14  # of a bar with its gap, and of a line of its name [px]
MOST_LINES = 3  # of a name beside a bar
SIDE_LENGTH, END_LENGTH = {False: 44, True: 30}, {False: 40, True: 18}  # characters of a line, by whether on a phone
SIDE_WIDTH, END_WIDTH = {False: 340, True: 220}, {False: 300, True: 150}  # of a line, at most [px]
WIDE = frozenset("WF")  # East Asian widths of characters that are as wide as two others
BLANK = "\u00a0"  # a line that is as high as others; one without characters is not


def beside(rows: pl.DataFrame, name: str, *, shared: bool = False) -> pl.DataFrame:
    """
    Add the column SIDE_NAME: the names of bars on lines of their own, which are centred at the bar (see `axis`).

    Args:
        rows: One row per bar.
        name: Column of names.
        shared: Whether rows of one name are on one line of the chart; otherwise equal names are numbered.
    """
    names = rows[name].cast(pl.String)
    distinct = names.unique(maintain_order=True) if shared else names
    texts = _numbered(pl.Series("name", [_lines(text) for text in distinct], pl.String))
    if shared:
        texts = names.replace_strict(distinct, texts, return_dtype=pl.String)
    n_lines = _n_lines(texts)
    centred = [text if text is None else _centred(text, n_lines) for text in texts]
    return rows.with_columns(pl.Series(SIDE_NAME, centred, pl.String))


def axis(rows: pl.DataFrame) -> alt.Y:
    """
    Return the axis of the names that `beside` has added.

    Vega draws lines of a text downwards from the height of its bar. All are moved up by half of the most lines; those
    with an odd number fewer are then moved down by half a line, which is what the baseline `top` does.
    """
    n_lines = _n_lines(rows[SIDE_NAME])
    has_half_line = f"({n_lines} - length(split(datum.label, '\\n'))) % 2 == 1"
    return alt.Y(
        f"{SIDE_NAME}:N",
        sort=None,
        title=None,
        axis=alt.Axis(
            ticks=False,
            domain=False,
            labelExpr="split(datum.label, '\\n')",
            labelLimit=SIDE_WIDTH[columns.is_phone()],
            labelLineHeight=LINE_HEIGHT,
            labelOverlap=False,
            labelOffset=-LINE_HEIGHT * (n_lines - 1) / 2,
            labelBaseline={"condition": {"test": has_half_line, "value": "top"}, "value": "middle"},
        ),
    )


def height(rows: pl.DataFrame) -> int:
    """Return the height that the bars of rows need together [px]."""
    row_height = max(ROW_HEIGHT, LINE_HEIGHT * _n_lines(rows[SIDE_NAME]) + 8)
    return row_height * max(rows[SIDE_NAME].n_unique(), 1)


def behind(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Shorten the names of curves, each of which has several rows, to one line; different names stay different."""
    names = rows[name].cast(pl.String).unique(maintain_order=True)
    most = END_LENGTH[columns.is_phone()]
    short = pl.Series("name", [_cut(text, most) for text in names], pl.String)
    return rows.with_columns(pl.col(name).cast(pl.String).replace(names, _numbered(short)))


def end_width() -> int:
    """Return the greatest width of a name behind a curve [px]."""
    return END_WIDTH[columns.is_phone()]


def _lines(name: str | None) -> str | None:
    """Divide a name into at most MOST_LINES lines; what is still too long ends with an ellipsis."""
    if name is None:
        return None
    is_wide = any(unicodedata.east_asian_width(character) in WIDE for character in name)
    length = SIDE_LENGTH[columns.is_phone()] // (2 if is_wide else 1)
    return "\n".join(wrap(" ".join(name.split()), length, max_lines=MOST_LINES, placeholder="…"))


def _cut(name: str | None, most: int) -> str | None:
    return name if name is None or len(name) <= most else f"{name[: most - 1]}…"


def _numbered(names: pl.Series) -> pl.Series:
    """Number names that are equal, from the second on."""
    number = pl.int_range(1, pl.len() + 1).over("name")
    numbered = pl.when(number > 1).then(pl.format("{} ({})", "name", number)).otherwise("name")
    return names.to_frame("name").select(name=numbered).to_series()


def _n_lines(texts: pl.Series) -> int:
    """Return the most lines of a text, at least 1."""
    return max((text.count("\n") + 1 for text in texts.drop_nulls()), default=1)


def _centred(text: str, n_lines: int) -> str:
    """Add as many blank lines above as below a text; a single one is not added."""
    missing = (n_lines - text.count("\n") - 1) // 2
    return "\n".join([*[BLANK] * missing, text, *[BLANK] * missing])
