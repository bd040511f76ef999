"""Every reason for which a row is refused, and the file and line recorded with it."""

import json
from datetime import date

import polars as pl
import pytest

from recsys.lake.contract import CONTRACTS

from .conftest import LISTENS, Inbox

GOOD = "ann,t1,2026-01-01T10:00:00Z,200000,false,1,60\n"

# table, header, row, reason and column of a violation that refuses the row
BAD_ROWS = [
    ("listens", "user_id,track_id,listened_at", ",t1,2026-01-01T10:00:00Z", "missing_value", "user_id"),
    ("listens", "user_id,track_id,listened_at", "   ,t1,2026-01-01T10:00:00Z", "missing_value", "user_id"),
    ("listens", "user_id,track_id,listened_at", "ann,,2026-01-01T10:00:00Z", "missing_value", "track_id"),
    ("listens", "user_id,track_id,listened_at", "ann,t1,", "missing_value", "listened_at"),
    ("listens", "user_id,track_id,listened_at", "ann,t1,yesterday", "bad_type", "listened_at"),
    ("listens", "user_id,track_id,listened_at", "ann,t1,2026-02-30T10:00:00Z", "bad_type", "listened_at"),
    ("listens", "user_id,track_id,listened_at", "ann,t1,1994-12-31T23:59:59Z", "out_of_range", "listened_at"),
    ("listens", "user_id,track_id,listened_at", "ann,t1,2026-02-01T00:00:00Z", "in_future", "listened_at"),
    ("events", "user_id,track_id,event_at,event", "ann,t1,2026-01-01,purchase", "not_allowed", "event"),
    ("events", "user_id,track_id,event_at,event", "ann,t1,2026-01-01,", "missing_value", "event"),
    ("tracks", "track_id,title,artist_id", "t1,,ar1", "missing_value", "title"),
    ("tracks", "track_id,title,artist_id,available_in", "t1,One,ar1,DE|nowhere", "not_allowed", "available_in"),
    ("playlists", "playlist_id,position,track_id", "p1,0,t1", "out_of_range", "position"),
    ("audio_vectors", "track_id,encoder,vector", "t1,ours,0.5|x", "bad_type", "vector"),
    ("audio_vectors", "track_id,encoder,vector", "t1,ours,", "missing_value", "vector"),
    ("audio_tags", "track_id,tagger,tag,confidence", "t1,ours,loud,2", "out_of_range", "confidence"),
    ("listens", "user_id,track_id,listened_at", "ann,t1,1970-01-01T00:00:00Z", "out_of_range", "listened_at"),
    ("listens", "user_id,track_id,listened_at", "ann,t1,59007", "out_of_range", "listened_at"),
    ("tracks", "track_id,title,artist_id,available_in", "t1,One,ar1,ZZ", "not_allowed", "available_in"),
    ("tracks", "track_id,title,artist_id,withdrawn_at", "t1,One,ar1,soon", "bad_type", "withdrawn_at"),
    ("audio_vectors", "track_id,encoder,vector", "t1,ours,0|-0.0", "out_of_range", "vector"),
    ("audio_vectors", "track_id,encoder,vector", "t1,ours,1e-30|0", "out_of_range", "vector"),
    ("audio_vectors", "track_id,encoder,vector", "t1,ours,1e16|1", "out_of_range", "vector"),
    ("audio_vectors", "track_id,encoder,vector", "t1,ours,nan|1", "bad_type", "vector"),
]

