"""Marts of lyrics: which text counts, mixed languages, takedowns, and no text anywhere. All verses are made up."""

import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from recsys.ingest.undo import undo
from recsys.installation.paths import SQL_FOLDER
from recsys.lake.store import Lake
from recsys.lyrics.language import CONFUSABLE
from recsys.pipeline.plan import result_tables
from recsys.warehouse.build import Sources, build
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.labels import file_name, write_labels
from recsys.warehouse.query import Warehouse, run_query
from recsys.warehouse.sqlfile import read_layers

from .conftest import AS_OF, FREE, TODAY, Place, place_in, rows, with_world

PHRASE = "the marmalade lighthouse"
ENGLISH = f"{PHRASE} is calling everybody home tonight"
SPANISH = "la luna blanca canta sobre el mar y nadie quiere dormir"
MARTS = (
    "track_lyrics",
    "lyric_sections",
    "lyric_languages",
    "lyric_words",
    "lyric_hits",
    "lyric_vectors",
    "lyric_conflicts",
    "track_features",
    "interactions_daily",
    "listener_profile",
)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, Path]:
    """Return a world with lyrics of t1 (twice), of t2 by ISRC as mere words, and of t3, which is taken down."""
    place = with_world(place_in(tmp_path_factory.mktemp("lyrics")))
    place.take("old.csv", f"track_id,text,source,training_consent\nt1,{ENGLISH},a,granted\nt3,{ENGLISH},a,granted\n")
    place.take(
        "new.jsonl", f'{{"track_id": "t1", "source": "b", "text": "{ENGLISH}\\n\\n{SPANISH}\\n\\nla la la"}}\n', FREE
    )
    place.take("mxm.txt", "%i,babi\nUSRC17600002,1,1:6,2:2\nt1,2,1:6\n")
    place.take("gone.csv", "track_id,taken_down_at\nt3,2026-01-30\n")
    return place, place.build("lyrics", only=[f"marts.{mart}" for mart in MARTS])


def test_a_text_counts_before_words_and_the_newest_before_others(warehouse: tuple[Place, Path]) -> None:
    """The words of musiXmatch came last, and are not those of t1; a recording that is taken down has no lyrics."""
    query = "select track_id, source, form, language, n_languages, training_consent from marts.track_lyrics order by 1"

    assert rows(warehouse[1], query) == [
        ("t1", "b", "text", "es", 2, "unknown"),
        ("t2", "musixmatch", "words", None, 0, "unknown"),
    ]


def test_models_learn_from_a_text_if_its_own_consent_and_that_of_the_recording_allow_it(tmp_path: Path) -> None:
    """A text may not be read if the recording is denied; where the recording says nothing, its own consent counts."""
    place = place_in(tmp_path)
    consents = {"t1": ("granted", "granted"), "t2": ("denied", "granted"), "t3": ("", "granted"), "t4": ("granted", "")}
    tracks = "".join(f"{track},One,ar1,{own}\n" for track, (own, _) in consents.items())
    texts = "".join(f"{track},{ENGLISH},{of_text}\n" for track, (_, of_text) in consents.items())
    place.take("tracks.csv", f"track_id,title,artist_id,training_consent\n{tracks}")
    place.take("lyrics.csv", f"track_id,text,training_consent\n{texts}")
    built = place.build("consent", only=["marts.track_lyrics", "marts.lyric_words", "marts.track_features"])

    queries = ("words_of_tracks", "words_of_lyrics", "words_of_tags", "lyrics_of_tags")
    with Warehouse.open(built) as warehouse:
        read = [
            set(warehouse.query(sql, {"consents": ["granted"]} if "$consents" in sql else {})["track_id"])
            for sql in map(internal_sql, queries)
        ]
    assert read == [{"t1", "t3"}] * 4
    query = "select track_id, training_consent from marts.track_lyrics order by 1"
    assert rows(built, query) == [("t1", "granted"), ("t2", "denied"), ("t3", "granted"), ("t4", "unknown")]


def test_mixed_languages_are_shares_of_words(warehouse: tuple[Place, Path]) -> None:
    """Eight words of English, eleven of Spanish, three that tell nothing."""
    query = "select language, n_words, round(share * 22) from marts.lyric_languages order by n_words"

    assert rows(warehouse[1], query) == [(None, 3, 3), ("en", 8, 8), ("es", 11, 11)]


