"""
What pages are put together from: headings, filters, figures, tables, downloads, and what to do where there is nothing.

Every filter is bound to the address, so that what one sees can be sent as a link. Every text is shown letter by letter
unless it is `Markdown` (see `dashboards.markdown`).
"""

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, TypeVar

import polars as pl
import streamlit as st

from dashboards import data
from dashboards.markdown import Markdown, say, shown
from dashboards.words import FROM_LISTENING, NOT_WHOLE
from recsys.errors import RecsysError
from recsys.installation.extras import explain_missing
from recsys.reports.wording import clock

Result = TypeVar("Result")
EVERY = "All"
SPOKEN = {"LUFS]": " LUFS", "1/min]": " beats a minute"}  # units that a fact is written with
ROUNDED = "Counts are sums of tens, rounded down. What fewer than ten listeners did is left out."
LEVEL = 0.005  # a smaller change is none worth a word


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


def choose(label: str, options: Mapping[str, str], key: str, *, help: str | None = None) -> str:  # noqa: A002
    """
    Let one of some values be chosen; the address remembers it under `key`.

    Args:
        label: Above the box.
        options: Value -> what is shown for it; the first is the default. Equal names get their value behind them.
        key: In the address.
        help: On hover.
    """
    n_named = Counter(options.values())
    names = {value: name if n_named[name] == 1 else f"{name} ({value})" for value, name in options.items()}
    with st.container():
        _admit_another(label, key, set(names.values()))
        chosen = st.selectbox(
            shown(label),
            list(names),
            format_func=names.__getitem__,
            key=key,
            help=_hint(help),
            bind="query-params",
            filter_mode="contains",
        )
    return str(chosen)


def _hint(text: str | None) -> str | None:
    return None if text is None else shown(text)


def _admit_another(label: str, key: str, names: set[str]) -> None:
    """Say so where a link asks for what is not offered, without repeating it: the box then shows something else."""
    asked = st.query_params.get(key)
    if asked and asked not in names and key not in st.session_state:
        told = "**The link's {label} is not here:** renamed, removed or not yours. Choose another."
        st.warning(say(told, label=label.lower()))


def narrowing(*kinds: str) -> dict[str, str]:
    """
    Let what is shown be narrowed down; a label's viewer has no choice of labels.

    Args:
        kinds: 'label', 'genre'; both where none is given.

    Returns:
        Kind -> the value chosen, '' for all.
    """
    values = data.ask("filter_values")
    chosen: dict[str, str] = {}
    for kind in kinds or ("label", "genre"):
        found = values.filter(kind=kind)
        if kind == "genre" or data.is_operator():
            options = {"": EVERY} | dict(zip(found["value"], found["name"], strict=True))
            chosen[kind] = choose(kind.capitalize(), options, kind)
    return chosen


def any_of(values: Sequence[str]) -> dict[str, str]:
    """Offer values, and before them that any will do."""
    return {"": EVERY} | {value: value for value in values}


def several(label: str, options: Sequence[str], key: str, *, most: int) -> list[str]:
    """Let up to `most` of some values be chosen; the first ones are the default."""
    given = list(options[:most])
    return list(st.multiselect(shown(label), options, given, key=key, max_selections=most, bind="query-params"))


def span(label: str, low: int, high: int, key: str) -> tuple[int, int]:
    """Let a span of numbers be chosen; all of it is the default."""
    first, last = st.slider(shown(label), low, high, (low, high), key=key, bind="query-params")
    return int(first), int(last)


def share(label: str, key: str) -> float:
    """Let a share be chosen, 0..1, in steps of 1 %."""
    return int(st.slider(shown(label), 0, 60, 0, format="%d %%", key=key, bind="query-params")) / 100


def text(label: str, key: str, *, placeholder: str, given: str = "", help: str | None = None) -> str:  # noqa: A002
    """Let words be typed, beginning with those given."""
    typed = st.text_input(shown(label), given, key=key, placeholder=placeholder, help=_hint(help), bind="query-params")
    return str(typed or "")


def code(label: str, given: str, key: str) -> str:
    """Let a query be written, beginning with one that is given; it is asked on leaving the box."""
    typed = st.text_area(shown(label), given, key=key, height=180, help="Ctrl+Enter asks it", bind="query-params")
    return str(typed or "")


def asked(label: str, key: str) -> bool:
    """Offer what takes a while on a button; say whether it was asked for."""
    return bool(st.button(shown(label), key=key))