# the same for a violation that costs only the value, since the column is optional
ODD_VALUES = [
    ("listens", "user_id,track_id,listened_at,ms_played", "ann,t1,2026-01-01,long", "bad_type", "ms_played"),
    ("listens", "user_id,track_id,listened_at,ms_played", "ann,t1,2026-01-01,1.5", "bad_type", "ms_played"),
    ("listens", "user_id,track_id,listened_at,ms_played", "ann,t1,2026-01-01,-1", "out_of_range", "ms_played"),
    ("listens", "user_id,track_id,listened_at,ms_played", "ann,t1,2026-01-01,86400001", "out_of_range", "ms_played"),
    ("listens", "user_id,track_id,listened_at,skipped", "ann,t1,2026-01-01,maybe", "bad_type", "skipped"),
    ("listens", "user_id,track_id,listened_at,n_listens", "ann,t1,2026-01-01,-3", "out_of_range", "n_listens"),
    (
        "listens",
        "user_id,track_id,listened_at,utc_offset_min",
        "ann,t1,2026-01-01,841",
        "out_of_range",
        "utc_offset_min",
    ),
    ("tracks", "track_id,title,artist_id,release_date", "t1,One,ar1,2001-13", "bad_type", "release_date"),
    ("tracks", "track_id,title,artist_id,release_date", "t1,One,ar1,2001-02-03nonsense", "bad_type", "release_date"),
    ("tracks", "track_id,title,artist_id,duration_ms", "t1,One,ar1,-5", "out_of_range", "duration_ms"),
    ("tracks", "track_id,title,artist_id,language", "t1,One,ar1,English", "not_allowed", "language"),
    ("tracks", "track_id,title,artist_id,training_consent", "t1,One,ar1,perhaps", "not_allowed", "training_consent"),
    ("artists", "artist_id,name,gender", "ar1,Ada,f", "not_allowed", "gender"),
    ("labels", "label_id,name,label_type", "la1,Big,huge", "not_allowed", "label_type"),
    ("users", "user_id,age_band", "ann,<18", "not_allowed", "age_band"),
    ("users", "user_id,signed_up_at", "ann,2026-02-01", "in_future", "signed_up_at"),
    ("playlists", "playlist_id,position,track_id,added_at", "p1,1,t1,2026-03-01", "in_future", "added_at"),
    ("audio_features", "track_id,tempo_bpm", "t1,fast", "bad_type", "tempo_bpm"),
    ("audio_features", "track_id,tempo_bpm", "t1,nan", "bad_type", "tempo_bpm"),
    ("audio_features", "track_id,energy", "t1,1.01", "out_of_range", "energy"),
    ("audio_features", "track_id,chroma", "t1,0.5|1.5", "out_of_range", "chroma"),
    ("audio_features", "track_id,key", "t1,H", "not_allowed", "key"),
    ("artists", "artist_id,name,country", "ar1,Ada,ZZ", "not_allowed", "country"),
    ("artists", "artist_id,name,isni", "ar1,Ada,0000 0001 2103 2684", "wrong_code", "isni"),
    ("artists", "artist_id,name,ipi", "ar1,Ada,00014107339", "wrong_code", "ipi"),
    ("tracks", "track_id,title,artist_id,iswc", "t1,One,ar1,T-034.524.680-2", "wrong_code", "iswc"),
    ("artists", "artist_id,name,country", "ar1,Ada,Korea", "not_allowed", "country"),
    ("tracks", "track_id,title,artist_id,release_date", "t1,One,ar1,0000", "out_of_range", "release_date"),
    ("tracks", "track_id,title,artist_id,release_date", "t1,One,ar1,0001-01-01", "out_of_range", "release_date"),
    ("users", "user_id,signed_up_at", "ann,2020-02-30", "bad_type", "signed_up_at"),
    ("listens", "user_id,track_id,listened_at,ms_played", 'ann,t1,2026-01-01,"1,000"', "bad_type", "ms_played"),
    (
        "listens",
        "user_id,track_id,listened_at,ms_played",
        "ann,t1,2026-01-01,99999999999999999999",
        "bad_type",
        "ms_played",
    ),
]


@pytest.mark.parametrize("bad", BAD_ROWS, ids=lambda bad: f"{bad[3]}-{bad[4]}")
def test_a_row_that_breaks_the_contract_is_refused_with_its_reason(
    inbox: Inbox, bad: tuple[str, str, str, str, str]
) -> None:
    """Reason, column, file and line are recorded; the row enters no table."""
    table, header, row, reason, column = bad
    (batch,) = inbox.take("bad.csv", f"{header}\n{row}\n").batches

    assert inbox.refused() == [(reason, column, "bad.csv", 2)]
    assert batch.table == table
    assert (batch.n_read, batch.n_accepted, batch.n_quarantined, batch.n_duplicate) == (1, 0, 1, 0)
    assert inbox.rows(table).is_empty()


@pytest.mark.parametrize("odd", ODD_VALUES, ids=lambda odd: f"{odd[3]}-{odd[4]}")
def test_an_odd_value_of_an_optional_column_costs_the_value(inbox: Inbox, odd: tuple[str, str, str, str, str]) -> None:
    """The row enters with the column's default; the batch log counts the value by column and reason."""
    table, header, row, reason, column = odd
    (batch,) = inbox.take("odd.csv", f"{header}\n{row}\n").batches

    default = {"n_listens": 1} | dict.fromkeys(("gender", "age_band", "training_consent", "label_type"), "unknown")
    assert inbox.rows(table)[column].to_list() == [default.get(column)]
    assert inbox.refused() == []
    assert (batch.n_read, batch.n_accepted, batch.n_quarantined, batch.n_duplicate) == (1, 1, 0, 0)
    assert batch.invalid_values == [{"column_name": column, "reason": reason, "n_values": 1, "first_line": 2}]


