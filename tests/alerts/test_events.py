"""What is an alert: counted by hand on a small warehouse file."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from recsys.alerts.events import find_alerts
from recsys.alerts.figures import table, watched_figures
from recsys.state.watchlist import Item, Thresholds
from recsys.warehouse.query import Warehouse

MONDAY, AS_OF = date(2026, 6, 1), date(2026, 6, 29)  # four complete weeks, and a Monday
EVERYTHING = date(2026, 1, 1)
ARTIST, RECORDING, QUIET = (
    Item("artist", "a1", EVERYTHING),
    Item("recording", "t1", EVERYTHING),
    Item("artist", "a2", EVERYTHING),
)
PLAYS = {"t1": (60, 50, 0, 200), "t2": (10, 10, 10, 10)}  # by week; both of a1
TABLES = """
create schema marts; create schema meta;
create table meta.build as select date '2026-06-29' as as_of;
create table marts.track_features as select * from (values
    ('t1', 'One', 'a1', 'Anna'), ('t2', null, 'a1', 'Anna'), ('t3', 'Three', 'a2', 'Bea')
) as rows(track_id, title, artist_id, artist_name);
create table marts.label_figures as select * from (values
    ('week', 'n_plays', date '2026-06-01', date '2026-06-07', null, 70.0, false),
    ('week', 'n_plays', date '2026-06-08', date '2026-06-21', null, 500.0, false),
    ('week', 'n_plays', date '2026-06-22', date '2026-06-28', null, 400.0, false),
    ('artist', 'n_plays', date '2026-06-01', date '2026-06-07', 'a1', 70.0, false),
    ('artist', 'n_plays', date '2026-06-08', date '2026-06-21', 'a1', 280.0, false),
    ('artist', 'n_plays', date '2026-06-08', date '2026-06-21', 'a1', 20.0, true),
    ('artist', 'n_plays', date '2026-06-22', date '2026-06-28', 'a1', 300.0, false),
    ('artist', 'n_plays', date '2026-06-22', date '2026-06-28', 'a2', 40.0, true),
    ('recording', 'n_plays', date '2026-06-01', date '2026-06-07', 't1', null, false),
    ('recording', 'n_plays', date '2026-06-22', date '2026-06-28', 't1', 90.0, false),
    ('artist', 'n_listeners', date '2026-06-22', date '2026-06-28', 'a1', 44.0, false)
) as rows(dimension, measure, from_day, to_day, cell, value, is_late);
create table marts.chart_weekly as select * from (values
    ('Top', 's1', date '2026-06-24', 'One', 7, true, false), ('Top', 's3', date '2026-06-24', 'Three', 9, false, true),
    ('Top', 's1', date '2026-06-03', 'One', 5, false, false), ('Top', 's9', date '2026-06-24', 'Nine', 1, true, false)
) as rows(chart, song_id, chart_date, title, rank, is_new, is_reentry);
create table marts.chart_songs as select * from (values ('s1', 't1', 'a1'), ('s3', 't3', 'a2'))
    as rows(song_id, track_id, artist_id);
create table marts.recording_uses as select * from (values
    ('t1', 'x', 1.5, 20.0, 'upload', null, 0.95, date '2026-06-20'),
    ('t1', 'y', 0.0, 20.0, 'catalogue', 't3', 0.97, date '2026-06-28'),
    ('t1', 'z', 0.0, 20.0, 'upload', null, 0.85, date '2026-06-28')
) as rows(track_id, source_audio_id, starts_s, ends_s, source_kind, source_track_id, probability, found_on);
create table marts.playlist_tracks as select * from (values
    ('p1', 1, 't1', null, 'Pop Room', timestamp '2026-06-25 10:00:00'), ('p1', 9, 't1', null, 'Pop Room', null),
    ('p2', 1, 't1', 'listener', 'Mine', timestamp '2026-06-25 10:00:00')
) as rows(playlist_id, position, track_id, user_id, title, added_at);
create table marts.track_daily (track_id varchar, listen_date date, n_plays bigint);
create table marts.artist_daily (artist_id varchar, listen_date date, n_plays bigint);
"""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A file with a label's ledger, and with daily plays as only operators see them."""
    path = tmp_path_factory.mktemp("alerts") / "small.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(TABLES)
        for track, weeks in PLAYS.items():
            for week, n_plays in enumerate(weeks):
                day = MONDAY + timedelta(days=7 * week + 3)
                connection.execute("insert into marts.track_daily values (?, ?, ?)", [track, day, n_plays])
                connection.execute("insert into marts.artist_daily values ('a1', ?, ?)", [day, n_plays])
        connection.execute("insert into marts.track_daily values ('t1', ?, 999)", [AS_OF])
    with Warehouse.open(path) as opened:
        yield opened


def kinds(warehouse: Warehouse, *items: Item, is_label: bool = False, **thresholds: Any) -> list[str]:
    """Return the texts of the alerts on some items."""
    settings = Thresholds(**thresholds)
    as_of, found = find_alerts(warehouse, items, settings, is_label=is_label)
    assert as_of == AS_OF
    assert len({alert.event for alert in found}) == len(found)
    return [alert.text for alert in found]


ONLY_FIGURES: dict[str, Any] = {"chart_entries": False, "matches": False, "playlist_adds": False}


