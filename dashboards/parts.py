"""
Building blocks of pages: headings, metrics, figures, tables, downloads, messages and empty states.

Every text is escaped unless it is `Markdown` (see `dashboards.markdown`).
"""

import io
import logging
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import polars as pl
import streamlit as st

from dashboards import access, charts, columns, data, links
from dashboards.initials import SIDE, address, picture
from dashboards.markdown import Markdown, as_markdown, fill
from recsys.errors import InputError, RecsysError
from recsys.installation.extras import explain_missing
from recsys.installation.paths import ROOT
from recsys.reports.wording import file_stem, format_day, format_duration, format_number, without_controls

if TYPE_CHECKING:
    from dashboards.studio import Sound

Result = TypeVar("Result")
log = logging.getLogger(__name__)
UNIT_TEXTS = {"LUFS]": "LUFS", "1/min]": "beats per minute"}  # end of a definition -> unit shown behind a fact
GENERAL_ERROR = "Something on the server is not ready. Try again later, or ask the operator of this service."
PRODUCT = "recsys"
_FIGURE_LEVEL, _SUBJECT = "figure_level", "subject"  # keys of the session, for the page that is being shown
PORTRAIT = "portrait"  # column of initials in a table
OPENS = " \u203a"  # an angle: end of a name that opens a page
FORMATS_NOTE = "Try another format: WAV, FLAC, MP3 or M4A."


def search_box() -> None:
    """Offer a search below the menu of every page, whose results are on the page Search."""
    with st.sidebar.form("search_box", clear_on_submit=True, border=False):
        words = st.text_input("Artist or recording", key="search_words", placeholder="love 2024")
        is_requested = st.form_submit_button("Search", icon=":material/search:")
    if is_requested and words and words.strip():
        links.open_page(links.SEARCH, words.strip())


def cut_note(n_shown: int, n_found: int, remedy: str) -> None:
    """Say that a table does not show everything, and how to see the rest."""
    if n_found > n_shown:
        caption(f"{n_shown:,} of {n_found:,} are shown. {remedy}")


def sidebar_footer(name: str) -> None:
    """Show the viewer's name and the last day of data below the menu."""
    st.logo(str(data.MARK), size="large")
    label = data.viewer_label()
    st.sidebar.caption(fill("**{reader}** · {product}", reader=label or "Operator", product=PRODUCT))
    st.sidebar.text(name)
    st.sidebar.caption(as_markdown(f"Data up to {format_day(data.as_of())}."))


def adjust_look() -> None:
    """Change what the theme cannot, with the style sheet `static/look.css`, which says what and why."""
    st.html(data.LOOK)


def header(title: str, lead: str) -> None:
    """Show the title of a page and the question that it answers."""
    st.session_state[_FIGURE_LEVEL], st.session_state[_SUBJECT] = 2, ""
    st.title(as_markdown(title))
    st.markdown(as_markdown(lead))


def heading(title: str, level: Literal[2, 3] = 2) -> None:
    """Show the heading of a section of a page; titles of figures and tables after it are one level lower."""
    st.session_state[_FIGURE_LEVEL] = 3
    (st.header if level == 2 else st.subheader)(as_markdown(title))


def name_files_after(subject: str) -> None:
    """Say what the rest of a page is about, such as an artist: names of files contain it."""
    st.session_state[_SUBJECT] = subject


def portrait(name: str) -> None:
    """Show what the page is about: coloured initials, as the catalogue has no pictures, and the name."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.image(picture(name), width=SIDE, alt="")
        st.markdown(fill("**{name}**", name=name))


def paragraph(text: str) -> None:
    """Show a paragraph."""
    st.markdown(as_markdown(text))


def caption(text: str) -> None:
    """Show a note in small print."""
    st.caption(as_markdown(text))


def show_error(error: RecsysError, remedy: str = "") -> None:
    """
    Show an expected error: what is wrong, and what to do about it.

    Errors name paths, commands, labels and ids, so only operators read them. Viewers of a label read a general sentence
    and the error goes to the log, unless it is about what they typed or uploaded themselves.

    Args:
        error: The error.
        remedy: What the viewer can change about what they typed or uploaded; '' if the error is not about that.
    """
    if access.may_read_details() or (remedy and _is_about_input(error)):
        st.error(fill("**This cannot be shown.** {error}", error=error))
        if remedy:
            caption(remedy)
        return
    log.warning("A viewer read only that something cannot be shown: %s", without_controls(str(error)))
    st.error(fill("**This cannot be shown.** {reason}", reason=GENERAL_ERROR))


def _is_about_input(error: RecsysError) -> bool:
    """Return whether an error is about a viewer's input alone: of the plain type, and without a path of the server."""
    home = access.current_home().path
    return type(error) is InputError and not any(str(path) in str(error) for path in (home, home.resolve(), ROOT))