def test_words_of_a_recording_are_those_of_the_text_that_counts(warehouse: tuple[Place, Path]) -> None:
    """t1 has the words of both its verses; t2 its stems."""
    query = "select track_id, word, n from marts.lyric_words where word in ('la', 'babi', 'i') order by 1, 2"

    assert rows(warehouse[1], query) == [("t1", "la", 4), ("t2", "babi", 2), ("t2", "i", 6)]


def test_vectors_are_those_of_the_text_that_counts(warehouse: tuple[Place, Path]) -> None:
    """t1 has two sections with a language, and a third without; a recording that is taken down has none."""
    query = "select track_id, section, encoder, len(vector) from marts.lyric_vectors order by 2"

    encoder = "use-multilingual-3"
    assert rows(warehouse[1], query) == [("t1", 1, encoder, 512), ("t1", 2, encoder, 512)]


def test_explicit_words_have_a_line_and_a_reason(tmp_path: Path) -> None:
    """The recording is not marked as explicit, so that it is listed for review; so is one with another language."""
    place = with_world(place_in(tmp_path))
    place.take("more.csv", "track_id,title,artist_id,explicit,language\nt4,Four,ar1,false,en\nt5,Five,ar1,true,fr\n")
    harsh = "what the fuck is going on in here tonight\\n" * 7
    place.take("x.jsonl", f'{{"track_id": "t4", "text": "{harsh}"}}\n{{"track_id": "t5", "text": "{ENGLISH}"}}\n')
    built = place.build("explicit", only=[f"marts.{mart}" for mart in MARTS])

    hits = "select line, term, reason, n from marts.lyric_hits where line >= 6 order by line"
    assert rows(built, hits) == [(6, "fuck", "profanity", 1), (7, "fuck", "profanity", 1)]
    with Warehouse.open(built) as warehouse:
        listed = run_query(warehouse, "lyrics_to_review", {})
    assert sorted(listed.select("track_id", "finding", "stated", "found").rows()) == [
        ("t4", "unmarked", "not explicit", "explicit"),
        ("t5", "marked", "explicit", "not explicit"),
        ("t5", "wrong_language", "fr", "en"),
    ]


def test_sung_languages_by_year_and_country(warehouse: tuple[Place, Path]) -> None:
    """t1 is Spanish, and played twice in Germany and once elsewhere; t2, of the same year, tells no language."""
    with Warehouse.open(warehouse[1]) as opened:
        by_year = run_query(opened, "sung_by_year", {}).rows()
        heard = [run_query(opened, "sung_by_country", params).rows() for params in ({"n_listeners": "1"}, {})]

    assert by_year == [(2020, "es", 1, 0.5), (2020, "unknown", 1, 0.5)]
    assert heard == [[("DE", "es", 1, 2, 1.0), ("unknown", "es", 1, 1, 1.0)], []]


def test_lyrics_add_no_recording_to_the_catalogue(tmp_path: Path) -> None:
    """Those of unknown recordings are kept, but neither tracks nor findings of the catalogue come from them."""
    place = place_in(tmp_path)
    place.take("mxm.txt", "%love,you\nTR1,1,1:2,2:1\nTR2,1,1:1\n")

    built = place.build("unknown", only=["marts.track_lyrics", "marts.track_features"])

    assert rows(built, "select count(*) from marts.track_features") == [(0,)]
    assert rows(built, "select track_id from marts.track_lyrics order by 1") == [("TR1",), ("TR2",)]


def test_lyrics_of_a_recording_stay_when_those_of_another_are_taken_back(tmp_path: Path) -> None:
    """Both have the same text; the words, sections and hits of the second stay."""
    place, harsh = with_world(place_in(tmp_path)), f"what the fuck, {ENGLISH}"
    place.take("a.csv", f'track_id,text\nt1,"{harsh}"\n', FREE)
    place.take("b.csv", f'track_id,text\nt2,"{harsh}"\n', FREE)
    batch = next(entry for entry in Lake(place.home).batch_log() if entry.source_file == "a.csv")

    undo(place.home, batch.batch, today=TODAY)

    built = place.build("undone", only=[f"marts.{mart}" for mart in MARTS])
    for mart in ("track_lyrics", "lyric_sections", "lyric_words", "lyric_hits", "lyric_vectors"):
        assert rows(built, f"select distinct track_id from marts.{mart}") == [("t2",)]


