"""Lyrics at the door: every form, what their licence permits, and nothing else. All verses are made up."""

import json
import struct
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.arrays import F32
from recsys.errors import BadRecipe, InputError
from recsys.ingest.lyrics import TABLES
from recsys.ingest.mapping import mapping_of
from recsys.ingest.replay import replay
from recsys.ingest.run import ingest, source_files
from recsys.ingest.settings import IngestSettings
from recsys.ingest.source import Source
from recsys.ingest.undo import undo
from recsys.lake.store import Lake
from recsys.lyrics.vectors import as_stored
from recsys.lyrics.words import words_of
from recsys.text.encoder import encode

from .conftest import TODAY, Inbox

PHRASE = "the marmalade lighthouse"
VERSE = f"{PHRASE} is calling me home tonight"
SECOND = "every window keeps one little lantern burning"
KEEP = IngestSettings(keep_texts_of=("cc0-1.0",))


def stored_bytes(inbox: Inbox) -> bytes:
    """Return everything that the home holds, with its tables as text."""
    parquet = [pl.read_parquet(path, glob=False).write_json() for path in inbox.home.path.rglob("*.parquet")]
    other = [
        path.read_text(errors="replace")
        for path in inbox.home.path.rglob("*")
        if path.is_file() and path.suffix != ".parquet"
    ]
    return "\n".join([*parquet, *other]).encode()


def put(inbox: Inbox, name: str, content: str | bytes) -> Path:
    """Write a file into the folder `lyrics` of the inbox."""
    (inbox.folder / "lyrics").mkdir(exist_ok=True)
    return inbox.put(f"lyrics/{name}", content)


def test_without_a_licence_no_line_of_a_text_is_stored(inbox: Inbox) -> None:
    """Neither in the lake nor in the quarantine, whatever is wrong with the row; the words are, without order."""
    rows = f'track_id,text\nt1,"{VERSE}"\n,"{VERSE}"\nt3,"{VERSE * 4000}"\n'

    ingest(inbox.home, [put(inbox, "t0.txt", VERSE), inbox.put("x.csv", rows)], today=TODAY)

    assert inbox.rows("lyrics")["track_id"].to_list() == ["t0", "t1"]
    assert inbox.rows("lyrics")["text"].null_count() == 2
    assert inbox.rows("lyrics")["n_words"].to_list() == [8, 8]
    assert set(inbox.rows("lyric_words")["word"]) == set(VERSE.split())
    assert [reason for reason, *_ in inbox.refused()] == ["missing_value", "malformed_row"]
    assert PHRASE.encode() not in stored_bytes(inbox)


def test_a_licence_of_the_recipe_keeps_the_text(inbox: Inbox) -> None:
    """The licence stands in the row or is given with the files; licences are compared without regard to case."""
    own = inbox.put("own.csv", f"track_id,text,licence\nt1,{VERSE},CC0-1.0\nt2,{VERSE},all rights reserved\n")
    lrc = inbox.put("t3.lrc", f"[00:01.00]{VERSE}\n[00:02.50]again")

    ingest(inbox.home, [own], today=TODAY, settings=KEEP)
    ingest(inbox.home, [lrc], today=TODAY, settings=KEEP, licence="CC0-1.0")

    kept = inbox.rows("lyrics").select("track_id", "text", "line_starts_ms", "licence").rows()
    assert kept == [
        ("t1", VERSE, None, "CC0-1.0"),
        ("t2", None, None, "all rights reserved"),
        ("t3", f"{VERSE}\nagain", [1000.0, 2500.0], "CC0-1.0"),
    ]


def test_words_may_be_left_out_as_well(inbox: Inbox) -> None:
    """Then only measures are stored of texts without a licence of the recipe."""
    settings = IngestSettings(keep_texts_of=("cc0-1.0",), keep_words=False)
    table = inbox.put("x.jsonl", f'{{"track_id": "t1", "text": "{VERSE}"}}\n')

    ingest(inbox.home, [table], today=TODAY, settings=settings)

    assert inbox.rows("lyrics")["n_distinct_words"].to_list() == [8]
    assert inbox.rows("lyric_words").is_empty()


