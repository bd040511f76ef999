"""Definitions of the marts, on rows that can be counted by hand."""

from datetime import date
from pathlib import Path

import pytest

from recsys.warehouse.query import Warehouse

from .conftest import AS_OF, WORLD, Place, frame_of, place_in, rows

# length of the track, time played, whether the listener ended it -> plays, skips
LISTENS = {
    "thirty seconds": (200_000, 30_000, "", 1, 0),
    "thirty seconds, then ended": (200_000, 30_000, "true", 1, 0),
    "just under, nobody says": (200_000, 29_999, "", 0, 1),
    "just under, ended": (200_000, 29_999, "true", 0, 1),
    "just under, broke off": (200_000, 29_999, "false", 0, 0),
    "half a short track": (40_000, 20_000, "", 1, 0),
    "half a short track, then ended": (40_000, 20_000, "true", 1, 0),
    "under half a short track": (40_000, 19_999, "", 0, 1),
    "under half a short track, broke off": (40_000, 19_999, "false", 0, 0),
    "half an odd length": (40_001, 20_000, "", 0, 1),
    "length unknown, long": ("", 30_000, "", 1, 0),
    "length unknown, short": ("", 29_999, "", 0, 1),
    "a scrobble": (200_000, "", "", 1, 0),
    "a scrobble of unknown length": ("", "", "", 1, 0),
    "no time played, ended": (200_000, "", "true", 0, 1),
    "no time played, not ended": (200_000, "", "false", 1, 0),
}