def stated_and_found(built: Path) -> list[tuple[object, ...]]:
    """Return stated and found language of the recordings listed for review."""
    with Warehouse.open(built) as warehouse:
        return run_query(warehouse, "lyrics_to_review", {}).sort("track_id").select("stated", "found").rows()


def test_languages_that_are_taken_for_each_other_are_not_to_be_reviewed(tmp_path: Path) -> None:
    """Nor are former codes and written forms of one; no lyrics (zxx) although there is a text are."""
    place = place_in(tmp_path)
    stated = ("nb", "da", "nn", "zxx", "sv")
    norwegian = "jeg vet ikke hva jeg skal gjøre uten deg i natt og hjertet mitt er kaldt når du går bort fra meg"
    tracks = "".join(f"t{n},One,ar1,{language}\n" for n, language in enumerate(stated))
    place.take("tracks.csv", f"track_id,title,artist_id,language\n{tracks}")
    place.take("x.csv", "track_id,text\n" + "".join(f"t{n},{norwegian}\n" for n in range(len(stated))))

    built = place.build("review", only=[f"marts.{mart}" for mart in MARTS])

    assert stated_and_found(built) == [("zxx", "no"), ("sv", "no")]


def test_the_mart_knows_the_languages_that_are_taken_for_each_other() -> None:
    """Its groups are those of the analysis, with former codes and written forms added."""
    listed = re.findall(r"\('(\w+)', '(\w+)'\)", (SQL_FOLDER / "marts" / "lyric_conflicts.sql").read_text())

    group_of = {code: code for _, code in listed} | dict(listed)
    known = {code for group in CONFUSABLE for code in group}
    groups = {frozenset(code for code in known if group_of.get(code, code) == name) for name in group_of.values()}
    assert groups - {frozenset()} == set(CONFUSABLE)
    assert group_of.keys() - known == {"nb", "nn", "sh", "in", "iw", "he"}


def test_no_mart_and_no_label_file_has_a_text() -> None:
    """No column of a mart is the text, and words go into no label's file."""
    marts = {name: file for name, file in read_layers(SQL_FOLDER).items() if name.startswith("marts.")}

    assert not any("text" in file.columns or "line_starts_ms" in file.columns for file in marts.values())
    assert marts["marts.lyric_words"].label_rules is None
    assert marts["marts.lyric_vectors"].label_rules is None
    assert {name for name, file in marts.items() if "text_id" in file.columns} == {"marts.track_lyrics"}


@pytest.mark.slow
def test_a_label_sees_measures_of_its_lyrics_only(tmp_path: Path) -> None:
    """Its file has language and sections of its recordings, and not a word of them."""
    place = with_world(place_in(tmp_path))
    place.take("x.csv", f"track_id,text\nt1,{ENGLISH}\n")
    write_labels(place.build("all"), tmp_path / "labels")

    own = tmp_path / "labels" / file_name("la1")

    assert rows(own, "select language, n_words from marts.lyric_sections") == [("en", 8)]
    assert b"marmalade" not in own.read_bytes()


def test_works_by_their_lyrics(tmp_path: Path) -> None:
    """Both recordings of a match are shown with their artists and works, unless they are known to be of one work."""
    place = with_world(place_in(tmp_path))
    place.take("lyrics.csv", f"track_id,text\nt1,{ENGLISH}\nt2,{ENGLISH}\nt3,{SPANISH}\n")
    pairs = [("t1", "t2", "same_text", 1.0, None), ("t1", "t3", "translation", 0.7, 2)]
    schema = result_tables()["lyric_matches"].schema
    pl.DataFrame(pairs, schema, orient="row").write_parquet(tmp_path / "matches.parquet")
    tables = dict(result_tables())
    tables["lyric_matches"] = replace(tables["lyric_matches"], paths=(tmp_path / "matches.parquet",))
    only = ["marts.lyric_matches", "marts.duplicate_links"]
    build(tmp_path / "w.duckdb", Sources(Lake(place.home), AS_OF, results=tables), only=only)

    columns = "track_id, other_track_id, kind, language, other_language, same_work"
    assert rows(tmp_path / "w.duckdb", f"select {columns} from marts.lyric_matches order by 2") == [
        ("t1", "t2", "same_text", "en", "en", None),
        ("t1", "t3", "translation", "en", "es", None),
    ]
    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        listed = run_query(warehouse, "works_by_lyrics", {"least": "0.8"})
    assert listed.select("track_id", "other_track_id", "kind", "score").rows() == [("t1", "t2", "same_text", 1.0)]
