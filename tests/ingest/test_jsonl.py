"""JSON Lines and arrays: types, malformed lines and the table of a file."""

import json

import pytest

from recsys.ingest import json_records

from .conftest import Inbox

TRACK = {"track_id": "t1", "title": "One", "artist_id": "ar1"}


def lines(*records: object) -> str:
    """Return one record per line."""
    return "".join(json.dumps(record) + "\n" for record in records)


def test_values_keep_their_meaning(inbox: Inbox) -> None:
    """Lists, booleans, numbers and nulls are kept; keys may have any order and case; unknown keys are dropped."""
    inbox.take(
        "t.jsonl",
        lines(TRACK | {"genres": ["rock", None, "pop"], "explicit": True, "duration_ms": 1000, "label_id": None})
        + lines({"Title": "Two", "TRACK_ID": 2, "artist_id": "ar1", "secret": {"nested": [1]}}),
    )

    rows = inbox.rows("tracks").select("track_id", "title", "genres", "explicit", "duration_ms", "label_id").rows()
    assert rows == [("t1", "One", ["rock", "pop"], True, 1000, None), ("2", "Two", None, None, None, None)]


@pytest.mark.parametrize(
    "line",
    ['{"track_id": "t9"', "[1, 2]", '"text"', "null", "t1,One,ar1", '{"a": ' + "[" * 100_000, '{"title": "\\ud83d"}'],
)
def test_a_line_without_an_object_is_malformed(inbox: Inbox, line: str) -> None:
    """Truncated, not an object, not JSON, nested too deeply or half a character: only that line is refused."""
    inbox.take("t.jsonl", lines(TRACK) + line + "\n\n" + lines(TRACK | {"track_id": "t2", "artist_id": None}))

    assert inbox.refused() == [
        ("malformed_row", None, "t.jsonl", 2),
        ("missing_value", "artist_id", "t.jsonl", 4),
    ]
    assert inbox.rows("tracks")["track_id"].to_list() == ["t1"]


def test_invalid_utf8_makes_only_its_line_malformed(inbox: Inbox) -> None:
    """In lines and in arrays, as in CSV; the other lines are read."""
    good, bad = json.dumps(TRACK | {"title": "Één"}, ensure_ascii=False).encode(), b'{"track_id": "t\xff"}'
    inbox.take("t.jsonl", good + b"\n" + bad + b"\n")
    inbox.take("t2.json", b"[" + good.replace(b"t1", b"t2") + b", " + bad + b"]")

    assert inbox.refused() == [("malformed_row", None, "t.jsonl", 2), ("malformed_row", None, "t2.json", 2)]
    assert inbox.rows("tracks")["track_id"].to_list() == ["t1", "t2"]


def test_an_escaped_character_pair_is_a_character(inbox: Inbox) -> None:
    """Emoji may be written as two escapes."""
    inbox.take("t.jsonl", lines(TRACK | {"title": "🎵"}))

    assert inbox.rows("tracks")["title"].to_list() == ["🎵"]


def test_a_byte_order_mark_does_not_matter(inbox: Inbox) -> None:
    """Some editors write one."""
    inbox.take("t.jsonl", "\ufeff" + lines(TRACK))

    assert inbox.rows("tracks").height == 1


def test_the_first_lines_identify_the_table_of_the_file(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later blank, malformed or incomplete lines belong to the same table; line numbers run on."""
    monkeypatch.setattr(json_records, "SLICE_BYTES", 120)  # about two lines
    second = lines({"track_id": "t2"}, {"track_id": "t3", "title": "Three"})
    (batch,) = inbox.take("t.jsonl", lines(TRACK, TRACK | {"track_id": "t4"}) + second + "\n\n" + "{\n{\n").batches

    assert batch.table == "tracks"
    assert [(reason, line) for reason, _, _, line in inbox.refused()] == [
        ("missing_value", 3),
        ("missing_value", 4),
        ("malformed_row", 7),
        ("malformed_row", 8),
    ]


def test_a_file_without_a_readable_line_is_unreadable(inbox: Inbox) -> None:
    """Its table cannot be recognised."""
    assert "lines is a JSON object" in inbox.complaint("t.jsonl", "{\n{\n")


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("slice_bytes", [1, 7, 1000])
def test_an_array_is_read_like_lines(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, indent: int, slice_bytes: int
) -> None:
    """In slices of any size; brackets, quotes, commas and backslashes in texts do not matter; elements are counted."""
    monkeypatch.setattr(json_records, "SLICE_BYTES", slice_bytes)
    title = 'a],[{"b": "\\\\"},\\" \\'
    records = [
        TRACK | {"title": title, "genres": ["a", "b"]},
        ["no object"],
        TRACK | {"track_id": "t2"},
        {"title": "x"},
    ]
    inbox.take("t.json", "\ufeff \n" + json.dumps(records, indent=indent))

    assert inbox.rows("tracks").select("track_id", "title", "genres").rows() == [
        ("t1", title, ["a", "b"]),
        ("t2", "One", None),
    ]
    assert inbox.refused() == [
        ("malformed_row", None, "t.json", 2),
        ("missing_value", "track_id", "t.json", 4),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "has no records"),
        ("{}", "has no records"),
        (json.dumps({"n": 1, "data": [TRACK]}), "inside an object"),
        (json.dumps(TRACK, indent=1), "one object per line"),
        ("[[]]", "none of its first 1 lines"),
        ('[{"track_id": "t1"}', "does not end"),
        (json.dumps([TRACK]) + " [1]", "other text after its JSON array"),
        ('[{"track_id": "t1}]', "does not end"),
        ('["' + "[" * 300_000, "does not end"),
        ("[" * 300_000, "does not end"),
    ],
)
def test_an_array_without_an_end_or_an_object_is_unreadable(inbox: Inbox, text: str, message: str) -> None:
    """Nothing of it is ingested."""
    assert message in inbox.complaint("t.json", text)


@pytest.mark.parametrize("form", ["lines", "array"])
def test_numbers_that_are_no_json_are_missing_values(inbox: Inbox, form: str) -> None:
    """Many programs write NaN and Infinity; in texts they are words, and elsewhere they make a record malformed."""
    title = 'NaN, \\"Infinity\\" -Infinity'
    texts = [
        f'{{"track_id": "t1", "title": "{title}", "artist_id": "a", "duration_ms": NaN}}',
        '{"track_id": "t2", "title": "Two", "artist_id": "a", "duration_ms":-Infinity}',
        '{"track_id": "t3", "title": NaNa, "artist_id": "a", "duration_ms": Infinity}',
    ]
    inbox.take("t.json", "\n".join(texts) if form == "lines" else f"[{', '.join(texts)}]")

    assert inbox.rows("tracks").select("title", "duration_ms").rows() == [
        (title.replace("\\", ""), None),
        ("Two", None),
    ]
    assert inbox.refused() == [("malformed_row", None, "t.json", 3)]
