"""Definitions of the marts of trends and audiences, on rows that can be counted by hand."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from recsys.warehouse.query import Warehouse, run_query

from .conftest import AS_OF, Place, place_in, rows

HEADER = "user_id,track_id,listened_at,n_listens"


def heard(days: Iterable[int], track_id: str, users: Iterable[str], n_listens: int = 1) -> list[str]:
    """Return listens of each user on each day; days count back from the last one."""
    users = list(users)
    return [f"{user},{track_id},{AS_OF - timedelta(days=ago)},{n_listens}" for ago in days for user in users]


def warehouse_of(
    place: Place, listens: list[str], tracks: Iterable[str], *, only: Collection[str] = (), **tables: str
) -> Path:
    """Build a warehouse of listens, tracks (track_id,title,artist_id,release_date,genres) and other tables."""
    place.take("tracks.csv", "\n".join(["track_id,title,artist_id,label_id,release_date,genres", *tracks]))
    place.take("listens.csv", "\n".join([HEADER, *listens]))
    for name, content in tables.items():
        place.take(f"{name}.csv", content)
    return place.build("w", only=only)


def test_an_artists_day(warehouse: Warehouse) -> None:
    """A day with a save and no play has a row with zero listeners; skips and likes count on their day."""
    days = warehouse.query(
        "select artist_id, listen_date, n_listeners, n_plays, n_skips, n_likes, n_saves from marts.artist_daily"
    )

    assert set(days.rows()) == {
        ("ar1", date(2026, 1, 5), 1, 1, 0, 0, 0),
        ("ar1", date(2026, 1, 6), 1, 1, 1, 1, 0),
        ("ar1", date(2026, 1, 11), 1, 1, 0, 0, 0),
        ("ar2", date(2026, 1, 1), 0, 0, 0, 0, 1),
        ("ar2", date(2026, 1, 12), 1, 1, 0, 0, 0),
    }


def test_a_country_is_that_of_the_listeners(warehouse: Warehouse) -> None:
    """Ann's country is Germany, bob's is missing: `unknown` is a group."""
    weeks = warehouse.query("select artist_id, country, week_start, n_listeners, n_plays from marts.country_weekly")

    assert set(weeks.rows()) == {
        ("ar1", "DE", date(2026, 1, 5), 1, 2),
        ("ar1", "unknown", date(2026, 1, 5), 1, 1),
        ("ar2", "unknown", date(2026, 1, 12), 1, 1),
    }


def test_an_audience_is_compared_with_all_listeners(warehouse: Warehouse) -> None:
    """Only bob, half of all listeners, hears ar2; his favourite genre is the first of three with equal plays."""
    audience = warehouse.query(
        "select dimension, value, n_listeners, n_plays, share, affinity from marts.artist_audience "
        "where artist_id = 'ar2'"
    )

    assert set(audience.rows()) == {
        ("country", "unknown", 1, 1, 1.0, 2.0),
        ("gender", "unknown", 1, 1, 1.0, 2.0),
        ("age_band", "unknown", 1, 1, 1.0, 2.0),
        ("main_genre", "jazz", 1, 1, 1.0, 2.0),
    }


def test_a_genres_week_is_a_share_of_the_weeks_plays(warehouse: Warehouse) -> None:
    """Recordings without a genre form the group `unknown`; growth is null in the first four weeks."""
    weeks = warehouse.query("select name, week_start, n_listeners, n_plays, share, growth from marts.genre_weekly")

    assert set(weeks.rows()) == {
        ("rock", date(2026, 1, 5), 2, 3, 1.0, None),
        ("jazz", date(2026, 1, 12), 1, 1, 0.5, None),
        ("unknown", date(2026, 1, 12), 1, 1, 0.5, None),
    }


def test_growth_of_a_genre_is_not_that_of_the_market(place: Place) -> None:
    """All plays double in the fifth week; the share of rock goes from a half to three quarters."""
    ago = [34, 27, 20, 13]
    listens = heard(ago, "t1", ["ann"], 10) + heard(ago, "t2", ["ann"], 10)
    listens += heard([6], "t1", ["ann"], 30) + heard([6], "t2", ["ann"], 10)
    built = warehouse_of(place, listens, ["t1,One,ar1,,,rock", "t2,Two,ar1,,,jazz"], only=["marts.genre_weekly"])

    growth = rows(built, "select name, growth from marts.genre_weekly where growth is not null order by 1")

    assert growth == [("jazz", pytest.approx(0.5)), ("rock", pytest.approx(1.5))]


def test_age_is_counted_at_the_time_of_the_play(place: Place) -> None:
    """A recording is `current` in one week and `catalogue` in a later one."""
    listens = heard([61, 2], "t1", ["ann"], 3) + heard([2], "t2", ["bob"])
    built = warehouse_of(
        place, listens, ["t1,One,ar1,,2024-07-10,rock", "t2,Two,ar1,,2020-01-01,rock"], only=["marts.catalogue_split"]
    )

    split = rows(
        built, "select week_start, age_group, n_listeners, n_tracks, n_plays, share from marts.catalogue_split"
    )

    assert set(split) == {
        (date(2025, 12, 1), "current", 1, 1, 3, 1.0),
        (date(2026, 1, 26), "catalogue", 1, 1, 3, 0.75),
        (date(2026, 1, 26), "deep catalogue", 1, 1, 1, 0.25),
    }


def test_a_cohort_is_the_month_of_the_first_play(place: Place) -> None:
    """One of two December listeners returns in January; a third listener is new then; the log begins in December."""
    listens = heard([40], "t1", ["ann", "bob"]) + heard([0], "t2", ["ann", "cyd"])
    built = warehouse_of(place, listens, ["t1,One,ar1,,,rock", "t2,Two,ar1,,,rock"], only=["marts.retention"])

    kept = rows(
        built,
        "select cohort_month, months_since, n_cohort, n_listeners, share, is_complete, is_new from marts.retention",
    )

    assert set(kept) == {
        (date(2025, 12, 1), 0, 2, 2, 1.0, True, False),
        (date(2025, 12, 1), 1, 2, 1, 0.5, True, False),
        (date(2026, 1, 1), 0, 1, 1, 1.0, True, True),
    }


@pytest.mark.parametrize(
    ("release_day", "age_group"),
    [
        ("2024-09-01", "current"),  # month 17
        ("2024-08-31", "catalogue"),  # month 18
        ("2024-08-01", "catalogue"),
        ("2023-03-01", "catalogue"),  # month 35
        ("2023-02-28", "deep catalogue"),  # month 36
        ("2026-02-28", "current"),  # released after the Monday
    ],
)
def test_age_counts_calendar_months(place: Place, release_day: str, age_group: str) -> None:
    """
    The week from Monday 23 February 2026 to 1 March belongs to February, and the day of the release does not matter.

    The same recording has the same age among marts.track_groups if the log ends in that month.
    """
    last_day = date(2026, 2, 28)
    place.take("tracks.csv", f"track_id,title,artist_id,release_date\nt1,One,ar1,{release_day}\n")
    place.take("listens.csv", f"user_id,track_id,listened_at\nann,t1,{last_day}T10:00:00Z\n")
    built = place.build("w", as_of=last_day, only=["marts.catalogue_split", "marts.track_groups"])

    assert rows(built, "select week_start, age_group from marts.catalogue_split") == [(date(2026, 2, 23), age_group)]
    assert rows(built, "select group_name from marts.track_groups where group_kind = 'age'") == [(age_group,)]


def test_a_week_belongs_to_the_month_of_its_monday(place: Place) -> None:
    """A play on Sunday 1 February 2026 is one of January; the recording of August 2024 is current until then."""
    place.take("tracks.csv", "track_id,title,artist_id,release_date\nt1,One,ar1,2024-08-15\n")
    listens = "ann,t1,2026-02-01T10:00:00Z\nann,t1,2026-02-02T10:00:00Z\n"
    place.take("listens.csv", f"user_id,track_id,listened_at\n{listens}")
    built = place.build("w", as_of=date(2026, 2, 2), only=["marts.catalogue_split"])

    split = rows(built, "select week_start, age_group from marts.catalogue_split order by week_start")

    assert split == [(date(2026, 1, 26), "current"), (date(2026, 2, 2), "catalogue")]


@pytest.mark.parametrize(
    ("release_day", "cohorts"),
    [
        ("2025-12-10", {date(2025, 12, 1), date(2026, 1, 1)}),
        ("2025-12-09", {date(2026, 1, 1)}),
        ("", {date(2026, 1, 1)}),
    ],
)
def test_the_first_month_of_the_log_has_new_listeners_of_new_artists_only(
    place: Place, release_day: str, cohorts: set[date]
) -> None:
    """All listeners of an artist are new if its first release is not before the log's first day, 10 December."""
    listens = heard([52], "other", ["zoe"]) + heard([50], "t1", ["ann", "bob"]) + heard([0], "t1", ["ann", "cyd"])
    tracks = [f"t1,One,ar1,,{release_day},rock", "other,Other,ar2,,,rock"]
    built = warehouse_of(place, listens, tracks, only=["marts.retention"])

    with Warehouse.open(built) as warehouse:
        returning = run_query(warehouse, "returning", {"artist_id": "ar1"})

    assert set(returning["cohort_month"]) == cohorts