def attempt(compute: Callable[[], Result], remedy: str = "") -> Result | None:
    """Return a result that the rest of the page can do without; on an expected error show it, and return None."""
    try:
        with explain_missing():
            return compute()
    except RecsysError as error:
        show_error(error, remedy)
        return None


def empty_state(message: str, remedy: str = "", *, operator: str = "") -> None:
    """
    Show in place of an empty chart that there is no data, and how to get some.

    Args:
        message: What there is not.
        remedy: What any viewer can do.
        operator: What an operator can do. Viewers of a label read that they should ask the operator.
    """
    if operator and not data.is_operator():
        operator = "Ask the operator of this service for it."
    st.info(fill("**{message}** {remedy}", message=message, remedy=f"{remedy} {operator}".strip()))


def tooltip(text: str | None) -> str | None:
    """Return a plain text as the Markdown of a tooltip."""
    return None if text is None else as_markdown(text)


def metric(
    label: str,
    value: float | None,
    *,
    column: tuple[str, str] | None = None,
    definition: str = "",
    change: float | None = None,
    unit: str = "",
    less_is_better: bool = False,
    missing: str = "-",
    digits: int | None = None,
) -> None:
    """
    Show one number, with its definition on hover.

    Args:
        label: Name of the number.
        value: The number; None is shown as `missing`.
        column: Mart and column whose header defines it.
        definition: Its definition, if no mart's header has one.
        change: Relative change since the previous period: .1 is 10 % more.
        unit: '%' for a share, 0..1.
        less_is_better: Whether a rise is shown as bad.
        missing: Text in place of a missing number.
        digits: After the point; without, three digits in all.
    """
    delta = None if change is None else f"{change:+.1%}"
    delta_color: Literal["inverse", "normal"] = "inverse" if less_is_better else "normal"
    with st.container(gap="small", height="stretch"):
        st.metric(
            as_markdown(label),
            missing if value is None else format_number(value, unit) if digits is None else f"{value:,.{digits}f}",
            delta,
            delta_color=delta_color,
            help=tooltip(definition or (data.column_meaning(*column) if column else None)),
            border=True,
            height="stretch",
        )


def bullets(sentences: Sequence[str]) -> None:
    """Show sentences as a bulleted list."""
    st.markdown(Markdown("\n".join(f"- {as_markdown(sentence)}" for sentence in sentences)))


def figure(
    title: str,
    rows: pl.DataFrame,
    chart: Any,
    *,
    alt_text: str,
    key: str,
    note: str = "",
    opens: str = "",
    formats: Mapping[str, str] = {},
) -> None:
    """
    Show a chart under its title, with its data as downloads.

    Args:
        title: Title of the figure.
        rows: Data of the chart, offered as files.
        chart: Chart from `dashboards.charts`.
        alt_text: Description of the chart for people who cannot see it.
        key: Key of the figure on its page, which also names the files.
        note: How to read the chart.
        opens: Column of the names of bars, a click on which opens the page of what is named.
        formats: As in `table`, for the files.
    """
    id_columns = links.linked(rows.columns).get(opens, [])
    _heading_row(
        title, rows, key, {opens: id_columns} if id_columns else {}, shares=columns.share_columns(rows, formats)
    )
    if note:
        caption(note)
    if not id_columns:
        st.altair_chart(chart, width="stretch", alt=alt_text, key=f"chart_{key}")
        return
    clickable = charts.clickable(chart, id_columns)
    shown: Any = st.altair_chart(clickable, width="stretch", alt=alt_text, key=f"chart_{key}", on_select="rerun")
    for row in shown.selection[charts.CLICKED]:
        links.follow(row, id_columns)


