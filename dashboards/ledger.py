"""
What a label's pages show of listening: the lines of its ledger, and what queries compute from them.

Pages of `app_pages` call one function each for viewers of a label. Artists, recordings and groups have figures per week
only, the label's total also per day. A cell without a figure had too few listeners, and the page says so; never 0.
"""

from datetime import timedelta
from math import ceil

import polars as pl
import streamlit as st

from dashboards import charts, curve_notes, curves, data, filters, home, links, maps, parts, sentences, watching
from recsys.reports.wording import TOO_FEW, format_day, format_number, ledger_note, under_listeners

PERIODS = {"7": "the last closed week", "1": "the last closed day", "28": "the last four closed weeks"}
WEEKS = {"4": "the last four closed weeks", "1": "the last closed week"}
MEASURES = {
    "n_plays": "Plays",
    "hours_played": "Hours played",
    "n_skips": "Skips",
    "n_saves": "Saves",
    "n_likes": "Likes",
    "n_playlist_adds": "Playlist adds",
}
DIMENSIONS = {
    "country": "Country",
    "age_band": "Age",
    "gender": "Gender",
    "source": "Who chose the recording",
    "loyalty": "Played the label before",
}
SHARED = {name: DIMENSIONS[name] for name in ("country", "age_band", "gender", "source")}
SHORT_SOURCES = {"chosen by the listener": "chosen"}  # behind a line
OUTLIERS = {"recording": "recordings", "artist": "artists"}
WEEK_MEASURES = (
    *("n_plays", "n_listeners", "n_skips", "n_saves", "n_likes", "n_playlist_adds"),
    *("hours_played", "skip_share"),
)
DAY_UNIT = "plays per day; where a closed period has several days, their average on the last one"
ADDS_UNIT = "adds per day, average of each closed period"
WEEK_UNIT = "plays per day, average of each closed week; a gap is a week with too few listeners"


def note() -> None:
    """Tell viewers of a label what their figures include."""
    if not data.is_operator():
        parts.caption(ledger_note(data.least_listeners()))


def header(title: str, lead: str) -> None:
    """Show the title of a page, the question that it answers, and what the figures include."""
    parts.header(title, lead)
    note()


def without_listening(rows: pl.DataFrame) -> pl.DataFrame:
    """Leave out plays for viewers of a label: of single recordings, the ledger has no total."""
    return rows if data.is_operator() else rows.drop("n_plays", strict=False)


def overview() -> None:
    """Show the label's totals, what changed, and new releases."""
    header("Home", f"{data.viewer_label()}: what changed, compared with the period before.")
    with filters.row():
        days = filters.choose("Period", PERIODS, "days")
    parts.report_downloads(*data.label_report())
    totals = data.run_query("label_totals", days=days)
    if totals.is_empty():
        parts.empty_state("No period has been closed yet.", "A period is closed once it had enough listeners.")
        st.stop()
    n_weeks = "4" if days == "28" else "1"
    movers = _movers(n_weeks)
    parts.bullets(
        [sentences.change_sentence(MEASURES[row["measure"]], row) for row in totals.iter_rows(named=True)]
        + [sentences.artist_change_sentence(row) for row in movers.head(1).iter_rows(named=True)]
    )
    _totals(totals)
    home.findings()
    _line("Plays per day", data.run_query("label_trend", dimension="day"), DAY_UNIT, key="plays_by_day")
    if movers.is_empty():
        parts.empty_state("No artist's plays changed, or none has figures in both periods.", "Choose another period.")
    else:
        parts.figure(
            f"Artists whose plays changed most, {WEEKS[n_weeks]}",
            _with_ids(movers, "artist"),
            charts.bars(
                _with_ids(movers, "artist"), "difference", "artist_name", unit="change in plays from the weeks before"
            ),
            alt_text=f"First is {movers['artist_name'][0]} with {movers['difference'][0]:+,} plays.",
            key="artist_changes",
            opens="artist_name",
        )
    _releases()


def _movers(n_weeks: str) -> pl.DataFrame:
    """Return the ten artists whose plays changed most, largest gain first."""
    artists = data.run_query("label_parts", weeks=n_weeks).filter(pl.col("difference") != 0)
    most = artists.sort(pl.col("difference").abs(), descending=True).head(10).sort("difference", descending=True)
    return most.rename({"name": "artist_name", "n_plays": "n_now"})