def test_a_half_life_is_a_line_through_the_weeks_after_the_peak(place: Place) -> None:
    """Plays that halve each week give 1; steady plays give null; a track with a small peak is left out."""
    weeks = [33, 26, 19, 12]
    listens = [row for ago, n in zip(weeks, (800, 400, 200, 100), strict=True) for row in heard([ago], "t1", ["a"], n)]
    listens += heard(weeks, "t2", ["a"], 50) + heard(weeks, "t3", ["a"], 19) + heard([60], "t1", ["b"], 3)
    listens += heard([0], "t2", ["a"], 50)
    tracks = [f"t{n},T{n},ar1,,,rock" for n in (1, 2, 3)]
    built = warehouse_of(place, listens, tracks, only=["marts.release_decay"])

    found = rows(built, "select track_id, n_plays_peak, half_life_weeks, r2, n_listeners from marts.release_decay")

    assert {row[0] for row in found} == {"t1", "t2"}
    ((*_, half_life, r2, n_listeners),) = [row for row in found if row[0] == "t1"]
    assert (half_life, r2) == (pytest.approx(1.0, abs=0.01), pytest.approx(1.0, abs=0.01))
    assert n_listeners == 2
    assert ("t2", 50, None, None, 1) in found


def test_overlap_counts_listeners_of_both(place: Place) -> None:
    """12 listeners share ar1 and ar2, twice the number expected by chance; 9 shared listeners are suppressed."""
    both, other = [f"u{n}" for n in range(12)], [f"v{n}" for n in range(12)]
    listens = heard([3], "t1", both) + heard([3], "t2", both) + heard([3], "t3", other) + heard([3], "t3", both[:9])
    tracks = ["t1,One,ar1,la1,,rock", "t2,Two,ar2,la1,,rock", "t3,Three,ar3,la1,,rock"]
    built = warehouse_of(place, listens, tracks, only=["marts.artist_overlap"])

    pairs = rows(built, "select artist_id, other_artist_id, n_listeners, jaccard, affinity from marts.artist_overlap")

    assert set(pairs) == {("ar1", "ar2", 12, 1.0, 2.0), ("ar2", "ar1", 12, 1.0, 2.0)}