def test_codes_with_check_digits_are_stored_in_one_form(inbox: Inbox) -> None:
    """As identifiers, so that the same work or contributor of two sources has the same code."""
    inbox.take("artists.csv", "artist_id,name,isni,ipi\nar1,Ada,0000 0001 2103 2683,14107338\nar2,Bix,,\n")
    inbox.take("tracks.csv", "track_id,title,artist_id,iswc\nt1,One,ar1,T-034.524.680-1\n")

    assert inbox.rows("artists").select("isni", "ipi").rows() == [("0000000121032683", "00014107338"), (None, None)]
    assert inbox.rows("tracks")["iswc"].to_list() == ["T0345246801"]


def test_invalid_values_are_counted_by_column_and_reason(inbox: Inbox) -> None:
    """Only those of accepted rows, each with its first line; a row may have several."""
    rows = ["ann,27,ZZ", "bob,18-24,UK", "cem,young,XX", ",27,ZZ", "dee,,"]
    (batch,) = inbox.take("users.csv", "\n".join(["user_id,age_band,country", *rows])).batches

    assert batch.invalid_values == [
        {"column_name": "age_band", "reason": "not_allowed", "n_values": 2, "first_line": 2},
        {"column_name": "country", "reason": "not_allowed", "n_values": 2, "first_line": 2},
    ]
    assert inbox.rows("users")["country"].to_list() == [None, "GB", None, None]
    assert inbox.refused() == [("missing_value", "user_id", "users.csv", 5)]


@pytest.mark.parametrize(
    ("table", "row", "column"),
    [
        ("tracks", {"track_id": "x" * 1_001, "title": "One", "artist_id": "ar1"}, "track_id"),
        ("tracks", {"track_id": "t1", "title": "é" * 1_001, "artist_id": "ar1"}, "title"),
        ("users", {"user_id": "a" * 2_000_000, "gender": "male"}, "user_id"),
    ],
)
def test_a_text_over_the_stated_length_is_refused(inbox: Inbox, table: str, row: dict[str, str], column: str) -> None:
    """The quarantine keeps no more of an id of megabytes than of any other text."""
    inbox.take("long.jsonl", json.dumps(row) + "\n")

    assert inbox.refused() == [("too_long", column, "long.jsonl", 1)]
    assert inbox.rows(table).is_empty()
    (payload,) = inbox.payloads()
    assert payload is not None
    assert len(payload) < 10_000


def test_a_text_of_the_stated_length_is_accepted(inbox: Inbox) -> None:
    """The limit itself is allowed, and counts characters, not bytes."""
    inbox.take("t.csv", f"track_id,title,artist_id\nt1,{'é' * 1_000},ar1\n")

    assert inbox.rows("tracks")["title"].str.len_chars().to_list() == [1_000]


def test_vectors_of_another_encoder_or_length_are_refused(inbox: Inbox) -> None:
    """Most vectors of a file decide which; later files have the length of the stored vectors."""
    header = "track_id,encoder,vector\n"
    inbox.take("1.csv", header + "t1,ours,1|2\nt2,ours,3|4\nt3,ours,1|2|3\nt4,theirs,1|2\n")
    inbox.take("2.csv", header + "t5,ours,1|2|3\nt6,ours,1|2|3\nt7,ours,9|9\n")

    assert inbox.rows("audio_vectors")["track_id"].to_list() == ["t1", "t2", "t7"]
    assert inbox.refused() == [
        ("other_length", "vector", "1.csv", 4),
        ("other_encoder", "encoder", "1.csv", 5),
        ("other_length", "vector", "2.csv", 2),
        ("other_length", "vector", "2.csv", 3),
    ]


def test_a_new_encoder_may_be_delivered_in_a_file_of_its_own(inbox: Inbox) -> None:
    """A catalogue changes its encoder by delivering all vectors again."""
    inbox.take("old.csv", "track_id,encoder,vector\nt1,ours,1|2\n")
    inbox.take("new.csv", "track_id,encoder,vector\nt1,theirs,1|2|3\n")

    assert inbox.rows("audio_vectors")["encoder"].to_list() == ["ours", "theirs"]
    assert inbox.refused() == []