def artist() -> str:
    """Let an artist be chosen; stops the page where there is none."""
    known = data.ask("artist_names")
    if known.is_empty():
        empty(
            "No artist is known yet.",
            "Bring the catalogue in: recsys ingest artists.csv tracks.csv, then recsys nightly.",
        )
        st.stop()
    return choose("Artist", dict(zip(known["artist_id"], known["name"], strict=True)), "artist")


def filters() -> Any:
    """Open the row that filters stand in; they wrap on a narrow screen."""
    return st.container(horizontal=True, vertical_alignment="bottom")


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
            help=_hint(says or (data.meaning(*of) if of else None)),
            border=True,
        )
        not_whole([of[1]] if of else [])


def told(sentences: Sequence[str]) -> None:
    """Say what is to be said, a line each."""
    st.markdown(Markdown("\n".join(f"- {shown(sentence)}" for sentence in sentences)))


def compared(name: str, row: Mapping[str, Any]) -> Markdown:
    """Put a row of `what_changed` into a sentence."""
    change, values = row["change"], {"name": name, "now": _span(row["first_date"], row["last_date"])}
    if row["n_now"] is None:
        return say("**{name}**: none {now} that may be shown.", **values)
    values["n"] = number(row["n_now"])
    if change is None:
        return say("**{name}**: {n} {now}; none before to hold them against.", **values)
    values |= {"before": _span(row["first_date_before"], row["last_date_before"]), "n_before": number(row["n_before"])}
    if abs(change) < LEVEL:
        return say("**{name}** stayed level: {n} {now}, {n_before} {before}.", **values)
    values |= {"moved": "rose" if change > 0 else "fell", "change": f"{abs(change):.1%}"}
    return say("**{name}** {moved} by **{change}**: {n} {now}, {n_before} {before}.", **values)


def moved(row: Mapping[str, Any]) -> Markdown:
    """Put a row of `artist_changes` into a sentence."""
    change = "" if row["change"] is None else f" ({row['change']:+.1%})"
    verb = "gained" if row["difference"] > 0 else "lost"
    more = f"{verb} most: {row['difference']:+,} plays{change}, now {number(row['n_now'])}."
    return say("**{name}** {more}", name=row["artist_name"], more=more)


def called(row: Mapping[str, Any], name: str, key: str) -> str:
    """Return what a row is called; its id where no file names it."""
    return str(row[name] or row[key])


def broke_out(row: Mapping[str, Any]) -> Markdown:
    """Put a row of `breakouts` into a sentence."""
    plays = f"{number(row['n_plays'])} plays in seven days where {number(row['n_expected'])} were expected"
    people = f"{number(row['n_listeners'])} listeners in {row['n_countries']} countries"
    artist = f"by {row['artist_name']}, " if row["artist_name"] else ""
    more = f"{artist}since {day(row['started_on'])}: {plays}, {people}."
    return say("**{title}** {more}", title=called(row, "title", "track_id"), more=more)


def charted(row: Mapping[str, Any]) -> Markdown:
    """Put a row of `chart_movers` into a sentence."""
    how = {"new": "new on the chart", "back": "back on the chart", "=": "as the week before"}.get(row["moved"])
    how = how or f"{'up' if row['rank'] < row['rank_before'] else 'down'} from {row['rank_before']}"
    more = f"{how}; at best {row['peak_rank']}."
    names = {"title": row["title"], "artist": row["artist"], "rank": row["rank"]}
    return say("**{title}** by {artist} is at **{rank}**, {more}", **names, more=more)


def _span(first: Any, last: Any) -> str:
    return f"on {day(last)}" if first == last else f"from {first.day} {first:%B} to {last.day} {last:%B}"


def number(value: float | None, unit: str = "") -> str:
    """Write a number as a person would: 57,342, 1.24 M, 4.1 %."""
    if value is None:
        return "-"
    if unit == "%":
        return f"{value:.1%}"
    if abs(value) >= 1e6:
        return f"{value / 1e6:,.2f} M {unit}".rstrip()
    text = f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1_000 else f"{value:.3g}"
    return f"{text} {unit}".rstrip()


def day(date: Any) -> str:
    """Write a day: 30 June 2026."""
    return f"{date.day} {date:%B %Y}"


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
            return clock(value / 1_000)
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
    meaning = _hint(data.meaning(of, name))
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


def clocked(rows: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Write seconds as one reads them off a player: 1:05."""
    return rows.with_columns(pl.col(name).map_elements(clock, return_dtype=pl.String) for name in columns)


def dropped(label: str, key: str, *, help: str) -> tuple[str, bytes] | None:  # noqa: A002
    """Let a file be dropped in; its name and its bytes, None until there is one."""
    file = st.file_uploader(shown(label), key=key, help=shown(help))
    return None if file is None else (file.name, file.getvalue())


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