COUNTRIES = ("DE", "FR", "GB", "US")


@pytest.fixture(scope="module")
def risen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a market of 1,000 plays per day over 60 days, with recordings that rise in its last four days."""
    crowd = [f"u{n}" for n in range(40)]
    listens = heard(range(60), "rest", ["everybody"], 1000)
    germans = [f"de{n}" for n in range(40)]
    for track_id, fans in {"rises": crowd, "loops": crowd, "local": germans}.items():
        listens += [row for ago in range(4, 60) for row in heard([ago], track_id, fans[ago % 36 :][:4])]
    listens += heard(range(4), "rises", crowd)
    listens += heard(range(4), "loops", crowd[:4], 30)
    listens += heard(range(4), "local", germans)
    listens += heard(range(4), "release", crowd)
    listens += [row for ago in range(4, 60) for row in heard([ago], "grows", crowd[: 4 + (60 - ago) // 8])]
    tracks = [f"{name},{name},ar1,la1,2020-01-01,rock" for name in ("rest", "rises", "loops", "local", "grows")]
    tracks.append(f"release,release,ar1,la1,{AS_OF - timedelta(days=3)},rock")
    users = [f"u{n},{COUNTRIES[n % 4]}" for n in range(40)] + [f"{name},DE" for name in germans]
    place = place_in(tmp_path_factory.mktemp("risen"))
    read = ["marts.breakouts", "marts.track_daily", "marts.track_features"]
    return warehouse_of(place, listens, tracks, users="\n".join(["user_id,country", *users]), only=read)


def test_a_breakout_is_a_rise_of_many_people_in_several_countries(risen: Path) -> None:
    """A rise by few listeners, in one country, of a new release or over several weeks is not a breakout."""
    assert rows(risen, "select distinct track_id from marts.breakouts") == [("rises",)]


def test_a_breakout_says_what_was_expected(risen: Path) -> None:
    """The usual week has 7 days of 4 plays; this week has three such days and four with 40 plays: 172."""
    query = (
        "select n_plays, n_expected, n_listeners, velocity, started_on from marts.breakouts order by listen_date desc"
    )

    n_plays, n_expected, n_listeners, velocity, started_on = rows(risen, query)[0]

    assert (n_plays, n_listeners) == (172, 40)
    assert n_expected == pytest.approx(29 * (7000 + 172 * 3 + 7 * 4) / 7300, rel=0.1)
    assert velocity == pytest.approx(172 / 28)
    assert started_on in {AS_OF - timedelta(days=ago) for ago in (1, 2, 3)}


def test_a_rise_of_the_whole_market_is_not_a_breakout(place: Place) -> None:
    """A rise of one recording is not a breakout if all others rise as much."""
    crowd = [f"u{n}" for n in range(40)]
    names = ("one", "two", "three")
    listens = [row for ago in range(4, 60) for name in names for row in heard([ago], name, crowd[ago % 36 :][:4])]
    listens += [row for name in names for row in heard(range(4), name, crowd)]
    tracks = [f"{name},{name},ar1,la1,2020-01-01,rock" for name in names]
    users = [f"u{n},{COUNTRIES[n % 4]}" for n in range(40)]
    built = warehouse_of(place, listens, tracks, users="\n".join(["user_id,country", *users]), only=["marts.breakouts"])

    assert rows(built, "select count(*) from marts.breakouts") == [(0,)]


def test_breakouts_are_filtered_by_day_and_label(risen: Path) -> None:
    """Consecutive days are one row, with the newest day; other labels' recordings are filtered out."""
    with Warehouse.open(risen) as warehouse:
        now = run_query(warehouse, "breaking_out", {})
        other = run_query(warehouse, "breaking_out", {"label": "la2"})
        earlier = run_query(warehouse, "breaking_out", {"as_of": str(AS_OF - timedelta(days=10))})

    assert now.select("track_id", "listen_date").rows() == [("rises", AS_OF)]
    assert other.is_empty()
    assert earlier.is_empty()


