"""
What pages are put together from: headings, figures, tables, downloads, and what to do where there is nothing.

Every text is shown letter by letter unless it is `Markdown` (see `dashboards.markdown`).
"""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, TypeVar

import polars as pl
import streamlit as st

from dashboards import data
from dashboards.glossary import FROM_LISTENING, NOT_WHOLE
from dashboards.markdown import Markdown, say, shown
from dashboards.sentences import day, number
from recsys.errors import RecsysError
from recsys.installation.extras import explain_missing
from recsys.reports.wording import format_duration

Result = TypeVar("Result")
SPOKEN = {"LUFS]": " LUFS", "1/min]": " beats a minute"}  # units that a fact is written with
ROUNDED = "Counts are sums of tens, rounded down. What fewer than ten listeners did is left out."


def signature(name: str) -> None:
    """Say at the foot of the menu who is looking, and how old what they see is."""
    st.logo(str(data.MARK), size="large")
    st.sidebar.text(name)
    st.sidebar.caption(shown(f"Data up to {day(data.as_of())}."))
    if not data.is_operator():
        st.sidebar.caption(shown(ROUNDED))


def header(title: str, lead: str) -> None:
    """Begin a page: its title, and what it answers."""
    st.title(shown(title))
    st.markdown(shown(lead))


def heading(title: str, level: Literal[2, 3] = 2) -> None:
    """Begin a part of a page."""
    (st.header if level == 2 else st.subheader)(shown(title))


def paragraph(text: str) -> None:
    """Write a paragraph."""
    st.markdown(shown(text))


def remark(text: str) -> None:
    """Write what is beside the point, smaller."""
    st.caption(shown(text))


def is_of_listening(columns: Iterable[str]) -> bool:
    """Say whether one of these columns counts what listeners did."""
    return not FROM_LISTENING.isdisjoint(columns)


def not_whole(columns: Iterable[str] = FROM_LISTENING) -> None:
    """Tell a label, beside totals of listening, that they lack what its file lacks; other columns need no word."""
    if not data.is_operator() and is_of_listening(columns):
        remark(NOT_WHOLE)


def failed(wrong: RecsysError) -> None:
    """Say what is wrong, and what to do about it."""
    st.error(say("**This cannot be shown.** {wrong}", wrong=wrong))


def attempt(make: Callable[[], Result], remedy: str = "") -> Result | None:
    """Make what the rest of the page can do without; where it fails, say why and what helps, and return None."""
    try:
        with explain_missing():
            return make()
    except RecsysError as wrong:
        failed(wrong)
        if remedy:
            remark(remedy)
        return None


def empty(what: str, remedy: str) -> None:
    """Say that there is nothing here, and what would bring something, in place of an empty chart."""
    st.info(say("**{what}** {remedy}", what=what, remedy=remedy))


def hint(text: str | None) -> str | None:
    """Return what is to be said on hover, letter by letter."""
    return None if text is None else shown(text)


def metric(
    label: str,
    value: float | None,
    *,
    of: tuple[str, str] | None = None,
    says: str = "",
    change: float | None = None,
    unit: str = "",
    less_is_better: bool = False,
) -> None:
    """
    Show one number, its definition on hover.

    Args:
        label: Its name.
        value: The number; null is shown as a dash.
        of: Mart and column whose header defines it.
        says: Its definition, where no header has it.
        change: Against what it is held, a share: .1 is 10 % more.
        unit: '%' for a share of 1.
        less_is_better: Whether a rise is bad news.
    """
    delta = None if change is None else f"{change:+.1%}"
    good: Literal["inverse", "normal"] = "inverse" if less_is_better else "normal"
    with st.container(gap="small"):
        st.metric(
            shown(label),
            number(value, unit),
            delta,
            delta_color=good,
            help=hint(says or (data.meaning(*of) if of else None)),
            border=True,
        )
        not_whole([of[1]] if of else [])


def told(sentences: Sequence[str]) -> None:
    """Say what is to be said, a line each."""
    st.markdown(Markdown("\n".join(f"- {shown(sentence)}" for sentence in sentences)))


def figure(title: str, rows: pl.DataFrame, chart: Any, *, says: str, key: str, note: str = "") -> None:
    """
    Show a chart under its title, and offer what it shows as files.

    Args:
        title: What it shows.
        rows: What it was drawn from.
        chart: Made by `charts`.
        says: The chart in words, for who cannot see it.
        key: Of this figure on its page; names the files.
        note: How to read it.
    """
    _headed(title, rows, key)
    not_whole(rows.columns)
    if note:
        remark(note)
    st.altair_chart(chart, width="stretch", alt=says, key=f"chart_{key}")