def test_a_listen_of_no_time_is_a_skip(inbox: Inbox) -> None:
    """Exports of streaming services have many listens of 0 ms."""
    inbox.take("l.csv", "user_id,track_id,listened_at,ms_played\nann,t1,2026-01-01,0\n")

    assert inbox.rows("listens")["ms_played"].to_list() == [0]


COUNTRIES = {
    "Turkey": "TR", "turkiye": "TR", "Macedonia": "MK", "Cote D'Ivoire": "CI", "Côte d\u2019Ivoire": "CI",
    "Netherlands Antilles": "AN", "AN": "AN", "Burma": "MM", "Swaziland": "SZ", "Czech Republic": "CZ",
    "UK": "GB", "uk": "GB", "gb": "GB", "GBR": "GB", "United Kingdom": "GB", "Scotland": "GB", "EL": "GR",
    "Russia": "RU", "Russian Federation": "RU", "South Korea": "KR", "North Korea": "KP", "Vietnam": "VN",
    "Iran": "IR", "Iran, Islamic Republic of": "IR", "Bolivia": "BO", "Tanzania": "TZ", "The Gambia": "GM",
    "U.S.A.": "US", "United States": "US", "America": "US", "St. Lucia": "LC", "Sao Tome & Principe": "ST",
    "Palestine": "PS", "Kosovo": "XK", "Taiwan": "TW", "Curacao": "CW", "Reunion": "RE", "Yugoslavia": "YU",
    "USSR": "SU", "East Germany": "DD", "Zaire": "CD", "East Timor": "TL", "Cape Verde": "CV", "Holland": "NL",
    "Congo": "CG", "Korea": None, "Virgin Islands": None, "ZZ": None, "Atlantis": None, "12": None, "-": None,
}  # fmt: skip


@pytest.mark.parametrize(("written", "code"), COUNTRIES.items())
def test_countries_become_their_codes(inbox: Inbox, written: str, code: str | None) -> None:
    """Names of today, former names and old codes; a name of no country, or of two, is unknown."""
    (batch,) = inbox.take("a.csv", f'artist_id,name,country\nar1,Ada,"{written}"\n').batches

    assert inbox.rows("artists")["country"].to_list() == [code]
    assert sum(value["n_values"] for value in batch.invalid_values) == (code is None)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("DE|FR", ["DE", "FR"]),
        ("gb", ["GB"]),
        ('"UK,US"', ["GB", "US"]),
        ("Turkey;France", ["TR", "FR"]),
        ("Worldwide", None),
        ("", None),
    ],
)
def test_territories_become_their_codes(inbox: Inbox, written: str, read: list[str] | None) -> None:
    """`Worldwide` is no restriction."""
    inbox.take("t.csv", f"track_id,title,artist_id,available_in\nt1,One,ar1,{written}\n")

    assert inbox.rows("tracks")["available_in"].to_list() == [read]


def test_the_first_violation_is_the_reason(inbox: Inbox) -> None:
    """A row with two violations is refused once."""
    inbox.take("bad.csv", LISTENS + ",t1,tomorrow,-1,maybe,,\n")

    assert inbox.refused() == [("missing_value", "user_id", "bad.csv", 2)]


def test_valid_rows_around_an_invalid_one_are_accepted(inbox: Inbox) -> None:
    """One invalid row does not affect the others."""
    inbox.take("mixed.csv", LISTENS + GOOD + GOOD.replace("2026", "1926") + GOOD.replace("t1", "t2"))

    assert inbox.rows("listens")["track_id"].to_list() == ["t1", "t2"]
    assert inbox.refused() == [("out_of_range", "listened_at", "mixed.csv", 3)]


def test_the_last_instant_of_the_day_of_ingest_is_not_the_future(inbox: Inbox) -> None:
    """Rows of the day of ingest are accepted, whatever their time."""
    inbox.take("today.csv", LISTENS + "ann,t1,2026-01-31T23:59:59.999999Z,,,,\n")

    assert inbox.rows("listens").height == 1