@pytest.fixture(scope="module")
def classified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a warehouse with one track and one listen per case, and a listen of a track without metadata."""
    place = place_in(tmp_path_factory.mktemp("classified"))
    cases = enumerate(LISTENS.values())
    tracks, listens = ["track_id,title,artist_id,duration_ms"], ["user_id,track_id,listened_at,ms_played,skipped"]
    for n, (duration_ms, ms_played, skipped, _, _) in cases:
        tracks.append(f"t{n},x,ar1,{duration_ms}")
        listens.append(f"ann,t{n},2026-01-01T10:00:00Z,{ms_played},{skipped}")
    listens.append("ann,stub,2026-01-01T10:00:00Z,20000,")
    place.take("tracks.csv", "\n".join(tracks))
    place.take("listens.csv", "\n".join(listens))
    place.take(
        "counted.csv",
        "user_id,track_id,listened_at,n_listens,ms_played\nbob,t0,2026-01-01,5,30000\nbob,t2,2026-01-01,7,1000\n",
    )
    return place.build("classified", only=["marts.interactions_daily"])


@pytest.mark.parametrize("case", LISTENS)
def test_what_is_a_play_and_what_a_skip(classified: Path, case: str) -> None:
    """At least 30 s or half the track is a play; a shorter listen is a skip, unless the listener did not end it."""
    n, (*_, n_plays, n_skips) = list(LISTENS).index(case), LISTENS[case]

    query = (
        f"select n_listens, n_plays, n_skips from marts.interactions_daily where track_id = 't{n}' and n_listens = 1"
    )
    assert rows(classified, query) == [(1, n_plays, n_skips)]


def test_source_and_completion_of_plays(place: Place) -> None:
    """Plays with a known source and listens with known lengths are counted; 90 % heard is complete."""
    place.take("tracks.csv", "track_id,title,artist_id,duration_ms\nt1,x,ar1,200000\nt2,x,ar1,\n")
    place.take(
        "listens.csv",
        "user_id,track_id,listened_at,ms_played,source\n"
        "ann,t1,2026-01-01T10:00:00Z,180000,active\n"
        "ann,t1,2026-01-01T11:00:00Z,179999,Algorithmic\n"
        "ann,t1,2026-01-01T12:00:00Z,1000,algorithmic\n"
        "ann,t1,2026-01-01T13:00:00Z,,\n"
        "ann,t2,2026-01-01T14:00:00Z,180000,active\n",
    )
    warehouse = place.build("sources", only=["marts.artist_daily"])

    of_day = "n_plays, n_active_plays, n_algorithmic_plays, n_timed_listens, n_completions"
    assert rows(warehouse, f"select {of_day} from marts.artist_daily") == [(4, 2, 1, 3, 1)]


def test_a_stub_has_no_length(classified: Path) -> None:
    """Twenty seconds of a track of unknown length are a skip."""
    query = "select n_plays, n_skips from marts.interactions_daily where track_id = 'stub'"

    assert rows(classified, query) == [(0, 1)]


def test_rows_with_a_count_have_that_many_times_the_weight(classified: Path) -> None:
    """A row that counts five plays or seven skips has five or seven times the weight."""
    query = "select n_listens, n_plays, n_skips, weight from marts.interactions_daily where n_listens > 1 order by 1"

    assert rows(classified, query) == [(5, 5, 0, 5.0), (7, 0, 7, -1.75)]


def test_the_weight_of_a_day(place: Place) -> None:
    """A play has weight 1; the weights of all other events are defined once."""
    weights = {"like": 2.0, "save": 2.0, "playlist_add": 1.5, "share": 1.5, "unlike": -3.0}
    events = "".join(f"ann,{event},2026-01-01,{event}\n" for event in weights)
    place.take(
        "events.csv", f"user_id,track_id,event_at,event\n{events}bob,all,2026-01-01,like\nbob,all,2026-01-01,share\n"
    )
    listens = ["ann,play,2026-01-01,30000", "ann,skip,2026-01-01,1000", "bob,all,2026-01-01T10:00:00Z,30000"]
    listens += ["bob,all,2026-01-01T11:00:00Z,30000", "bob,all,2026-01-01T12:00:00Z,1000"]
    place.take("listens.csv", "user_id,track_id,listened_at,ms_played\n" + "\n".join(listens))

    with Warehouse.open(place.build("w", only=["marts.interactions_daily"])) as warehouse:
        weights_found = dict(warehouse.query("select track_id, weight from marts.interactions_daily").rows())

    assert weights_found == weights | {"play": 1.0, "skip": -0.25, "all": 2 * 1.0 - 0.25 + 2.0 + 1.5}


def test_a_day_has_the_time_of_its_last_listen_or_event(place: Place) -> None:
    """It is the later of the two, also for a skip: sequence models order plays by it."""
    listens = ["ann,t1,2026-01-01T10:00:00Z", "ann,t1,2026-01-01T11:30:00Z", "ann,t2,2026-01-01T12:00:00Z"]
    place.take("listens.csv", "user_id,track_id,listened_at\n" + "\n".join(listens))
    place.take("events.csv", "user_id,track_id,event_at,event\nann,t2,2026-01-01T23:15:00Z,like\n")

    with Warehouse.open(place.build("w", only=["marts.interactions_daily"])) as warehouse:
        query = "select track_id, epoch(last_listened_at) % 86400 / 3600 from marts.interactions_daily"
        assert dict(warehouse.query(query).rows()) == {"t1": 11.5, "t2": 23.25}


def test_a_day_has_the_local_time_of_its_last_listen(place: Place) -> None:
    """It is the last local time of the listens, null without a UTC offset."""
    listens = ["t1,2026-01-01T10:00:00Z,120", "t1,2026-01-01T23:30:00Z,60", "t2,2026-01-01T12:00:00Z,"]
    rows = "\n".join(f"ann,{listen}" for listen in listens)
    place.take("listens.csv", f"user_id,track_id,listened_at,utc_offset_min\n{rows}")

    with Warehouse.open(place.build("w", only=["marts.interactions_daily"])) as warehouse:
        found = warehouse.query("select track_id, strftime(last_local_at, '%d %H:%M') from marts.interactions_daily")

    assert dict(found.rows()) == {"t1": "02 00:30", "t2": None}


def test_weights_add_up_over_days(warehouse: Warehouse, world: Place) -> None:
    """Ann played t1 on two days and liked it on the second day."""
    pair = warehouse.query(
        "select n_plays, n_likes, ms_played, weight, n_days, first_date, last_date from marts.interactions "
        "where user_id = $ann and track_id = 't1'",
        {"ann": world.listener("ann")},
    )

    assert pair.rows() == [(2, 1, 400_000, 4.0, 2, date(2026, 1, 5), date(2026, 1, 6))]


def test_a_day_ends_at_midnight_utc(warehouse: Warehouse) -> None:
    """Two plays one second apart are on two days."""
    days = warehouse.query("select track_id, listen_date from marts.track_daily where listen_date >= date '2026-01-11'")

    assert set(days.rows()) == {
        ("t1", date(2026, 1, 11)),
        ("t3", date(2026, 1, 12)),
        ("stub", date(2026, 1, 12)),
    }


def test_a_track_that_is_only_mentioned_is_a_stub(warehouse: Warehouse) -> None:
    """A track in a listen or playlist is a row with unknown attributes."""
    query = "select track_id, is_known, title, genre, label_type, training_consent from marts.track_features order by 1"

    assert warehouse.query(query).rows() == [
        ("onlist", False, None, "unknown", "unknown", "unknown"),
        ("stub", False, None, "unknown", "unknown", "unknown"),
        ("t1", True, "One", "rock", "independent", "granted"),
        ("t2", True, "Two", "rock", "independent", "granted"),
        ("t3", True, "Three", "jazz", "independent", "granted"),
    ]


def test_every_listener_in_any_file_has_a_profile(warehouse: Warehouse, world: Place) -> None:
    """Also listeners who only liked, made a playlist or signed up; missing attributes are `unknown`."""
    profiles = warehouse.query(
        "select user_id, gender, age_band, is_known, n_days, n_plays from marts.listener_profile"
    )
    names = {world.listener(account): account for account in ("ann", "bob", "cyd", "eve", "fay")}

    assert {(names[user_id], *attributes) for user_id, *attributes in profiles.rows()} == {
        ("ann", "female", "25-34", True, 2, 2),
        ("bob", "unknown", "unknown", False, 2, 3),
        ("cyd", "unknown", "unknown", False, 1, 0),
        ("eve", "nonbinary", "65+", True, 0, 0),
        ("fay", "unknown", "unknown", False, 0, 0),
    }


def test_an_artists_week_runs_from_monday_to_sunday(warehouse: Warehouse) -> None:
    """11 January 2026 is a Sunday: bob's t1 is in the week of the 5th, his t3 in that of the 12th."""
    weeks = warehouse.query(
        "select artist_id, week_start, n_listeners, n_tracks, n_plays, n_skips, skip_share from marts.artist_weekly"
    )

    assert set(weeks.rows()) == {
        ("ar1", date(2026, 1, 5), 2, 1, 3, 1, 0.25),
        ("ar2", date(2025, 12, 29), 0, 0, 0, 0, None),
        ("ar2", date(2026, 1, 12), 1, 1, 1, 0, 0.0),
    }