def test_no_copy_of_a_file_with_lyrics_is_kept(inbox: Inbox, tmp_path: Path) -> None:
    """The archive of ingested files is for data that may be kept."""
    settings = IngestSettings(archive=str(tmp_path / "archive"))

    ingest(inbox.home, [put(inbox, "t1.txt", VERSE)], today=TODAY, settings=settings)

    assert not list((tmp_path / "archive").rglob("*.txt"))


def test_consent_source_and_language_are_columns(inbox: Inbox) -> None:
    """They are those of the text, beside what the recording says; a text may be delivered by several sources."""
    header = "track_id,text,license,source,language,training_consent\n"

    inbox.take("x.csv", f"{header}t1,{VERSE},x,ours,en,granted\nt1,{VERSE},x,theirs,,perhaps\n")

    columns = ("source", "licence", "language", "training_consent", "detected_language")
    assert inbox.rows("lyrics").select(columns).rows() == [
        ("ours", "x", "en", "granted", "en"),
        ("theirs", "x", None, "unknown", "en"),
    ]


def test_times_of_sections_are_kept_without_the_text(inbox: Inbox) -> None:
    """A section begins with its first line and ends with its last one."""
    inbox.take(
        "t1.ttml", f'<tt><body><div><p begin="1s" end="2s">{VERSE}</p><p begin="2s" end="4s">b</p></div></body></tt>'
    )

    sections = inbox.rows("lyric_sections")

    assert sections.select("section", "n_lines", "start_ms", "end_ms").rows() == [(1, 2, 1000, 4000)]
    assert inbox.rows("lyrics").select("track_id", "form").rows() == [("t1", "timed")]


def test_bags_of_words_of_musixmatch(inbox: Inbox) -> None:
    """Numbers count from 1; a number beyond the list refuses the row; copies may lack the percent sign."""
    inbox.take("mxm.txt", "# about\n%i,the,babi\nTR1,99,1:6,3:2\nTR2,98,4:1\nTR3,97,x\n")
    inbox.take("copy.txt", "i,the,babi,you,to,and,a,me,it,in\nTR4,96,2:5,\nTR5,95,1:1,3:2\n")

    words = inbox.rows("lyrics").join(inbox.rows("lyric_words"), on="lyrics_id").select("track_id", "word", "n")

    expected = [("TR1", "babi", 2), ("TR1", "i", 6), ("TR4", "the", 5), ("TR5", "babi", 2), ("TR5", "i", 1)]
    assert sorted(words.rows()) == expected
    assert set(inbox.rows("lyrics").select("form", "is_stemmed", "source").rows()) == {("words", True, "musixmatch")}
    assert inbox.refused() == [("malformed_row", None, "mxm.txt", 4), ("malformed_row", None, "mxm.txt", 5)]


def test_plain_text_is_lyrics_only_in_a_folder_of_that_name(inbox: Inbox) -> None:
    """Any other text file is refused, unless the format is named."""
    other = inbox.put("note.txt", "some words, and more words\n")

    report = ingest(inbox.home, [other], today=TODAY)
    named = ingest(inbox.home, [other], today=TODAY, format_name="lyrics_text")

    assert [path for path, _ in report.unreadable] == [other]
    assert {batch.table for batch in named.batches} == {"lyrics", "lyric_sections", "lyric_words"}
    assert inbox.rows("lyrics")["track_id"].to_list() == ["note"]


def test_an_archive_of_lyrics_is_one_source(inbox: Inbox) -> None:
    """Its members are named like files; what is no lyrics is skipped and listed."""
    with zipfile.ZipFile(inbox.folder / "all.zip", "w") as packed:
        packed.writestr("lyrics/t1.txt", VERSE)
        packed.writestr("more/t2.lrc", f"[00:01.00]{VERSE}")
        packed.writestr("more/note.txt", VERSE)

    report = ingest(inbox.home, [inbox.folder / "all.zip"], today=TODAY)

    assert inbox.rows("lyrics").select("track_id", "form").rows() == [("t1", "text"), ("t2", "timed")]
    assert inbox.rows("lyric_sections").height == 1 + 1
    assert [name for _, name in report.skipped] == ["more/note.txt"]


def id3(frame: bytes, content: bytes) -> bytes:
    """Return an ID3v2.3 tag with one frame, as at the start of an MP3 file."""
    body = frame + struct.pack(">IH", len(content), 0) + content
    size = len(body)
    return b"ID3\x03\x00\x00" + bytes(size >> shift & 127 for shift in (21, 14, 7, 0)) + body + b"\0" * 64