def test_an_operator_sees_complete_weeks(warehouse: Warehouse) -> None:
    """The plays of the incomplete week are left out; a week without plays is 0, and no change follows it."""
    rows = table(watched_figures(warehouse, [QUIET, ARTIST, RECORDING], is_label=False))

    assert rows.drop("from_day", "to_day").rows() == [
        (None, "Bea", 0, 0, None, None, None, "a2"),
        (None, "Anna", 210, 10, 20.0, 350, None, "a1"),
        ("One", "Anna", 200, 0, None, 310, "t1", "a1"),
    ]
    assert set(rows.select("from_day", "to_day").rows()) == {(date(2026, 6, 22), date(2026, 6, 28))}


def test_a_label_sees_the_lines_of_its_ledger(warehouse: Warehouse) -> None:
    """Late rows are added to their week; a cell of late rows alone, and one without a line, has no figure."""
    rows = table(watched_figures(warehouse, [ARTIST, QUIET, RECORDING], is_label=True))

    per_day = (300 / 7) / (300 / 14) - 1
    assert rows.drop("from_day", "to_day").rows() == [
        (None, "Anna", 300, 300, pytest.approx(per_day), 670, None, "a1"),
        (None, "Bea", None, None, None, None, None, "a2"),
        ("One", "Anna", 90, None, None, 90, "t1", "a1"),
    ]


def test_an_unknown_id_has_no_name_and_no_figure(warehouse: Warehouse) -> None:
    """It belongs to another label, or is gone: its id is all that is shown."""
    for item_id in ("not there", "'; drop table x; --", "a1' or 1=1"):
        rows = table(watched_figures(warehouse, [Item("recording", item_id, EVERYTHING)], is_label=True))
        assert rows.select("title", "artist_name", "n_plays", "track_id").rows() == [(item_id, None, None, item_id)]


def test_nothing_watched_is_an_empty_table(warehouse: Warehouse) -> None:
    """With the same columns and types."""
    assert table(watched_figures(warehouse, [], is_label=True)).schema["n_plays"] == pl.Int64
    assert kinds(warehouse) == []


def test_a_change_is_an_alert_from_its_threshold_on(warehouse: Warehouse) -> None:
    """For the label +100 % per day; just above it, or with too few plays in both weeks, there is none."""
    text = "Anna: plays per day rose by 100%: 300 plays from 22 June to 28 June 2026, 300 in the week before."
    for percent, expected in ((100, [text]), (101, []), (0, [])):
        found = kinds(warehouse, ARTIST, is_label=True, change_percent=percent, milestone=0, **ONLY_FIGURES)
        assert found == expected
    few = kinds(warehouse, ARTIST, is_label=True, least_plays=301, milestone=0, **ONLY_FIGURES)
    assert few == []


def test_a_milestone_is_reached_in_one_week(warehouse: Warehouse) -> None:
    """60, 110, 110 and 310 plays: 100 in the second week, 1,000 never; 31, 310 in the first and the last."""
    only: dict[str, Any] = {"change_percent": 0, **ONLY_FIGURES}

    assert kinds(warehouse, RECORDING, milestone=100, **only) == [
        "“One”: 100 plays so far, reached from 8 June to 14 June 2026."
    ]
    assert [text[:12] for text in kinds(warehouse, RECORDING, milestone=31, **only)] == ["“One”: 31 pl", "“One”: 310 p"]
    assert kinds(warehouse, RECORDING, milestone=311, **only) == []
    assert kinds(warehouse, RECORDING, milestone=0, **only) == []


def test_charts_matches_and_playlists(warehouse: Warehouse) -> None:
    """An artist brings the events of all recordings; weak matches and playlists of listeners are left out."""
    assert kinds(warehouse, ARTIST, QUIET, change_percent=0, milestone=0) == [
        "“One” entered Top at number 7 (24 June 2026).",
        "“Three” returned to Top at number 9 (24 June 2026).",
        "“One” was found in an upload (match probability 0.95).",
        "“One” was found in “Three” (match probability 0.97).",
        "“One” was added to the playlist “Pop Room” on 25 June 2026.",
    ]
    without_playlists = kinds(warehouse, RECORDING, is_label=True, change_percent=0, milestone=0)
    assert [text.split()[1] for text in without_playlists] == ["entered", "was", "was"]
    assert kinds(warehouse, ARTIST, change_percent=0, milestone=0, **ONLY_FIGURES) == []


def test_alerts_begin_a_week_before_an_item_was_added(warehouse: Warehouse) -> None:
    """Of two matches, the one eight days before the last day is too old; watched twice, an event is found once."""
    late = Item("recording", "t1", AS_OF)
    only: dict[str, Any] = {"change_percent": 0, "milestone": 0, "chart_entries": False, "playlist_adds": False}

    assert len(kinds(warehouse, RECORDING, **only)) == 2
    assert len(kinds(warehouse, late, **only)) == 1
    assert len(kinds(warehouse, late, ARTIST, **only)) == 2


def test_links_lead_to_the_evidence(warehouse: Warehouse) -> None:
    """By id."""
    _, found = find_alerts(warehouse, [ARTIST, RECORDING], Thresholds(milestone=100), is_label=False)

    assert {(alert.kind, alert.page, *alert.parameters.items()) for alert in found} == {
        ("change", "artist", ("artist", "a1")),
        ("milestone", "artist", ("artist", "a1")),
        ("milestone", "track", ("track", "t1")),
        ("chart_entry", "charts", ("chart", "Top")),
        ("match", "matches"),
        ("playlist_add", "track", ("track", "t1")),
    }
    assert Path(__file__).parents[2].joinpath("dashboards", "app_pages", "matches.py").exists()
