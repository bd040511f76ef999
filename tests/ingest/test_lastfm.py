"""Last.fm histories and profiles."""

from datetime import UTC, date, datetime

from .conftest import Inbox

HISTORY = (
    "user_1\t2009-05-04T23:08:57Z\tar-1\tDeep Dish\tt-1\tFuck Me Im Famous\n"
    'user_1\t2009-05-04T13:54:10Z\t\t"Weird Al"\t\tEat It\n'
    "user_2\t2009-05-04T13:52:04Z\tar-2\tUnderworld\t\tDirty Epic\n"
    "user_2\t2009-05-05T13:52:04Z\tar-2\tUNDERWORLD\t\tdirty epic\n"
    "user_2\t2009-05-06T13:52:04Z\tar-2\tUnderworld\n"
    "user_2\t2009-05-07T13:52:04Z\tar-2\tUnderworld\t\t\n"
)
PROFILE = (
    "#id\tgender\tage\tcountry\tregistered\n"
    "user_1\tf\t17\tGermany\tAug 13, 2006\n"
    "user_2\tm\t64\tRussian Federation\t\n"
    "user_3\t\t\t\tFeb 30, 2006\n"
    "user_4\tn\t-1\tAtlantis\tSep 4, 2005\n"
)


def test_a_history_becomes_listens_tracks_and_artists(inbox: Inbox) -> None:
    """Listens have no duration; quotes are ordinary text; a row without a track is refused."""
    report = inbox.take("history.tsv", HISTORY)

    tables = {batch.table: batch for batch in report.batches}
    assert set(tables) == {"listens", "tracks", "artists"}
    assert tables["listens"].n_accepted == 4
    assert inbox.rows("listens")["ms_played"].null_count() == 4
    assert datetime(2009, 5, 4, 23, 8, 57, tzinfo=UTC) in inbox.rows("listens")["listened_at"].to_list()
    assert inbox.refused() == [
        ("malformed_row", None, "history.tsv", 5),
        ("missing_value", "track_id", "history.tsv", 6),
    ]
    assert all(batch.n_read == batch.n_accepted + batch.n_quarantined + batch.n_duplicate for batch in report.batches)


def test_missing_ids_are_made_from_names(inbox: Inbox) -> None:
    """The same names give the same id, in upper or lower case."""
    inbox.take("history.tsv", HISTORY)

    assert set(inbox.rows("tracks").select("track_id", "artist_id", "title").rows()) == {
        ("t-1", "ar-1", "Fuck Me Im Famous"),
        ('name:"weird al"/eat it', 'name:"weird al"', "Eat It"),
        ("name:underworld/dirty epic", "ar-2", "Dirty Epic"),
    }
    assert set(inbox.rows("artists").select("artist_id", "name").rows()) == {
        ("ar-1", "Deep Dish"),
        ('name:"weird al"', '"Weird Al"'),
        ("ar-2", "Underworld"),
    }


def test_a_history_never_replaces_what_was_delivered(inbox: Inbox) -> None:
    """Its names are fill-only: a delivered track keeps its row, whether it came before or after."""
    catalogue = "track_id,title,artist_id,duration_ms\nt-1,Delivered,ar-1,1000\n"
    inbox.take("tracks.csv", catalogue)
    inbox.take("history.tsv", HISTORY)
    inbox.take("later.csv", catalogue.replace("t-1,Delivered", "name:underworld/dirty epic,Dirty Epic (Mix)"))
    inbox.take("more.tsv", HISTORY.replace("2009", "2010"))

    newest = inbox.rows("tracks").sort("batch_no").unique("track_id", keep="last")
    titles = dict(newest.select("track_id", "title").rows())
    assert titles["t-1"] == "Delivered"
    assert titles["name:underworld/dirty epic"] == "Dirty Epic (Mix)"


def test_a_profile_becomes_users(inbox: Inbox) -> None:
    """Ages become age bands and country names codes; missing and invalid values become unknown."""
    (batch,) = inbox.take("profile.tsv", PROFILE).batches

    users = inbox.rows("users").select("gender", "age_band", "country", "signed_up_at").rows()
    assert users == [
        ("female", "under 18", "DE", date(2006, 8, 13)),
        ("male", "55-64", "RU", None),
        ("unknown", "unknown", None, None),
        ("unknown", "unknown", None, date(2005, 9, 4)),
    ]
    assert inbox.refused() == []
    assert [(value["column_name"], value["first_line"]) for value in batch.invalid_values] == [
        ("age_band", 5),
        ("country", 5),
        ("signed_up_at", 4),
    ]


def test_listeners_are_the_same_in_history_and_profile(inbox: Inbox) -> None:
    """Both files are hashed with the home's key."""
    inbox.take("history.tsv", HISTORY)
    inbox.take("profile.tsv", PROFILE)

    assert set(inbox.rows("listens")["user_id"]) < set(inbox.rows("users")["user_id"])