def _heading_row(
    title: str,
    rows: pl.DataFrame,
    key: str,
    linked: Mapping[str, Sequence[str]] = {},
    *,
    terms: Mapping[str, str | None] = {},
    shares: Sequence[str] = (),
) -> None:
    """Show the title of a figure or table, its terms, the pages that its names lead to, and its data as downloads."""
    with st.container(
        key=f"heading_{key}",
        horizontal=True,
        vertical_alignment="center",
        horizontal_alignment="distribute",
        gap="small",
    ):
        show = st.header if st.session_state.get(_FIGURE_LEVEL, 2) == 2 else st.subheader
        show(as_markdown(title), anchor=key)
        with st.container(horizontal=True, gap="small", width="content"):
            _terms(terms, key)
            _open_menu(links.targets(rows, linked), key)
            downloads(rows, key, shares)


def _terms(meanings: Mapping[str, str | None], key: str) -> None:
    """Offer the definitions of columns as text: those on hover can be read neither on a phone nor by keyboard."""
    texts = [fill("**{term}**: {meaning}", term=term, meaning=meaning) for term, meaning in meanings.items() if meaning]
    if texts:
        with st.popover("Terms", type="tertiary", key=f"{key}_terms"):
            st.markdown(Markdown("\n\n".join(texts)))


def _open_menu(targets: Mapping[str, tuple[links.Target, str]], key: str) -> None:
    """Offer pages in a menu: names in tables and bars in charts can be clicked, but not reached with a keyboard."""
    if not targets:
        return
    chosen = st.menu_button(
        "Open page",
        list(targets),
        key=f"{key}_open",
        help="Open the page of a name in this table or chart",
        type="tertiary",
        format_func=as_markdown,
    )
    if chosen is not None:
        links.open_page(*targets[chosen])


def table(
    rows: pl.DataFrame,
    *,
    mart: str,
    key: str,
    title: str,
    names: Mapping[str, str] = {},
    formats: Mapping[str, str] = {},
    missing: str = "-",
) -> None:
    """
    Show a table, with the definition of each column on hover and its data as downloads.

    Names of artists, recordings and labels open their pages if the rows have their ids, which are not shown; their
    initials are beside them. Shares are shown in per cent. On a phone the most important columns are shown first, and
    the others on request.

    Args:
        rows: The rows to show.
        mart: Mart whose header defines the columns; '' for the result of a viewer's own query.
        key: Key of the table on its page, which also names the files.
        title: Title of the table.
        names: Column -> heading; other headings are column names without `n_` and underscores.
        formats: Column -> a printf format, or 'percent' for shares whose name does not say it (see `columns.is_share`).
        missing: Text in place of missing values.
    """
    linked = links.linked(rows.columns) if mart else {}
    headings = {name: names.get(name, name.removeprefix("n_").replace("_", " ")) for name in rows.columns}
    shown = [name for name in rows.columns if not linked or name not in links.OF_IDS]
    terms = {headings[name]: data.column_meaning(mart, name) for name in shown}
    shares = columns.share_columns(rows, formats) if mart else []
    _heading_row(title, rows, key, linked, terms=terms, shares=shares)
    forms = dict(formats) | dict.fromkeys(shares, columns.PERCENT)
    configs = {name: _column(rows, name, headings[name], mart, forms.get(name)) for name in rows.columns}
    for name in linked:
        configs[name] = _button_column(headings[name], data.column_meaning(mart, name), f"{key}_{name}")
    configs[PORTRAIT] = st.column_config.ImageColumn("♪", help="Initials of the name", width=45)
    content = _with_portraits(_with_buttons(columns.in_percent(rows, shares), linked), linked)
    st.dataframe(
        content.to_arrow() if mart else content,  # via pandas, which takes long to load but knows every type of DuckDB
        column_config=configs,
        column_order=_order(rows, shown, linked, key),
        hide_index=True,
        width="stretch",
        key=f"table_{key}",
        placeholder=missing,
        lazy=False,  # to decide otherwise, Streamlit would load pandas
    )
    for name, id_columns in linked.items():
        row_no = _clicked_row(f"{key}_{name}")
        if row_no is not None:
            links.follow(rows.row(row_no, named=True), id_columns)


def text_table(rows: pl.DataFrame, *, key: str, title: str, names: Mapping[str, str] = {}) -> None:
    """
    Show a short table of texts, with its data as downloads; the texts wrap, so that it fits the screen of a phone.

    Args:
        rows: The rows to show; all columns are texts.
        key: Key of the table on its page, which also names the files.
        title: Title of the table.
        names: Column -> heading; other headings are the names of columns.
    """
    _heading_row(title, rows, key, {})
    lines = [[names.get(name, name) for name in rows.columns], *rows.rows()]
    cells = [" | ".join(as_markdown(text or "") for text in line) for line in lines]
    st.markdown(Markdown("\n".join([cells[0], " | ".join(["---"] * rows.width), *cells[1:]])))