def _totals(totals: pl.DataFrame) -> None:
    """Show the totals of periods that ended in the last closed seven days, and the plays of all closed periods."""
    newest = pl.col("last_date") > pl.col("last_date").max() - timedelta(days=7)
    with st.container(horizontal=True):
        for row in totals.filter(newest).iter_rows(named=True):
            parts.metric(
                MEASURES[row["measure"]],
                row["n_now"],
                definition=f"{format_day(row['first_date'])} to {format_day(row['last_date'])}.",
                change=row["change"],
                less_is_better=row["measure"] == "n_skips",
                missing="withheld",
            )
    for row in data.run_query("label_all_time").filter(measure="n_plays").iter_rows(named=True):
        since, total = format_day(row["first_date"]), format_number(row["value"])
        parts.caption(f"All closed periods since {since}: {total} plays.")


def _releases() -> None:
    """Show the recordings released in the last 28 days."""
    releases = data.run_query("label_releases")
    if releases.is_empty():
        parts.empty_state("Nothing was released in the last 28 days.")
        return
    parts.table(
        releases,
        mart="label_figures",
        key="new_releases",
        title="New releases",
        names={"artist_name": "artist", "release_date": "released", "n_plays": "plays, last closed week"},
        missing=TOO_FEW,
    )


def artist() -> None:
    """Show an artist's weeks and recordings."""
    header("Artist", "One artist's plays, listeners and recordings by week.")
    with filters.row():
        artist_id = filters.choose_artist()
        n_weeks = filters.choose("Recordings of", WEEKS, "weeks")
        dimension = filters.choose("Group plays by", SHARED, "by")
        watching.watch_button(artist_id)
    links.compare_link(links.COMPARED_ARTISTS, artist_id)
    parts.portrait(data.artist_name(artist_id))
    parts.report_downloads(*data.artist_report(artist_id))
    _weeks("artist", artist_id)
    _audience_of(artist_id, dimension)
    recordings = data.run_query("label_parts", dimension="recording", artist_id=artist_id, weeks=n_weeks)
    title = f"Recordings, {WEEKS[n_weeks]}"
    rows = recordings.drop("n_listeners")
    _parts(rows, title, key="artist_tracks", dimension="recording", artist_id=artist_id)


def _audience_of(artist_id: str, dimension: str) -> None:
    """Show how an artist's plays divide in the last closed week with shares."""
    groups = data.run_query("label_artist_audience", artist_id=artist_id, dimension=dimension)
    groups = sentences.with_code_names(groups, "name", dimension)
    if groups["cell"].count() == 0:
        parts.empty_state("The artist had too few listeners to divide them into groups.", "Choose another grouping.")
        return
    first, last = (format_day(groups[name][0]) for name in ("from_day", "to_day"))
    parts.figure(
        f"Share of plays, {SHARED[dimension].lower()}",
        groups.drop("label_id", "cell"),
        charts.bars(groups, "share", "name", unit="%"),
        alt_text=f"The first group is {groups['name'][0]}, about {groups['share'][0]:.0%} of the artist's plays.",
        key="artist_audience",
        note=f"From {first} to {last}. To protect listeners, each share is blurred by at most "
        f"{ceil(100 * groups['error'][0])} points; the same group is always blurred alike.",
    )


def track(track_id: str) -> None:
    """Show a recording's weeks."""
    note()
    _weeks("recording", track_id)


def trends() -> None:
    """Show how fast artists grow."""
    header("Trends", "Which artists are growing, and how fast, compared with the weeks before.")
    with filters.row():
        n_weeks = filters.choose("Period", WEEKS, "weeks")
    artists = data.run_query("label_parts", weeks=n_weeks)
    growing = artists.filter(pl.col("change") > 0).sort("change", descending=True).head(12)
    if not growing.is_empty():
        parts.figure(
            "Fastest growing artists",
            _with_ids(growing, "artist"),
            charts.bars(_with_ids(growing, "artist"), "change", "name", unit="%"),
            alt_text=f"{growing['name'][0]} is growing fastest, by {growing['change'][0]:+.0%}.",
            key="velocity",
            opens="name",
        )
    _parts(artists, f"All artists, {WEEKS[n_weeks]}", key="trending_artists", dimension="artist")
    _recording_changes()
    parts.market_moves(data.run_query_if_stored("label_market_moves").drop("label_id", strict=False))