def test_a_release_known_by_year_or_month_is_dated_to_its_first_day(inbox: Inbox) -> None:
    """Back catalogues often have only the year."""
    inbox.take("tracks.csv", "track_id,title,artist_id,release_date\nt1,One,ar1,1973\nt2,Two,ar1,1973-05\n")

    assert inbox.rows("tracks").sort("track_id")["release_date"].to_list() == [date(1973, 1, 1), date(1973, 5, 1)]


def test_a_release_and_a_withdrawal_may_be_announced(inbox: Inbox) -> None:
    """Release and withdrawal days may be in the future."""
    inbox.take("tracks.csv", "track_id,title,artist_id,release_date,withdrawn_at\nt1,One,ar1,2026-05-01,2027-01-01\n")

    assert inbox.rows("tracks").height == 1


def test_missing_values_become_the_documented_defaults(inbox: Inbox) -> None:
    """A listen counts once; consent, gender and type become `unknown`."""
    inbox.take("l.csv", "user_id,track_id,listened_at\nann,t1,2026-01-01\n")
    inbox.take("t.csv", "track_id,title,artist_id\nt1,One,ar1\n")
    inbox.take("a.csv", "artist_id,name\nar1,Ada\n")

    assert inbox.rows("listens")["n_listens"].to_list() == [1]
    assert inbox.rows("listens")["skipped"].to_list() == [None]
    assert inbox.rows("tracks")["training_consent"].to_list() == ["unknown"]
    assert inbox.rows("artists").select("gender", "artist_type", "country").row(0) == ("unknown", "unknown", None)


@pytest.mark.parametrize(
    ("written", "read"),
    [("rock|pop", ["rock", "pop"]), (" rock | ", ["rock"]), ("|", None), ("", None), ("rock||pop", ["rock", "pop"])],
)
def test_lists_have_no_empty_elements(inbox: Inbox, written: str, read: list[str] | None) -> None:
    """Empty elements of a list are dropped."""
    inbox.take("t.csv", f"track_id,title,artist_id,genres\nt1,One,ar1,{written}\n")

    assert inbox.rows("tracks")["genres"].to_list() == [read]


@pytest.mark.parametrize(("written", "read"), [("TRUE", True), ("no", False), ("1", True), ("f", False), ("", None)])
def test_booleans_have_several_spellings(inbox: Inbox, written: str, read: bool | None) -> None:
    """The spellings of spreadsheets and databases are accepted."""
    inbox.take("l.csv", f"user_id,track_id,listened_at,skipped\nann,t1,2026-01-01,{written}\n")

    assert inbox.rows("listens")["skipped"].to_list() == [read]


def test_integers_may_have_a_decimal_point(inbox: Inbox) -> None:
    """Many tools write an integer column with missing values as 200000.0."""
    inbox.take("l.csv", "user_id,track_id,listened_at,ms_played\nann,t1,2026-01-01,200000.0\n")

    assert inbox.rows("listens")["ms_played"].to_list() == [200_000]


def test_delivered_audio_features_are_ingested_as_numbers(inbox: Inbox) -> None:
    """A catalogue may be delivered with tempo and vectors instead of audio."""
    inbox.take("a.csv", "track_id,tempo_bpm,energy\nt1,128,0.75\n")
    inbox.take("v.csv", "track_id,encoder,vector\nt1,theirs,0.5|-1|2e-1\n")

    assert inbox.rows("audio_features").select("tempo_bpm", "energy", "key").row(0) == (128.0, 0.75, None)
    assert inbox.rows("audio_vectors")["vector"].to_list() == [pytest.approx([0.5, -1, 0.2])]


@pytest.mark.parametrize("table", CONTRACTS)
def test_the_lake_holds_the_contract_columns_in_their_types(inbox: Inbox, table: str) -> None:
    """An empty table has the same schema as a full one."""
    schema = inbox.rows(table).schema

    assert schema == CONTRACTS[table].schema
    assert all(dtype != pl.Null for dtype in schema.values())


def test_names_are_stored_in_one_unicode_form(inbox: Inbox) -> None:
    """A composed letter and a letter with a combining accent are one text; ids stay as they were delivered."""
    inbox.take("t.csv", "track_id,title,artist_id,release_title\ne\u0301,Cafe\u0301,ar1,Cafe\u0301\n")
    inbox.take("a.csv", "artist_id,name\nar1,Beyonce\u0301\n")

    assert inbox.rows("tracks").select("track_id", "title", "release_title").rows() == [("e\u0301", "Café", "Café")]
    assert inbox.rows("artists")["name"].to_list() == ["Beyoncé"]