def _order(rows: pl.DataFrame, shown: Sequence[str], linked: Container[str], key: str) -> list[str]:
    """Return the columns to show: on a phone the important ones, until the viewer asks for all; portraits first."""
    names = [name for name in shown if name in linked]
    if (
        columns.is_phone()
        and len(shown) > columns.N_ON_PHONE
        and not st.toggle("All columns", key=f"{key}_all_columns")
    ):
        shown = columns.important_columns(rows, shown, (names or list(shown))[0])
    place = shown.index(names[0]) if names else 0
    return [*shown[:place], *([PORTRAIT] if names else []), *shown[place:]]


def rising_signals(rising: pl.DataFrame) -> None:
    """Show the rows of the query `rising_signals`, if there are any."""
    if not rising.is_empty():
        table(
            rising,
            mart="signal_rises",
            key="rising_signals",
            title="Counts of other channels that rose before plays",
            names={"artist_name": "artist", "source": "channel", "day": "last of seven days"},
        )


def market_moves(moves: pl.DataFrame) -> None:
    """Show the rows of the query `moves_of_market` or `label_market_moves`, if there are any."""
    if not moves.is_empty():
        table(
            moves,
            mart="market_moves",
            key="market_moves",
            title="Days and weeks on which the whole market moved",
            names={"from_day": "from", "to_day": "to", "own_change": "own change", "n_weeks": "compared weeks"},
        )
        caption("Compared with the same weekday, or the week, in the eight weeks before.")


def facts(row: pl.DataFrame, *, mart: str, key: str, title: str, names: Mapping[str, str] = {}) -> None:
    """Show the known values of one row as a bulleted list, with downloads; parameters as in `table`."""
    _heading_row(title, row, key)
    known = [(name, value) for name, value in row.row(0, named=True).items() if value is not None]
    headings = {name: names.get(name, name.replace("_", " ")) for name, _ in known}
    bullets(
        [
            fill("{name}: **{value}**", name=headings[name], value=f"{_fact(name, value)} {_unit(mart, name)}".rstrip())
            for name, value in known
        ]
    )


def _fact(name: str, value: Any) -> str:
    match value:
        case int() if name.endswith("_ms"):
            return format_duration(value / 1_000)
        case date():
            return format_day(value)
        case list():
            return ", ".join(map(str, value))
        case float() if columns.is_share(name):
            return format_number(value, "%")
        case float() | int():
            return format_number(value)
        case _:
            return str(value)


def _unit(mart: str, name: str) -> str:
    _, _, unit = (data.column_meaning(mart, name) or "").rpartition("[")
    return UNIT_TEXTS.get(unit, "")


def _column(rows: pl.DataFrame, name: str, heading: str, mart: str, form: str | None) -> Any:
    meaning = tooltip(data.column_meaning(mart, name))
    if rows.schema[name].is_numeric():
        return st.column_config.NumberColumn(heading, help=meaning, format=form or columns.number_form(rows[name]))
    if isinstance(rows.schema[name], pl.List) and rows.schema[name] == pl.List(pl.Float64):
        return st.column_config.LineChartColumn(
            heading, help=meaning, y_min=0, width="small" if columns.is_phone() else "medium"
        )
    if rows.schema[name] == pl.Date:
        return st.column_config.DateColumn(heading, help=meaning, format="D MMM YYYY")
    return st.column_config.Column(heading, help=meaning)


def _clicked_row(key: str) -> int | None:
    """Return the row of the button that was just clicked in a column; None without a click."""
    click = st.session_state.get(key)
    return None if click is None else int(click["row"])


def _button_column(heading: str, meaning: str | None, key: str) -> Any:
    text = as_markdown(f"A click on a name opens its page. {meaning or ''}")
    width = columns.PHONE_NAME_WIDTH if columns.is_phone() else None
    return st.column_config.ButtonColumn(heading, help=text, type="tertiary", alignment="left", key=key, width=width)