def _recording_changes() -> None:
    """Show the recordings of the last closed week, those whose plays changed most first."""
    rows = data.run_query("label_recordings")
    if rows.is_empty():
        parts.empty_state("No recording has a figure in the last closed week.", "All artists has their plays together.")
        return
    parts.table(
        _with_ids(curves.of_label(rows, "recording"), "recording").drop("artist_id"),
        mart="label_figures",
        key="recording_changes",
        title="Recordings by change of plays, the last closed week",
        names={"name": "recording", "artist_name": "artist", "curve": "last weeks", "n_plays_before": "week before"},
    )
    parts.caption(f"At most 100 recordings; one with {under_listeners(data.least_listeners())} has no figure.")


def breakouts() -> None:
    """Show recordings or artists far above, and artists far below, their weeks before."""
    header("Breakouts", "Recordings and artists whose last closed week is far above or below their own weeks before.")
    with filters.row():
        dimension = filters.choose("Show", OUTLIERS, "of")
    found, drops = (
        data.run_query("label_outliers", dimension=dimension, direction=direction) for direction in ("rise", "drop")
    )
    if found.is_empty():
        parts.empty_state("Nothing broke out in the last closed week.", "This is common. See Trends for slower growth.")
    else:
        parts.bullets([sentences.outlier_sentence(row) for row in found.head(3).iter_rows(named=True)])
        parts.figure(
            "Plays above expectation",
            _with_ids(found, dimension),
            charts.bars(
                _with_ids(found.head(20), dimension),
                "z",
                "name",
                unit="distance from the weeks before, in standard deviations",
            ),
            alt_text=f"{found['name'][0]} is furthest above.",
            key="breakouts",
            opens="name",
        )
    for rows, title, key in ((found, "All breakouts", "breakouts_table"), (drops, "Unusual drops", "drops")):
        if not rows.is_empty():
            names = {"n_expected": "expected plays", "curve": "last weeks", "z": "distance (z)"}
            shown = _with_ids(curves.of_label(rows, dimension), dimension)
            parts.table(shown, mart="label_figures", key=key, title=title, names=names)


def audience() -> None:
    """Show the label's plays by group of listeners and by source."""
    header("Audience", "Who listens to the label's music. Unknown countries, ages and genders are groups of their own.")
    with filters.row():
        dimension = filters.choose("Group plays by", DIMENSIONS, "by")
        n_weeks = filters.choose("Period", WEEKS, "weeks")
    groups = data.run_query("label_parts", dimension=dimension, weeks=n_weeks)
    groups = sentences.with_code_names(groups, "name", dimension)
    shown = groups.drop_nulls("share")
    if shown["cell"].count() == 0:
        parts.empty_state("No group had enough listeners in each of these weeks.", "Choose the last closed week.")
    else:
        parts.figure(
            "Share of plays",
            shown,
            charts.bars(shown, "share", "name", unit="%"),
            alt_text=f"The first group is {shown['name'][0]}, {shown['share'][0]:.0%} of plays.",
            key="audience",
        )
    _parts(groups.drop("n_listeners"), f"{DIMENSIONS[dimension]}, {WEEKS[n_weeks]}", key="groups", dimension=dimension)
    _overlap()


def markets() -> None:
    """Show in which countries the label is played, and where one of its artists is played more than the label."""
    header("Markets", "In which countries the label's music is played, and where one of its artists stands out.")
    with filters.row():
        n_weeks = filters.choose("Period", WEEKS, "weeks")
    groups = data.run_query("label_parts", dimension="country", weeks=n_weeks)
    countries = maps.with_names(groups.drop_nulls("cell").rename({"cell": "country"}).drop("name"))
    if countries.is_empty():
        parts.empty_state("No country had enough listeners in each of these weeks.", "Choose the last closed week.")
    else:
        under = under_listeners(data.least_listeners())
        maps.figure(
            f"Countries, {WEEKS[n_weeks]}",
            countries.drop("label_id", "n_listeners"),
            "share",
            share="share",
            key="world",
            alt_text=f"Map of the countries; most plays come from {countries['name'][0]}, {countries['share'][0]:.0%}.",
            note=f"Share of the label's plays. Grey: {under} in one of these weeks, or nobody (see all others).",
        )
    named = sentences.with_code_names(groups, "name", "country")
    _parts(named.drop("n_listeners"), f"Plays by country, {WEEKS[n_weeks]}", key="countries", dimension="country")
    _artist_markets()