def test_an_artists_reach(warehouse: Warehouse) -> None:
    """Listeners are counted once; dates are those of plays."""
    query = (
        "select artist_id, main_genre, n_tracks, n_listeners, n_plays, n_skips, first_date from marts.artist_profile"
    )

    assert set(warehouse.query(query).rows()) == {
        ("ar1", "rock", 2, 2, 3, 1, date(2026, 1, 5)),
        ("ar2", "jazz", 1, 1, 1, 0, date(2026, 1, 12)),
    }


TRACK_COLUMNS = (
    "track_id,title,artist_id,label_id,release_date,duration_ms,isrc,genres,language,explicit,training_consent"
)
ISSUES = f"""{TRACK_COLUMNS}
good,Good,ar1,la1,2020-01-01,200000,USRC17600001,rock,en,false,granted
stranger,Stranger,nobody,la1,2020-01-01,200000,USRC17600002,rock,en,false,granted
orphan,Orphan,ar1,nolabel,2020-01-01,200000,USRC17600003,rock,en,false,granted
bare,Bare,ar1,,,,,,,,
early,Early,ar1,la1,2026-01-20,200000,USRC17600004,rock,en,false,granted
saved,Saved,ar1,la1,2026-01-20,200000,USRC17600005,rock,en,false,denied
long,Long,ar1,la1,2020-01-01,3600001,USRC17600006,rock,en,false,granted
short,Short,ar1,la1,2020-01-01,9999,US-RC1-76-00007,rock,en,false,granted
twin,Twin,ar1,la1,2020-01-01,100000,USRC17600008,rock,en,false,granted
other,Other,ar1,la1,2020-01-01,110000,USRC17600008,rock,en,false,granted
same, SAME ,ar1,la1,2020-01-01,120400,USRC17600009,rock,en,false,granted
same2,Same,ar1,la1,2020-01-01,119600,USRC17600010,rock,en,false,granted
"""