def _with_buttons(rows: pl.DataFrame, linked: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """
    Write names as buttons: those whose row has an id of `linked`, so that they open a page, end in OPENS.

    Streamlit is kept from reading an icon (:material/home:) or a menu ([a, b]) into a name.
    """
    return rows.with_columns(
        pl.col(name).str.replace(r"^(\s*[:\[])", "\u2060${1}")
        + pl.when(pl.coalesce(ids).is_not_null()).then(pl.lit(OPENS)).otherwise(pl.lit(""))
        for name, ids in linked.items()
    )


def _with_portraits(rows: pl.DataFrame, linked: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Add a picture of the initials of the first column of names, where the row has what the name opens."""
    if not linked:
        return rows
    name, ids = next(iter(linked.items()))
    names = rows.select(pl.when(pl.coalesce(ids).is_not_null()).then(pl.coalesce(name, *ids))).to_series()
    return rows.with_columns(pl.Series(PORTRAIT, [text and address(text) for text in names], pl.String))


def downloads(rows: pl.DataFrame, key: str, shares: Sequence[str]) -> None:
    """Offer rows as CSV for spreadsheets and as exact Parquet; a file is written only when somebody downloads it."""
    forms: Sequence[tuple[str, str, Callable[[], bytes]]] = (
        ("CSV", "text/csv", lambda: columns.csv_of(rows, shares).encode()),
        ("Parquet", "application/vnd.apache.parquet", lambda: _parquet(rows)),
    )
    for form, mime, write in forms:
        st.download_button(
            as_markdown(form),
            write,
            f"{_file_name(key)}.{form.lower()}",
            mime,
            key=f"{key}_{form.lower()}",
            on_click="ignore",
            type="tertiary",
            help=as_markdown(f"Download the data as {form}"),
        )


def _file_name(key: str) -> str:
    """Name a file by its figure, what the page is about or else the viewer's label, and the last day of data."""
    subject = st.session_state.get(_SUBJECT) or data.viewer_label()
    return file_stem(f"{key} {subject}", data.as_of())


def two_columns() -> Sequence[Any]:
    """Return two columns to show something in (`with column:`); on a narrow screen the second is below the first."""
    return st.columns(2, gap="large")


@contextmanager
def expander(title: str, *, is_open: bool = False) -> Iterator[None]:
    """Open a section that is collapsed until the viewer expands it, unless it is open from the start."""
    with st.expander(as_markdown(title), expanded=is_open):
        yield


def report_downloads(
    write: Callable[[str], bytes], forms: Sequence[str], key: str, caption: str = "Download report"
) -> None:
    """Offer a report in several formats, such as 'html'; `write` makes the file when somebody downloads it."""
    if not forms:
        return
    with st.container(horizontal=True, gap="small", width="content", vertical_alignment="center"):
        st.caption(as_markdown(caption), width="content")
        for form in forms:
            content, name = partial(write, form), f"{key}.{form}"
            st.download_button(
                as_markdown(form.upper()), content, name, key=f"{key}_as_{form}", on_click="ignore", type="tertiary"
            )


def drawing(svg: str, alt_text: str, note: str = "") -> None:
    """Show a drawing, as wide as it is or as the page, with a text for people who cannot see it."""
    st.image(svg, width="content", alt=as_markdown(alt_text))
    if note:
        caption(note)


def text_of_notes(abc: str) -> None:
    """Show notes as text in ABC, which can be copied."""
    with expander("As ABC"):
        st.code(abc, language=None)


def part_of_sound(title: str, sound: str | bytes | None, starts_s: float, ends_s: float) -> None:
    """Show a player of a part of a recording [s]; without a file, say that it is gone."""
    paragraph(f"{title}, {format_duration(starts_s)} to {format_duration(ends_s)}")
    if sound is None:
        caption("The audio file is not on this machine: it was moved, changed or removed.")
    else:
        st.audio(sound, start_time=starts_s, end_time=ends_s)


def sounds(files: "Sequence[Sound]") -> None:
    """Show players of excerpts side by side, one below the other on a phone; each with the whole file as a download."""
    for column, sound in zip(st.columns(max(1, len(files)), gap="large"), files, strict=False):
        with column:
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.markdown(fill("**{title}**", title=sound.title), width="content")
                st.download_button(
                    as_markdown(sound.path.suffix.removeprefix(".").upper() or "File"),
                    sound.path.read_bytes,
                    sound.path.name,
                    key=f"{sound.title}_download",
                    on_click="ignore",
                    type="tertiary",
                    help=as_markdown(f"Download the whole file: {sound.title}"),
                )
            st.audio(sound.excerpt, format="audio/flac")


def _parquet(rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_parquet(buffer)
    return buffer.getvalue()