def _artist_markets() -> None:
    """Show where one of the label's artists is played more than its other music."""
    parts.heading("Where an artist stands out")
    with filters.row():
        artist_id = filters.choose_artist()
    found = maps.with_names(data.run_query("label_markets", artist_id=artist_id))
    if found.is_empty():
        parts.empty_state("The artist had too few listeners to divide them into countries.", "Choose another artist.")
        return
    first, last = (format_day(found[name][0]) for name in ("from_day", "to_day"))
    most = maps.standing_out(found)
    if most.is_empty():
        parts.caption("In no country is the artist clearly played more than the label's other music.")
    else:
        parts.bullets([sentences.artist_market_sentence(row) for row in most.iter_rows(named=True)])
    shown = found.drop("label_id")
    maps.figure(
        "The artist compared with the label",
        shown,
        "ratio",
        share="share",
        key="artist_world",
        alt_text=f"Map of the countries; the artist stands out most in {found['name'][0]}.",
        note=f"From {first} to {last}. Grey: {under_listeners(data.least_listeners())}, or nobody. To protect them, "
        f"each share is blurred by at most {ceil(100 * found['error'][0])} points; the ratio is between low and high.",
        unit="the country's share of the artist's plays / its share of the label's plays",
    )
    parts.table(
        shown.select("name", "share", "label_share", "ratio", "low", "high"),
        mart="label_figures",
        key="artist_markets",
        title="The artist by country",
        names={"name": "country", "share": "share of the artist's plays", "label_share": "share of the label's plays"},
        formats=dict.fromkeys(("ratio", "low", "high"), "%.2f"),
    )


def _overlap() -> None:
    """Show which other artists the listeners of one of the label's artists play."""
    parts.heading("Which other artists they listen to")
    with filters.row():
        artist_id = filters.choose_artist()
    others = data.run_query("label_overlap", artist_id=artist_id)
    if others.is_empty():
        parts.empty_state("No other artist shares enough listeners with this one.", "It is counted once a month ends.")
        return
    first, last = (format_day(others[name][0]) for name in ("from_day", "to_day"))
    parts.figure(
        "Artists whose listeners overlap most",
        others.select("name", "share"),
        charts.bars(others.select("name", "share").head(12), "share", "name", unit="%"),
        alt_text=f"First is {others['name'][0]}, whom about {others['share'][0]:.0%} of the artist's listeners play.",
        key="overlap_bars",
    )
    parts.table(
        others.select("name", "share"),
        mart="label_figures",
        key="overlap",
        title=f"Other artists, from {first} to {last}",
        names={"name": "artist", "share": "share of listeners"},
    )
    parts.caption(
        "Listeners who play both artists much, as a share of the artist's. To protect them, up to five are added or "
        "left out; artists whom over 40 % of either's listeners share are not listed."
    )


def sources() -> None:
    """Show who chooses the label's music and that of one of its artists, and who comes back for it."""
    header("Sources and loyalty", "Who chooses the label's music, and who comes back for it, week by week.")
    _sources(data.run_query("label_sources").drop("error"), "Who chose the recording", key="sources")
    _loyalty()
    weeks = data.run_query("label_trend").drop_nulls("streams_per_listener")
    if not weeks.is_empty():
        parts.figure(
            "Plays per listener",
            weeks,
            charts.lines(weeks, "to_day", "streams_per_listener", unit="plays per listener", points=True),
            alt_text=f"{weeks['streams_per_listener'][-1]:.1f} plays per listener in the last closed week.",
            key="intensity",
            note="Plays of each closed week / its listeners.",
        )
    parts.heading("By artist")
    with filters.row():
        artist_id = filters.choose_artist()
    shares = data.run_query("label_sources", artist_id=artist_id).drop("n_plays")
    note = "To protect listeners, shares are blurred, in the last week by at most {error} points."
    _sources(shares, "Who chose the artist's recordings", key="artist_sources", note=note)