def test_issues_of_the_catalogue(place: Place) -> None:
    """Each issue is listed once; saving a track before its release is not an issue."""
    place.take("tracks.csv", ISSUES)
    place.take("artists.csv", WORLD["artists"])
    place.take("labels.csv", WORLD["labels"])
    place.take(
        "listens.csv", "user_id,track_id,listened_at\nann,early,2026-01-19\nann,good,2026-01-19\nann,stub,2026-01-19\n"
    )
    place.take("events.csv", "user_id,track_id,event_at,event\nann,saved,2026-01-19,save\n")

    found = rows(
        place.build("w", only=["marts.catalogue_health"]),
        "select track_id, kind, issue, detail, n_plays from marts.catalogue_health",
    )

    missing = ("label", "release_date", "duration", "isrc", "genre", "language", "explicit")
    assert set(found) == {
        ("stub", "missing", "unknown_track", None, 1),
        ("stranger", "missing", "unknown_artist", "nobody", 0),
        ("orphan", "missing", "unknown_label", "nolabel", 0),
        *(("bare", "missing", f"no_{name}", None, 0) for name in missing),
        ("bare", "missing", "consent_unknown", None, 0),
        ("early", "improbable", "heard_before_release", "2026-01-20", 1),
        ("long", "improbable", "odd_duration", "3600001", 0),
        ("short", "improbable", "odd_duration", "9999", 0),
        ("short", "improbable", "odd_isrc", "US-RC1-76-00007", 0),
        ("twin", "duplicate", "shared_isrc", "USRC17600008", 0),
        ("other", "duplicate", "shared_isrc", "USRC17600008", 0),
        ("same", "duplicate", "same_recording", "SAME", 0),
        ("same2", "duplicate", "same_recording", "Same", 0),
    }
    assert len(found) == len(set(found))


def test_the_outcome_of_every_row(place: Place) -> None:
    """Accepted rows, duplicates and refused rows by reason and column add up to the rows read."""
    listens = "user_id,track_id,listened_at\nann,t1,2026-01-01\nann,t1,2026-01-01\n,t1,2026-01-01\n,t2,2026-01-01\nx\n"
    place.take("listens.csv", listens)

    assert set(
        rows(
            place.build("w", only=["marts.data_quality"]), "select outcome, column_name, n_rows from marts.data_quality"
        )
    ) == {
        ("accepted", "", 1),
        ("duplicate", "", 1),
        ("missing_value", "user_id", 2),
        ("malformed_row", "", 1),
    }


@pytest.mark.parametrize(
    "without", [("tracks",), ("tracks", "artists", "labels", "users", "playlists", "events"), ("artists",)], ids=str
)
def test_files_may_be_missing(place: Place, without: tuple[str, ...]) -> None:
    """Listens alone are enough: their tracks are stubs."""
    for name in WORLD.keys() - set(without):
        place.take(f"{name}.csv", WORLD[name])

    n_listens = frame_of(WORLD["listens"]).height
    assert rows(
        place.build("w", only=["marts.interactions"]), "select sum(n_listens)::bigint from marts.interactions"
    ) == [(n_listens,)]


def test_the_newest_row_of_a_reference_table_counts(grown: Place) -> None:
    """Older rows with the same key are ignored."""
    grown.take("newer.csv", "artist_id,name,gender,artist_type,country\nar1,Ada B.,female,person,DE\n")
    grown.take("lists.csv", "playlist_id,position,track_id\np1,2,t1\n")
    path = grown.build("w", only=["marts.artist_profile", "marts.track_features"])

    assert rows(path, "select name from marts.artist_profile order by artist_id") == [("Ada B.",), ("Bix",)]
    assert rows(path, "select count(*) from marts.track_features where track_id = 'onlist'") == [(0,)]


def test_rows_after_the_date_are_ignored(grown: Place) -> None:
    """A later row appears in no count, profile, stub or date."""
    grown.take(
        "later.csv", "user_id,track_id,listened_at\ngil,latestub,2026-02-01T00:00:00Z\ngil,t1,2026-01-31T23:59:59Z\n"
    )
    grown.take("likes.csv", "user_id,track_id,event_at,event\nhal,t1,2026-02-01,like\n")
    path = grown.build("w", only=["marts.interactions_daily", "marts.listener_profile", "marts.track_features"])

    assert rows(path, "select max(listen_date) from marts.interactions_daily") == [(AS_OF,)]
    assert rows(path, "select count(*) from marts.track_features where track_id = 'latestub'") == [(0,)]
    assert rows(path, f"select user_id from marts.listener_profile where user_id = '{grown.listener('hal')}'") == []
    assert rows(path, "select as_of from meta.build") == [(AS_OF,)]