def _headed(title: str, rows: pl.DataFrame, key: str) -> None:
    """Write a heading, and at its end the files."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        st.subheader(shown(title), anchor=key)
        downloads(rows, key)


def table(
    rows: pl.DataFrame,
    *,
    of: str,
    key: str,
    title: str,
    names: Mapping[str, str] = {},
    formats: Mapping[str, str] = {},
) -> None:
    """
    Show a table, with the meaning of each column on hover, and offer it as files.

    Args:
        rows: What is shown.
        of: Mart whose header says what columns mean.
        key: Of this table on its page; names the files.
        title: Above it.
        names: Column -> heading, where the column's own name is no heading.
        formats: Column -> 'percent', 'compact' or a printf format.
    """
    _headed(title, rows, key)
    not_whole(rows.columns)
    headings = {name: names.get(name, name.removeprefix("n_").replace("_", " ")) for name in rows.columns}
    columns = {name: _column(rows, name, headings[name], of, formats.get(name)) for name in rows.columns}
    st.dataframe(rows, column_config=columns, hide_index=True, width="stretch", key=f"table_{key}", placeholder="-")


def facts(row: pl.DataFrame, *, of: str, key: str, title: str, names: Mapping[str, str] = {}) -> None:
    """Show one row as a list of facts, those that are known, and offer it as files; `names` as of `table`."""
    _headed(title, row, key)
    not_whole(row.columns)
    known = [(name, value) for name, value in row.row(0, named=True).items() if value is not None]
    headings = {name: names.get(name, name.replace("_", " ")) for name, _ in known}
    told(
        [
            say("{name}: **{value}**{unit}", name=headings[name], value=_fact(name, value), unit=_unit(of, name))
            for name, value in known
        ]
    )


def _fact(name: str, value: Any) -> str:
    match value:
        case int() if name.endswith("_ms"):
            return format_duration(value / 1_000)
        case list():
            return ", ".join(map(str, value))
        case float() | int():
            return number(value)
        case _:
            return str(value)


def _unit(of: str, name: str) -> str:
    _, _, unit = (data.meaning(of, name) or "").rpartition("[")
    return SPOKEN.get(unit, "")


def _column(rows: pl.DataFrame, name: str, heading: str, of: str, form: str | None) -> Any:
    meaning = hint(data.meaning(of, name))
    if rows.schema[name].is_numeric():
        return st.column_config.NumberColumn(heading, help=meaning, format=form or "localized")
    if rows.schema[name] == pl.Date:
        return st.column_config.DateColumn(heading, help=meaning, format="D MMM YYYY")
    return st.column_config.Column(heading, help=meaning)


def downloads(rows: pl.DataFrame, key: str) -> None:
    """Offer rows as CSV and Parquet, made when asked for."""
    forms: Sequence[tuple[str, str, Callable[[], bytes]]] = (
        ("CSV", "text/csv", lambda: _flat(rows).write_csv().encode()),
        ("Parquet", "application/vnd.apache.parquet", lambda: _parquet(rows)),
    )
    with st.container(horizontal=True, gap="small", width="content"):
        for form, mime, made in forms:
            st.download_button(
                shown(form),
                made,
                f"{key}.{form.lower()}",
                mime,
                key=f"{key}_{form.lower()}",
                on_click="ignore",
                type="tertiary",
                help=shown(f"What is shown above, as {form}"),
            )


@contextmanager
def folded(title: str) -> Iterator[None]:
    """Hold what only some want to see, under a title."""
    with st.expander(shown(title)):
        yield


def reports(make: Callable[[str], bytes], forms: Sequence[str], key: str) -> None:
    """Offer one thing as files of several forms, such as html, each made when asked for."""
    with st.container(horizontal=True, gap="small", width="content", vertical_alignment="center"):
        st.caption("Report as", width="content")
        for form in forms:
            made, name = partial(make, form), f"{key}.{form}"
            st.download_button(
                shown(form.upper()), made, name, key=f"{key}_as_{form}", on_click="ignore", type="tertiary"
            )


def _flat(rows: pl.DataFrame) -> pl.DataFrame:
    """Write lists as text: CSV holds none."""
    nested = [name for name, dtype in rows.schema.items() if isinstance(dtype, pl.List)]
    return rows.with_columns(pl.col(name).cast(pl.List(pl.String)).list.join("; ") for name in nested)


def _parquet(rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_parquet(buffer)
    return buffer.getvalue()