def _sources(weeks: pl.DataFrame, title: str, *, key: str, note: str = "") -> None:
    """Show the shares of plays by who chose the recording, over closed weeks."""
    if weeks.is_empty():
        parts.empty_state("No closed week had enough listeners for this.", "A week is closed once it had enough.")
        return
    last = weeks.filter(pl.col("to_day") == pl.col("to_day").max())
    if not note:
        parts.bullets([sentences.parts_sentence("Plays", last, "n_plays", "play_share", "part")])
    short = weeks.with_columns(pl.col("part").replace(SHORT_SOURCES))
    blur = note.format(error=ceil(100 * last["error"][0])) if note else ""
    parts.figure(
        title,
        weeks.drop("label_id"),
        charts.lines(short, "to_day", "play_share", by="part", unit="%", points=True),
        alt_text=", ".join(f"{share:.0%} {part}" for part, share in last.select("part", "play_share").iter_rows())
        + ".",
        key=key,
        note=f"Share of the plays of each closed week; plays from playlists are not told apart. {blur}".strip(),
    )


def _loyalty() -> None:
    """Show how many of the label's listeners are new to it and how many come back."""
    weeks = data.run_query("label_loyalty").drop_nulls("share")
    if weeks.is_empty():
        parts.empty_state("No closed week tells yet who comes back.", "It is counted when a week is closed.")
        return
    last = weeks.filter(pl.col("to_day") == pl.col("to_day").max())
    parts.bullets([sentences.parts_sentence("Listeners", last, "n_listeners", "share", "name")])
    parts.figure(
        "Who comes back",
        weeks.drop("label_id", "cell"),
        charts.lines(weeks, "to_day", "share", by="name", unit="%", points=True),
        alt_text=", ".join(f"{share:.0%} {name}" for name, share in last.select("name", "share").iter_rows()) + ".",
        key="loyalty",
        note="Share of the listeners of each closed week. New: played nothing of the label before; returning: played "
        "it in the four weeks before; back: longer ago; unknown: the log was under eight weeks old.",
    )


def exposure() -> None:
    """Show to how many listeners recommendations showed the label, and how prominently."""
    header("Exposure", "How many listeners are recommended the label's music, and how high on their lists.")
    weeks = data.run_query("label_shown")
    if weeks.is_empty():
        parts.empty_state("Too few listeners are recommended this music.", "It is counted when a week is closed.")
        return
    last = weeks.row(-1, named=True)
    with st.container(horizontal=True):
        definition = "Listeners with a recording of the label on their list"
        parts.metric("Listeners reached", last["n_shown"], definition=definition)
        definition = "Positions on all lists; position r counts 1 / log2(1 + r)."
        parts.metric("Exposure", last["exposure"], definition=definition)
        parts.metric("Exposure / listener", last["exposure_per_listener"], definition="Exposure / listeners reached")
    parts.caption(f"Lists of {format_day(last['shown_on'])}.")
    if last["n_listeners"]:
        parts.bullets([sentences.reached_sentence(last)])
    shown = weeks.drop("label_id").reverse()
    names = {
        "n_listeners": "listeners of the week",
        "shown_on": "lists of",
        "n_shown": "listeners reached",
        "exposure_per_listener": "exposure / listener",
    }
    formats = {"exposure_per_listener": "%.2f"}
    parts.table(shown, mart="label_figures", key="shown", title="Closed weeks", names=names, formats=formats)


def playlists() -> None:
    """Show how often listeners added the label's recordings to playlists, and how plays changed after it."""
    header("Playlists", "How often listeners add the label's recordings to playlists, and how plays changed after it.")
    weeks = data.run_query("label_playlist_adds")
    last = weeks["adds_a_day"].drop_nulls()
    if last.is_empty():
        parts.empty_state("No week of playlist adds has been closed yet.", "It needs enough listeners who added.")
        st.stop()
    parts.figure(
        "Playlist adds by week",
        weeks.drop("label_id"),
        charts.lines(weeks, "to_day", "adds_a_day", unit=ADDS_UNIT, points=True),
        alt_text=f"Playlist adds per day, {last[-1]:,.1f} in the last period with a figure.",
        key="playlist_adds",
        note=f"Closed weeks since {format_day(weeks['from_day'][0])}, when these figures begin.",
    )
    _effects(data.run_query("label_playlist_effects"))