def test_lyrics_in_the_tags_of_music_files(inbox: Inbox) -> None:
    """Both plain and synchronised ones are read; other formats leave music files in folders out."""
    inbox.put("t1.mp3", id3(b"USLT", b"\0eng\0" + VERSE.encode()))
    synced = b"one\0" + struct.pack(">I", 1500) + b"\ntwo\0" + struct.pack(">I", 2500)
    inbox.put("t2.mp3", id3(b"SYLT", b"\0eng\x02\x01\0" + synced))
    inbox.put("t3.mp3", id3(b"TIT2", b"\0A title"))
    inbox.put("notes.csv", "track_id,text\nt9,not asked for\n")

    report = ingest(inbox.home, [inbox.folder], today=TODAY, format_name="lyrics_in_audio")

    assert report.unreadable == []
    assert inbox.rows("lyrics").sort("track_id").select("track_id", "form", "n_words").rows() == [
        ("t1", "text", 8),
        ("t2", "timed", 2),
    ]
    assert [path.name for path in source_files([inbox.folder])] == ["notes.csv"]


def test_without_the_extra_other_files_are_still_ingested(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file with lyrics is unreadable, the message says what to install, and it is tried again."""
    monkeypatch.setattr("recsys.ingest.lyrics.missing_message", lambda module: f"Install {module}")
    inbox.put("artists.csv", "artist_id,name,country\na1,Ada,DE\n")
    lyrics = put(inbox, "t1.txt", VERSE)

    report = ingest(inbox.home, [inbox.folder], today=TODAY)

    assert [(path, message[-17:]) for path, message in report.unreadable] == [(lyrics, "Install py3langid")]
    assert [batch.table for batch in report.batches] == ["artists"]
    monkeypatch.undo()
    assert inbox.rows("lyrics").is_empty()
    assert {batch.table for batch in ingest(inbox.home, [inbox.folder], today=TODAY).batches} >= {"lyrics"}


@pytest.mark.parametrize(("name", "content"), [("t.ttml", "<tt><body>"), ("t.lrc", b"[00:01.00]\xff\xff" * 9)])
def test_a_damaged_file_is_unreadable_and_not_quoted(inbox: Inbox, name: str, content: str | bytes) -> None:
    """The message names the file and the reason."""
    message = inbox.complaint(name, content)

    assert name in message
    assert "ingested" in message


def test_a_bag_of_words_has_words_that_occur(inbox: Inbox) -> None:
    """A word listed twice is added up; a count of 0, or a line of text in place of a word, refuses the row."""
    inbox.take("mxm.txt", f"%love,you,love,{VERSE}\nTR1,1,1:2,3:5,2:1\nTR2,1,1:0,2:1\nTR3,1,2:1,4:1\n")

    assert inbox.rows("lyrics").select("track_id", "n_words", "n_distinct_words").rows() == [("TR1", 8, 2)]
    assert inbox.rows("lyric_words").sort("word").select("word", "n").rows() == [("love", 7), ("you", 1)]
    assert [line for *_, line in inbox.refused()] == [3, 4]
    assert PHRASE.encode() not in stored_bytes(inbox)


def test_a_table_of_times_is_no_bag_of_words(inbox: Inbox) -> None:
    """Its rows have the form of a word and its count."""
    message = inbox.complaint("songs.csv", "track_id,year,length\nYesterday,1965,2:05\nHelp,1965,2:18\n")

    assert "lyrics" not in message.split("--as")[0]


DIRECT = {
    "lyrics": f"track_id,lyrics_id,text_id,form,text,licence\nt1,i,x,text,{VERSE},CC0-1.0\n",
    "lyric_sections": "lyrics_id,section,first_line,n_lines,n_words\ni,1,1,1,8\n",
    "lyric_words": f"lyrics_id,word,n\ni,{VERSE},1\n",
    "lyric_hits": f"lyrics_id,term,kind,n\ni,{VERSE},sex,1\n",
    "lyric_vectors": f"lyrics_id,section,encoder,vector\n{VERSE},1,x,1|2\n",
    "lyric_themes": f"lyrics_id,theme,share\ni,{VERSE},1\n",
    "lyric_names": f"lyrics_id,line,key,n_words,term\ni,1,0,8,{VERSE}\n",
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("is_named", [True, False])
@pytest.mark.parametrize("suffix", ["csv", "parquet", "json"])
def test_tables_that_are_made_at_ingest_cannot_be_delivered(
    inbox: Inbox, table: str, suffix: str, *, is_named: bool
) -> None:
    """Whatever the form of the file, so that no text gets past its licence; the message says what to deliver."""
    rows = pl.read_csv(DIRECT[table].encode())
    path = inbox.folder / f"x.{suffix}"
    getattr(rows, {"csv": "write_csv", "parquet": "write_parquet", "json": "write_ndjson"}[suffix])(path)

    report = ingest(inbox.home, [path], today=TODAY, table=table if is_named else None, settings=KEEP)

    assert report.batches == []
    assert "Deliver lyrics as track_id and text" in report.unreadable[0][1]
    assert PHRASE.encode() not in stored_bytes(inbox)


def test_no_mapping_fills_a_table_that_is_made_at_ingest(inbox: Inbox) -> None:
    """Its columns are none that files may be mapped to, and its name refuses a mapping of others."""
    with pytest.raises(InputError, match="lyrics_id"):
        mapping_of(inbox.home, "lyrics_id=id,text=words", name=None, table=None, time_format=None)
    mapping = mapping_of(inbox.home, "track_id=id,source=who", name=None, table="lyrics", time_format=None)
    path = inbox.put("own.csv", "id,who\nt1,me\n")

    report = ingest(inbox.home, [path], today=TODAY, mapping=mapping, format_name="mapped")

    assert "cannot be delivered" in report.unreadable[0][1]


def test_a_table_with_other_columns_is_not_lyrics(inbox: Inbox) -> None:
    """Nor is one for which the caller names another table; the format can be named."""
    tracks = inbox.put("tracks.csv", "track_id,title,artist_id,text\nt1,One,ar1,a fine song about the sea\n")
    few = inbox.put("few.csv", f"track_id,text\nt1,{VERSE}\n")

    assert [batch.table for batch in ingest(inbox.home, [tracks], today=TODAY).batches] == ["tracks"]
    assert [batch.table for batch in ingest(inbox.home, [few], today=TODAY, table="takedowns").batches] == ["takedowns"]
    titled = inbox.put("titled.csv", f"track_id,title,text\nt1,One,{VERSE}\n")
    assert ingest(inbox.home, [titled], today=TODAY, format_name="lyrics_table").batches[0].table == "lyrics"


def test_the_quarantine_has_no_text_that_may_be_kept(inbox: Inbox) -> None:
    """A refused row is shown without it, and nothing else of it is stored."""
    table = inbox.put("x.csv", f"track_id,text,licence\n,{VERSE},CC0-1.0\nt1,{SECOND},CC0-1.0\n")

    ingest(inbox.home, [table], today=TODAY, settings=KEEP)

    assert [row[0] for row in inbox.refused()] == ["missing_value"]
    assert PHRASE.encode() not in stored_bytes(inbox)
    assert set(inbox.rows("lyric_words")["word"]) == set(SECOND.split())


def test_of_a_refused_text_nothing_is_stored(inbox: Inbox) -> None:
    """Neither where its recording's id is too long, nor where most of the file is refused."""
    report = inbox.take("x.csv", f"track_id,text\n{'t' * 1001},{VERSE}\n")
    most = "".join(f",{VERSE}\n" for _ in range(10))

    inbox.take("y.csv", f"track_id,text\nt1,{SECOND}\n{most}")

    assert report.refused_files == ["x.csv"]
    with pytest.raises(InputError, match="--undo"):
        replay(inbox.home, today=TODAY, settings=IngestSettings(), batch_id=report.batches[0].batch)
    assert [inbox.rows(table).height for table in TABLES] == [0] * len(TABLES)


def test_taking_a_file_back_leaves_the_lyrics_of_others(inbox: Inbox) -> None:
    """Files with the same text have rows of their own, also for the same recording with another licence."""
    for name, row in (("a.csv", "t1,{},x"), ("b.csv", "t2,{},x"), ("c.csv", "t1,{},y")):
        inbox.take(name, f"track_id,text,licence\n{row.format(VERSE)}\n")
    first = next(batch for batch in Lake(inbox.home).batch_log() if batch.source_file == "a.csv")

    undo(inbox.home, first.batch, today=TODAY)

    words = inbox.rows("lyrics").join(inbox.rows("lyric_words"), on="lyrics_id")
    assert words.group_by("track_id", "licence").len().sort("track_id").rows() == [("t1", "y", 8), ("t2", "x", 8)]
    assert inbox.rows("lyric_sections").height == 2


def test_words_that_are_left_out_of_one_delivery_stay_in_others(inbox: Inbox) -> None:
    """Each delivery has the words that the settings allowed then, though the text is the same."""
    silent = inbox.put("silent.csv", f"track_id,text\nt2,{VERSE}\n")

    inbox.take("loud.csv", f"track_id,text\nt1,{VERSE}\n")
    ingest(inbox.home, [silent], today=TODAY, settings=IngestSettings(keep_words=False))

    words = inbox.rows("lyrics").join(inbox.rows("lyric_words"), on="lyrics_id")
    assert set(words["track_id"]) == {"t1"}


def test_vectors_of_sections_follow_the_settings(inbox: Inbox) -> None:
    """Each section has 512 whole numbers; of texts that are not kept, `keep_vectors` stores them instead of words."""
    rows = f'{{"track_id": "t1", "text": "{VERSE}\\n\\n{SECOND}\\n\\n{VERSE}"}}\n'
    silent = IngestSettings(keep_words=False, keep_vectors=True)
    ingest(inbox.home, [inbox.put("all.jsonl", rows)], today=TODAY, settings=silent)
    own = inbox.put("some.csv", f"track_id,text,licence\nt2,{VERSE},CC0-1.0\nt3,{VERSE},x\n")

    ingest(inbox.home, [own], today=TODAY, settings=KEEP)

    stored = inbox.rows("lyrics").join(inbox.rows("lyric_vectors"), on="lyrics_id").sort("track_id", "section")
    assert stored.select("track_id", "section").rows() == [("t1", 1), ("t1", 2), ("t2", 1)]
    vectors = np.array(stored["vector"].to_list())
    assert vectors.shape == (3, 512)
    assert np.abs(vectors).max(axis=1).tolist() == [127, 127, 127]
    assert np.array_equal(vectors[0], vectors[2])
    assert stored["encoder"].unique().to_list() == ["use-multilingual-3"]


def rebuilt(bag: Counter[str], vector: F32, n_words: int) -> str:
    """Rebuild a section from the words of its text and its vector: a beam search, then words are moved."""
    beams: list[tuple[str, ...]] = [()]
    for _ in range(n_words):
        longer = sorted({(*beam, word) for beam in beams for word in bag if beam.count(word) < bag[word]})
        beams = best_of(longer, vector, 4)
    last, (text, *_) = None, beams
    while text != last:
        rests = [(word, text[:place] + text[place + 1 :]) for place, word in enumerate(text)]
        moved = {(*rest[:place], word, *rest[place:]) for word, rest in rests for place in range(n_words)}
        last, (text, *_) = text, best_of(sorted(moved), vector, 1)
    return " ".join(text)


def best_of(options: list[tuple[str, ...]], vector: F32, n: int) -> list[tuple[str, ...]]:
    """Return the n options whose vectors are the most similar ones."""
    scores = encode([" ".join(option) for option in options]) @ vector
    return [options[row] for row in np.argsort(-scores, kind="stable")[:n]]


def test_words_and_vectors_of_a_text_that_is_not_kept_are_never_stored_together(inbox: Inbox) -> None:
    """Both together give a line back, word for word, whether or not other lines share the words."""
    line = "she dances alone under yellow street lights"
    bag = Counter(words_of(f"the rain is falling on the town and every light {line}"))
    vector = as_stored(encode([line])[0]).astype(np.float32)
    assert rebuilt(bag, vector, len(line.split())) == line

    silent = IngestSettings(keep_words=False)
    for number, settings in enumerate((IngestSettings(), silent, replace(silent, keep_vectors=True))):
        text = inbox.put(f"{number}.csv", f"track_id,text,licence\nt{number},{line},all rights reserved\n")
        ingest(inbox.home, [text], today=TODAY, settings=settings)
    ids = inbox.rows("lyrics").select("track_id", "lyrics_id")
    stored = [ids.join(inbox.rows(table), on="lyrics_id")["track_id"] for table in ("lyric_words", "lyric_vectors")]

    assert [set(tracks) for tracks in stored] == [{"t0"}, {"t2"}]
    with pytest.raises(BadRecipe, match="keep_words and keep_vectors: found true for both"):
        IngestSettings(keep_vectors=True)


def test_names_of_a_text_that_is_not_kept_tell_no_more_than_its_words(inbox: Inbox) -> None:
    """No hash of words of the text, which the words would resolve, and no line; nothing at all without words."""
    text = "we took a train to Paris with the Velvet Harbour Choir\\nand we came home from Paris in the rain"
    for number, settings in enumerate((IngestSettings(), IngestSettings(keep_words=False), KEEP)):
        row = f'{{"track_id": "t{number}", "text": "{text}", "licence": "{("x", "y", "CC0-1.0")[number]}"}}\n'
        ingest(inbox.home, [inbox.put(f"{number}.jsonl", row)], today=TODAY, settings=settings)

    names = inbox.rows("lyrics").select("lyrics_id", "track_id").join(inbox.rows("lyric_names"), on="lyrics_id")
    assert names.filter(pl.col("track_id") != "t2").select("track_id", "line", "term").rows() == [("t0", None, "paris")]
    assert names.filter(track_id="t2", term="paris")["line"].to_list() == [1, 2]
    assert names.filter(pl.col("track_id") == "t2", pl.col("term").is_null()).height == 3


def test_another_licence_needs_the_file_again(inbox: Inbox) -> None:
    """Taken back and ingested again with other settings, the text is kept, or no longer kept."""
    own = inbox.put("own.csv", f"track_id,text,licence\nt1,{VERSE},CC0-1.0\n")
    for settings, expected in ((KEEP, VERSE), (IngestSettings(), None), (KEEP, VERSE)):
        report = ingest(inbox.home, [own], today=TODAY, settings=settings)
        assert inbox.rows("lyrics")["text"].to_list() == [expected]
        undo(inbox.home, report.batches[0].batch, today=TODAY)

    assert PHRASE.encode() not in stored_bytes(inbox)


def test_a_member_that_cannot_be_read_is_refused_alone(inbox: Inbox) -> None:
    """The other lyrics of the archive are ingested, and the quarantine names the member."""
    with zipfile.ZipFile(inbox.folder / "all.zip", "w") as packed:
        packed.writestr("lyrics/t1.txt", VERSE)
        packed.writestr("lyrics/t2.txt", b"\xff\xfe\xff" * 9)
        packed.writestr("t3.ttml", "<tt><body>")

    ingest(inbox.home, [inbox.folder / "all.zip"], today=TODAY)

    assert inbox.rows("lyrics")["track_id"].to_list() == ["t1"]
    assert [(reason, name) for reason, _, name, _ in inbox.refused()] == [
        ("malformed_row", "all.zip/lyrics/t2.txt"),
        ("malformed_row", "all.zip/t3.ttml"),
    ]


def test_a_small_file_of_many_times_is_refused_without_being_unfolded(inbox: Inbox) -> None:
    """Three thousand times on one line of 21,000 characters would be 63 million."""
    inbox.take("t1.lrc", "[00:01]" * 3000 + "x" * 21_000)

    assert inbox.rows("lyrics").is_empty()
    assert [reason for reason, *_ in inbox.refused()] == ["malformed_row"]


def test_stated_languages_are_codes_without_a_region(inbox: Inbox) -> None:
    """Of TTML and of LRC, also where it is in a table."""
    inbox.take("t1.ttml", f'<tt xml:lang="en-US"><body><div><p begin="1s">{VERSE}</p></div></body></tt>')
    inbox.take("x.jsonl", json.dumps({"track_id": "t2", "text": f"[la:DE]\n[00:01.00]{VERSE}"}))
    inbox.take("y.csv", f"track_id,text,language\nt3,{VERSE},pt_BR\n")

    assert inbox.rows("lyrics").select("track_id", "language").rows() == [("t1", "en"), ("t2", "de"), ("t3", "pt")]


def test_many_words_come_in_several_chunks(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are handed on by their number, not by that of the texts."""
    monkeypatch.setattr("recsys.ingest.lyrics._ROWS_PER_CHUNK", 10)
    source = Source(inbox.put("x.csv", f"track_id,text\nt1,{VERSE}\nt2,{VERSE}\nt3,{VERSE}\n"))

    heights = [chunk.rows.height for chunk in source.chunks() if chunk.table == "lyrics"]

    assert [height for height in heights if height] == [1, 1, 1]