def test_the_effect_of_a_playlist_is_relative_to_controls(place: Place) -> None:
    """Ten controls of the genre double; the added recording goes from one play per day to six."""
    days, added = range(10 * 7), date(2025, 12, 23)
    ago = (AS_OF - added).days
    before, after = [n for n in days if n > ago + 1], [n for n in days if n < ago - 5]
    names = [f"c{n}" for n in range(10)]
    listens = [row for name in [*names, "added"] for row in heard(before, name, ["ann"])]
    listens += [row for name in names for row in heard(after, name, ["ann"], 2)] + heard(after, "added", ["ann"], 6)
    tracks = [f"{name},{name},ar1,,2020-01-01,rock" for name in [*names, "added"]]
    lists = f"playlist_id,position,track_id,added_at\np1,1,added,{added}T12:00:00Z\n"
    built = warehouse_of(place, listens, tracks, playlists=lists, only=["marts.playlist_effect"])

    ((track_id, lift, control_lift, n_controls, before_per_day, after_per_day),) = rows(
        built, "select track_id, lift, control_lift, n_controls, plays_before, plays_after from marts.playlist_effect"
    )

    assert (track_id, n_controls, before_per_day, after_per_day) == ("added", 10, 1.0, 6.0)
    assert lift == pytest.approx(168.5 / 56.5)
    assert control_lift == pytest.approx(56.5 / 28.5)


def test_shares_of_an_audience_are_of_all_its_listeners_and_plays(place: Place) -> None:
    """Of four listeners and ten plays of 28 days, unknown countries have two and three; older plays do not count."""
    listens = heard([2], "t1", ["ann"], 6) + heard([2], "t1", ["bob", "cyd", "dan"]) + heard([3], "t1", ["dan"])
    listens += heard([40], "t1", ["eve"], 50) + heard([2], "t2", ["fay"])
    tracks = ["t1,One,ar1,,,rock", "t2,Two,ar2,,,rock"]
    users = "user_id,country\nann,DE\nbob,FR\neve,FR\n"
    read = ["marts.artist_audience", "marts.country_weekly"]
    built = warehouse_of(place, listens, tracks, users=users, only=read)

    with Warehouse.open(built) as warehouse:
        groups = run_query(warehouse, "audience", {"artist_id": "ar1", "dimension": "country"})
        all_groups = run_query(warehouse, "audience", {"artist_id": "ar1"})

    assert set(groups.select("value", "n_listeners", "share", "n_plays", "play_share").rows()) == {
        ("DE", 1, 1 / 4, 6, 6 / 10),
        ("FR", 1, 1 / 4, 1, 1 / 10),
        ("unknown", 2, 2 / 4, 3, 3 / 10),
    }
    sums = all_groups.group_by("dimension").agg(pl.col("share", "play_share", "n_listeners", "n_plays").sum())
    assert [row[1:] for row in sums.rows()] == [(pytest.approx(1), pytest.approx(1), 4, 10)] * 4