def _effects(effects: pl.DataFrame) -> None:
    """Show how plays of recordings changed after weeks of adds."""
    if effects.is_empty():
        least = data.least_listeners()
        parts.empty_state(
            f"No recording was added to playlists by {least} listeners in one week.",
            "Effects need a figure of the adds, and of plays in the four weeks before and after.",
        )
        return
    names = {"n_playlist_adds": "adds", "plays_before": "plays per day before", "plays_after": "plays per day after"}
    parts.table(
        effects.drop("label_id"),
        mart="playlist_effect",
        key="playlist_effects",
        title="Effect of playlist adds",
        names=names | {"control_lift": "change of the label's other plays", "lift": "effect"},
        formats=dict.fromkeys(("plays_before", "plays_after", "control_lift", "lift"), "%.2f"),
    )
    parts.caption(
        "Plays in the four weeks after the week of the adds against the four before, compared with the same change of "
        "the label's other plays. Recordings may be added because interest is already rising: no proof of cause."
    )


def _weeks(dimension: str, cell: str) -> None:
    """Show the last week, a line and a table of all weeks of an artist or a recording."""
    weeks = data.run_query("label_trend", dimension=dimension, cell=cell)
    known = [name for name in WEEK_MEASURES if weeks[name].count()]
    if not known:
        under = under_listeners(data.least_listeners())
        parts.empty_state(f"Every closed week had {under}.", "The plays are in all others.")
        return
    last = weeks.row(-1, named=True)
    missing = "withheld" if last["is_withheld"] else TOO_FEW
    with st.container(horizontal=True):
        parts.metric("Plays", last["n_plays"], column=("label_figures", "n_plays"), missing=missing)
        if dimension == "artist":
            parts.metric("Listeners", last["n_listeners"], column=("label_figures", "n_listeners"), missing=missing)
        definition = data.column_meaning("label_figures", "skip_share") or ""
        parts.metric("Skip share", last["skip_share"], unit="%", definition=definition, missing=missing)
    parts.caption(f"Week from {format_day(last['from_day'])} to {format_day(last['to_day'])}.")
    notes = curve_notes.notes_on(weeks, dimension, cell, x="to_day", y="plays_a_day", first=weeks["from_day"][0])
    _line("Plays by week", weeks, WEEK_UNIT, key=f"{dimension}_trend", points=True, notes=notes)
    curve_notes.list_notes(notes)
    parts.table(
        weeks.filter(~pl.col("is_withheld")).select("from_day", "to_day", *known).reverse(),
        mart="label_figures",
        key=f"{dimension}_weeks",
        title="Closed weeks",
        names={"from_day": "from", "to_day": "to"},
        formats={"hours_played": "%.1f"},
        missing=TOO_FEW,
    )


def _line(
    title: str,
    periods: pl.DataFrame,
    unit: str,
    *,
    key: str,
    points: bool = False,
    notes: pl.DataFrame | None = None,
) -> None:
    """Draw plays per day over closed periods, each on its last day, with notes on the line."""
    last = periods["plays_a_day"].drop_nulls()
    if last.is_empty():
        return
    parts.figure(
        title,
        periods,
        charts.lines(periods, "to_day", "plays_a_day", unit=unit, points=points, notes=notes),
        alt_text=f"{title}, {last[-1]:,.0f} per day in the last period with a figure.",
        key=key,
    )


def _parts(rows: pl.DataFrame, title: str, *, key: str, dimension: str, artist_id: str = "") -> None:
    """Show the parts of a total, which add up to it with the row of all others."""
    if rows.is_empty():
        parts.empty_state("There are no closed weeks with figures for this.", "Choose one week, or another artist.")
        return
    with_curves = curves.of_label(rows.drop("first_date", "last_date"), dimension, artist_id)
    names = {"n_listeners": "listeners, last week", "curve": "last weeks"}
    shown = _with_ids(with_curves, dimension)
    parts.table(shown, mart="label_figures", key=key, title=title, names=names)
    first, last = (format_day(rows[name][0]) for name in ("first_date", "last_date"))
    parts.caption(f"From {first} to {last}. The rows add up to the total.")


def _with_ids(rows: pl.DataFrame, dimension: str) -> pl.DataFrame:
    """Name the ids of artists or recordings as tables expect them, to open their pages; leave out other cells."""
    shown = rows.drop("label_id")
    id_column = {"artist": "artist_id", "recording": "track_id"}.get(dimension)
    if id_column is None:
        return shown.drop("cell")
    return shown.drop(id_column, strict=False).rename({"cell": id_column})
