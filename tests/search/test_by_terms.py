"""Search by terms: what each term reads and finds, the order and reasons of results, advice, and hostile texts."""

import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Literal

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.errors import InputError, UnknownIds
from recsys.installation.plugins import plugin
from recsys.search import by_terms, places
from recsys.search.by_terms import Results, search
from recsys.search.catalogue import Catalogue
from recsys.search.condition import Span, literal
from recsys.search.grammar import MAX_CHARACTERS, TERMS, is_of_names, parser, terms
from recsys.search.names import words
from recsys.search.terms.key import PITCHES, compatible_keys, key_of
from recsys.search.terms.length import seconds_of
from recsys.search.terms.year import days_of
from recsys.search.vector_index import Index, IndexSettings
from recsys.warehouse.query import Warehouse

AS_OF = date(2026, 6, 30)
ROWS = """
insert into marts.track_features values
('t1', 'Blue Harbour',   'Zoë Tanabe', 'JP', 'North Records', 'major',     '1994-05-01', 3, ['piano'],    'ja', false, null,   80, 'A', 'minor', .1),
('t2', 'Harbour Lights', 'Ada', 'FR',      'North Records', 'major',       '1999-12-31', 4, ['techno'],   'fr', true,  ['FR'], 160, 'C', 'major', .9),
('t3', 'Night',          'Ada', 'FR',      'Südwind', 'independent',       '2020-01-01', 5, ['techno', 'house'], 'en', null, null, 125, 'E', 'minor', .8),
('t4', 'Night Piano',    'Ben', 'unknown', 'Südwind', 'independent',       '2026-06-01', 3, ['hip hop'],  'unknown', false, null, 84, 'A', 'minor', .3),
('t5', 'O''Clock; drop table', 'Ben', 'BR', null, 'unknown',               null,        null, null,       'unknown', null, ['BR'], null, null, null, null),
('t6', 'Withdrawn',      'Ada', 'FR',      'Südwind', 'independent',       '2020-01-01', 5, ['techno'],   'en', false, null,  125, 'E', 'minor', .8);
insert into marts.track_tags (track_id, tag, kind, confidence) values
('t1', 'piano', 'instrument', .9), ('t4', 'piano', 'instrument', .6), ('t2', 'piano', 'instrument', .01),
('t1', 'drums', 'instrument', .9), ('t1', 'no vocals', 'vocal', .4), ('t1', 'female vocalists', 'vocal', .1),
('t2', 'no vocals', 'vocal', .1), ('t2', 'female vocalists', 'vocal', .4);
"""  # noqa: E501 - a table
ANGLES = {"t1": 0.0, "t2": 0.2, "t3": 0.5, "t4": 0.1}
SCHEMA = """
create schema marts; create schema meta;
create table meta.build as select date '2026-06-30' as as_of;
create table marts.track_features (
    track_id varchar, title varchar, artist_name varchar, artist_country varchar, label_name varchar,
    label_type varchar, release_date date, minutes double, genres varchar[], language varchar, explicit boolean,
    available_in varchar[], tempo_bpm double, key varchar, mode varchar, energy double
);
create table marts.track_tags (
    track_id varchar, tag varchar, kind varchar, confidence double, tagger varchar default 'other',
    probability double
);
create table marts.duplicate_links (track_id varchar, same_as varchar);
create table marts.track_lyrics as select * from (
    values ('t1', .8, .3, null, 'en', .9, .01), ('t2', .2, -.4, 'fr', 'es', .8, .01),
        ('t3', null, null, null, null, null, .3),
        ('t4', null, null, 'pt', 'es', .7, null), ('t5', null, null, null, 'es', .9, .93)
) as lyrics (
    track_id, happy_probability, arousal, stated_language, language, language_confidence, explicit_probability
);
create table marts.lyric_themes as select * from (
    values ('t1', 'love', .6), ('t1', 'road', .25), ('t2', 'loss', .9), ('t2', 'love', .1)
) as themes (track_id, theme, share);
"""
DERIVED = """
alter table marts.track_features add column artist_id varchar;
alter table marts.track_features add column label_id varchar;
alter table marts.track_features add column release_title varchar;
alter table marts.track_features add column isrc varchar;
alter table marts.track_features add column duration_ms bigint;
alter table marts.track_features add column danceability double;
alter table marts.track_features add column loudness_lufs double;
alter table marts.track_features add column is_known boolean default true;
alter table marts.track_features add column withdrawn_at date;
update marts.track_features set duration_ms = minutes * 60000, danceability = energy, loudness_lufs = -20 + 10 * energy,
    withdrawn_at = case when track_id = 't6' then date '2026-06-30' end;
"""


def made(path: Path, *, with_index: bool, titles: Sequence[str] = (), more: str = "") -> Catalogue:
    """Return the catalogue of the tracks above, of tracks s00, s01 ... with titles alone, and of more rows by SQL."""
    with duckdb.connect(path) as connection:
        connection.execute(SCHEMA)
        connection.execute(ROWS + more)
        for nth, title in enumerate(titles):
            connection.execute(
                "insert into marts.track_features (track_id, title) values (?, ?)", [f"s{nth:02}", title]
            )
        connection.execute(DERIVED)
    vectors = np.array([[np.cos(angle), np.sin(angle)] for angle in ANGLES.values()], np.float32)
    index = Index.build(list(ANGLES), vectors, version="v1") if with_index else None
    with Warehouse.open(path) as warehouse:
        return Catalogue.read(warehouse, index)


@pytest.fixture(autouse=True)
def by_names_alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare words with names alone, which takes less time; those of with_meanings compare meanings too."""
    if "with_meanings" not in request.fixturenames:
        monkeypatch.setattr("recsys.search.catalogue.is_installed", lambda: False)


@pytest.fixture
def with_meanings(tmp_path: Path) -> Catalogue:
    """The catalogue, with the meanings of its tags."""
    return made(tmp_path / "w.duckdb", with_index=False)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """The catalogue, with an index of the sound of four tracks."""
    return made(tmp_path_factory.mktemp("search") / "w.duckdb", with_index=True)


def found(results: Results) -> list[str]:
    """Return the ids of the tracks that satisfy all conditions, best first."""
    return results.rows.filter(pl.col("misses").is_null())["track_id"].to_list()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("techno", ["t3", "t2"]),
        ("TECHNO or Hip-Hop", ["t4", "t3", "t2"]),
        ("techno not house", ["t2"]),
        ("piano", ["t1", "t4"]),  # stated, then heard; a confidence of .01 is not heard
        ("75-85 bpm", ["t4", "t1", "t2"]),  # 160 is 80 at half time
        ("85-75 bpm", ["t4", "t1", "t2"]),
        ("under 90 bpm", ["t4", "t1"]),
        ("slow", ["t4", "t1"]),
        ("140+ bpm", ["t2"]),
        ("99999999999999999999999 bpm", []),
        ("A minor", ["t4", "t1", "t3", "t2"]),  # then the fifth above and the relative key, newest first
        ("exactly A minor", ["t4", "t1"]),
        ("in a minor key", ["t4", "t3", "t1"]),
        ("1990s", ["t2", "t1"]),
        ("before 1999", ["t1"]),
        ("1999-1990", ["t2", "t1"]),
        ("last year", ["t4"]),
        ("in French", ["t2"]),  # as delivered, although the text is Spanish
        ("lyrics in Spanish", ["t5"]),
        ("language: pt", ["t4"]),  # delivered with the text
        ("not in Spanish", ["t4", "t3", "t2", "t1"]),
        ("French", ["t3", "t2"]),  # artist or language
        ("from Japan", ["t1"]),
        ("not from Japan", ["t3", "t2", "t5"]),  # t4 is from an unknown country
        ("available in France", ["t4", "t3", "t2", "t1"]),
        ("available in BR", ["t4", "t3", "t1", "t5"]),
        ("label north", ["t2", "t1"]),
        ("label: SUDWIND", ["t4", "t3"]),
        ("independent label", ["t4", "t3"]),
        ("artist zoe", ["t1"]),
        ("theme: love", ["t1"]),  # a tenth of t2 is too little
        ("theme leaving home", ["t1"]),
        ("theme: heartbreak", ["t2"]),
        ("not theme: love", ["t2"]),  # of the others nothing is known
        ("happy lyrics", ["t1"]),
        ("emotion: gloomy", ["t2"]),
        ("hopeful, theme: love", ["t1"]),
        ("calm words", ["t2"]),
        ("explicit", ["t2", "t5"]),  # as delivered, then by the words
        ("clean", ["t4", "t1"]),  # the words of t3 are between
        ("not clean", ["t2", "t5"]),
        ("instrumental", ["t1"]),
        ("with vocals", ["t2"]),
        ("calm", ["t1", "t4"]),
        ("high energy", ["t2", "t3"]),
        ("energy 25-35 %", ["t4"]),
        ("quiet", ["t1", "t4"]),
        ("-20 to -16 LUFS", ["t4", "t1"]),
        ("longer than 4 minutes", ["t3", "t2"]),
        ("4:30 to 5:30", ["t3"]),
        ("harbour", ["t2", "t1"]),
        ("tanabe harbour", ["t1"]),
        ('"night piano"', ["t4"]),
        ("o'clock", ["t5"]),
        ("t3", ["t3"]),
        ("withdrawn", []),
        ("energetic or upbeat", ["t2", "t3"]),
        ("Brazil or Brazilian", ["t5"]),
        ("Am or A minor", ["t4", "t1", "t3", "t2"]),
        ("slow or slow", ["t4", "t1"]),
        ("slow or fast or slow", ["t4", "t3", "t2", "t1"]),
        ("not piano", ["t3", "t2"]),  # of t5, neither genres nor tags are known
        ("not drums", ["t4", "t2"]),  # no genre here: known of what taggers heard
        ("not calm", ["t3", "t2"]),
        ("not high energy", ["t4", "t1"]),
        ("not label north", ["t4", "t3"]),  # t5 has no label
        ("not by ada", ["t4", "t1", "t5"]),
        ("not night", ["t2", "t1", "t5"]),
        ("label orth", []),  # words are found from their start
        ("hip hop or Em", ["t4", "t3", "t1"]),
        ("techno & house", ["t3"]),
        ("t2 ... !", ["t2"]),
    ],
)
def test_a_term_finds_its_tracks(catalogue: Catalogue, text: str, expected: list[str]) -> None:
    """The best first, equally good ones newest first; unknown values satisfy neither a term nor its opposite."""
    assert found(search(catalogue, text, n=10)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("longer than 4 minutes", (240.0, None)),
        ("2-3 min", (120.0, 180.0)),
        ("10 minutes or less", (None, 600.0)),
        ("3:30 or longer", (210.0, None)),
        ("2:30 min", (142.5, 157.5)),
        ("90 seconds to 2 minutes", (90.0, 120.0)),
        ("2 min to 3 min", (120.0, 180.0)),
        ("between 3:00 and 3:30", (180.0, 210.0)),
        ("4 minutes and up", (240.0, None)),
    ],
)
def test_lengths_are_in_seconds(text: str, expected: tuple[float, float | None]) -> None:
    """Minutes, and open ends."""
    span = seconds_of(text)

    assert (span.low, span.high) == expected


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("from 90 bpm to 110 bpm", "tempo 90 to 110 bpm, also half or double"),
        ("90 bpm-110 bpm", "tempo 90 to 110 bpm, also half or double"),
        ("100 bpm or faster", "tempo at least 100 bpm"),
        ("tempo 100 or slower", "tempo at most 100 bpm"),
        ("100 bpm or under 3 minutes", "tempo 97 to 103 bpm, also half or double or length at most 180 s"),
        ("100 bpm or longer than 3 minutes", "tempo 97 to 103 bpm, also half or double or length at least 180 s"),
        ("100 bpm or techno", "tempo 97 to 103 bpm, also half or double or techno"),
        ("-12 LUFS or louder", "loudness at least -12 LUFS"),
        ("-16 LUFS to -12 LUFS", "loudness -16 to -12 LUFS"),
        ("-16 LUFS - -12 LUFS", "loudness -16 to -12 LUFS"),
        ("under -14 LUFS", "loudness at most -14 LUFS"),
        ("energy over 60 percent", "energy at least 0.6"),
        ("energy 40% to 60%", "energy 0.4 to 0.6"),
        ("energy 0.5 or more", "energy at least 0.5"),
        ("10 minutes or less", "length at most 600 s"),
        ("3:30 or longer", "length at least 210 s"),
        ("between 1990 and 1999", "released from 1990-01-01 to 1999-12-31"),
        ("2010-now", "released from 2010-01-01"),
        ("1980s-1990s", "released from 1980-01-01 to 1999-12-31"),
        ("from the 80s to the 90s", "released from 1980-01-01 to 1999-12-31"),
        ("late 1980s to early 1990s", "released from 1985-01-01 to 1994-12-31"),
        ("the '90s", "released from 1990-01-01 to 1999-12-31"),
        ("before the 90s", "released to 1989-12-31"),
    ],
)
def test_ranges_are_one_condition(catalogue: Catalogue, text: str, understood: str) -> None:
    """However people write their ends, alone and among other terms."""
    assert search(catalogue, text, n=1).understood == (understood,)
    assert search(catalogue, f"clean, {text}, minor", n=1).understood == ("not explicit", understood, "mode minor")


@pytest.mark.parametrize("text", ["tempo " + "9" * 320, "9" * 320 + " bpm", "energy 0." + "1" * 320, "9" * 99 + " min"])
def test_numbers_without_end_are_read(catalogue: Catalogue, text: str) -> None:
    """As words, or as the number that they are."""
    assert found(search(catalogue, text, n=1)) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("available in EU", "'EU' names no country"),
        ("territory: ZZ", "'ZZ' names no country"),
        ("artists from XQ", "'XQ' names no country"),
        ("language: zz", "'zz' names no language"),
    ],
)
def test_unknown_places_are_refused(catalogue: Catalogue, text: str, message: str) -> None:
    """With what to write instead."""
    with pytest.raises(InputError, match=f"{message}. Write an English name or an ISO"):
        search(catalogue, text, n=1)


@pytest.mark.parametrize("name", terms())
def test_a_term_reads_its_examples(catalogue: Catalogue, name: str) -> None:
    """Each example is one clause of its own term, also after another term; so the documents show what works."""
    tags = {"technoambientclassicalreggaeton": ("techno", "ambient", "classical", "reggaeton", "hip hop", "piano")}
    full = replace(catalogue, spellings=tags)
    for example in plugin(TERMS, name).EXAMPLES:
        for text in (example, f"clean, {example}"):
            clauses = list(parser(full).parse(text).find_data("clause"))
            kinds = {str(node.data) for node in clauses[-1].iter_subtrees()} - {"clause", "negated", "change"}

            assert (len(clauses), kinds) == (1 + (text != example), {name})


def test_results_say_why(catalogue: Catalogue) -> None:
    """Every condition with the track's own value."""
    results = search(catalogue, "piano, 75-85 bpm, A minor, 2020s", n=1)

    assert results.rows["why"].to_list() == ["piano: confidence 0.60; 84 bpm; key A minor; released 2026-06-01"]
    assert results.rows["fit"].to_list() == [pytest.approx((0.6 / (0.6 + 0.25) + 3) / 4)]
    assert results.understood[1] == "tempo 75 to 85 bpm, also half or double"
    assert results.n_found == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("in Spanish", "language es by the text, probability 0.90"),
        ("lyrics in French", "language fr, as delivered"),
        ("Portuguese", "language pt, as delivered"),
        (
            "explicit, language: es",
            "explicit by its words, probability of a flag 0.93; language es by the text, probability 0.90",
        ),
        ("clean, language: ja", "not explicit, as delivered; language ja, as delivered"),
    ],
)
def test_results_say_whether_lyrics_were_delivered_or_told(catalogue: Catalogue, text: str, expected: str) -> None:
    """Languages and explicit words are as delivered, or else as the text tells, and the result says which."""
    assert search(catalogue, text, n=1).rows["why"].to_list() == [expected]


def test_half_and_double_tempo_are_named(catalogue: Catalogue) -> None:
    """A track of 160 bpm is 80 at half time, one of 80 is 160 at double time; both rank below exact ones."""
    slow, fast = search(catalogue, "75-85 bpm", n=9).rows, search(catalogue, "155-165 bpm", n=9).rows

    assert slow["why"].to_list() == ["84 bpm", "80 bpm", "160 bpm, 80 at half time"]
    assert fast["why"].to_list() == ["160 bpm", "80 bpm, 160 at double time"]


def test_results_that_miss_one_term_follow(catalogue: Catalogue) -> None:
    """Of three conditions, one on the sound may be missed; one on the territory may not."""
    rows = search(catalogue, "75-85 bpm, exactly A minor, available in Japan", n=10).rows

    assert rows["track_id"].to_list() == ["t4", "t1"]
    rows = search(catalogue, "120-130 bpm, minor, techno", n=10).rows
    assert rows.select("track_id", "misses").rows() == [("t3", None)]
    rows = search(catalogue, "150-170 bpm, minor, techno", n=10).rows
    assert rows.select("track_id", "misses").rows() == [
        ("t3", "tempo 150 to 170 bpm, also half or double"),
        ("t2", "mode minor"),
        ("t4", "techno"),  # 168 at double time
        ("t1", "techno"),
    ]


def test_an_empty_result_says_what_to_drop(catalogue: Catalogue) -> None:
    """One term with the number of results without it; or two together."""
    one = search(catalogue, "techno, 1990s, from Japan", n=5)
    two = search(catalogue, "techno, from Brazil, in Japanese", n=5)

    assert one.advice[:2] == ("Without “techno”: 1 result", "Without “artist from Japan”: 1 result")
    assert two.n_found == 0
    assert two.advice == (
        "Without “artist from Brazil” and “language ja”: 2 results",
        "Without “techno” and “artist from Brazil”: 1 result",
        "Without “techno” and “language ja”: 1 result",
    )


@pytest.mark.parametrize(
    ("word", "meant"), [("tecno", "techno"), ("harbor", "harbour"), ("brazilan", "brazilian"), ("tannabe", "tanabe")]
)
def test_an_unknown_word_gets_a_suggestion(catalogue: Catalogue, word: str, meant: str) -> None:
    """A tag, a word of a title or a name, or a country."""
    (advice,) = search(catalogue, word, n=5).advice

    assert f"did you mean: {meant}" in advice


def test_similar_sound(catalogue: Catalogue) -> None:
    """Nearest by angle first, the track itself left out; `but` compares with its tempo; other terms restrict."""
    assert found(search(catalogue, "like t1", n=9)) == ["t4", "t2", "t3"]
    assert found(search(catalogue, "like t3 but slower", n=9)) == ["t4", "t1"]
    assert found(search(catalogue, "sounds like “Blue Harbour” by Zoe, but faster and louder", n=9)) == [
        "t4",
        "t2",
        "t3",
    ]
    assert found(search(catalogue, "like t1, techno", n=9)) == ["t2", "t3"]
    rows = search(catalogue, "like t1", n=1).rows
    assert rows["why"][0] == f"sound {np.cos(0.1):.2f} like Blue Harbour by Zoë Tanabe"
    assert rows["fit"][0] == pytest.approx(np.cos(0.1), abs=1e-6)


def test_similar_to_two_tracks_is_similar_on_average(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the mean of both similarities, also if only one neighbour is asked for: the best of one reference alone."""
    monkeypatch.setattr(by_terms, "N_NEIGHBOURS", 1)

    rows = search(catalogue, "like t1, like t3", n=1).rows

    assert rows["track_id"].to_list() == ["t2"]  # t4 is nearer to t1
    assert rows["fit"][0] == pytest.approx((np.cos(0.2) + np.cos(0.3)) / 2, abs=1e-6)


def test_as_many_neighbours_as_asked_for(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """More results than neighbours are usually searched."""
    monkeypatch.setattr(by_terms, "N_NEIGHBOURS", 1)

    assert found(search(catalogue, "like t1", n=3)) == ["t4", "t2", "t3"]


def test_removed_vectors_are_not_searched(tmp_path: Path) -> None:
    """A removed track is no result and no reference; every track that is there is found."""
    angles = ANGLES | {f"x{nth}": 1.5 + nth / 100 for nth in range(36)}  # of no track: enough for clusters
    vectors = np.array([[np.cos(angle), np.sin(angle)] for angle in angles.values()], np.float32)
    settings = IndexSettings(exact_below=2, min_recall=0.0, max_removed_share=0.9)
    index = Index.build(list(angles), vectors, version="v1", settings=settings)
    index.remove(["t2"])
    made(tmp_path / "w.duckdb", with_index=False)
    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        without = Catalogue.read(warehouse, index)

    assert index.ids.tolist() == list(angles)
    assert index.is_there.tolist() == [name != "t2" for name in angles]
    assert found(search(without, "like t1", n=9)) == ["t4", "t3"]
    with pytest.raises(InputError, match="has not been analysed"):
        search(without, "like t2", n=9)


def test_a_recording_is_found_once(tmp_path: Path) -> None:
    """Of accepted duplicates, the better or newer one; counts and advice count recordings."""
    path = tmp_path / "w.duckdb"
    made(path, with_index=False)
    with duckdb.connect(path) as connection:
        connection.execute("insert into marts.duplicate_links values ('t2', 't3')")
    with Warehouse.open(path) as warehouse:
        catalogue = Catalogue.read(warehouse)

    either = search(catalogue, "techno", n=9)
    missing = search(catalogue, "fast, techno, in German", n=9)
    close = search(catalogue, "techno, house, fast", n=9)

    assert (found(either), either.n_found) == (["t3"], 1)
    assert missing.advice[0] == "Without “language de”: 1 result"
    assert close.rows["track_id"].to_list() == ["t3"]  # t2 misses house


def test_notes_count_in_plain_english(catalogue: Catalogue) -> None:
    """One track satisfies, several satisfy; one misses, several miss."""
    assert search(catalogue, "techno, house", n=9).notes()[1] == "1 track satisfies all conditions"
    assert search(catalogue, "techno", n=9).notes()[1] == "2 tracks satisfy all conditions"
    close = search(catalogue, "150-170 bpm, minor, techno", n=9).notes()[1]
    assert close == "0 tracks satisfy all conditions, and 4 that miss one condition"
    assert search(catalogue, "techno, over 150 bpm, house", n=1).notes()[1].endswith("and 1 that misses one condition")


def test_a_calibrated_tagger_counts_before_others(tmp_path: Path) -> None:
    """From a probability of .5 on; where it is lower, the confidences of other taggers do not count for this tag."""
    calibrated = """
insert into marts.track_tags (track_id, tag, kind, confidence, tagger, probability) values
('t4', 'piano', 'instrument', .4, 'heard', .4), ('t2', 'piano', 'instrument', .8, 'heard', .8);
"""
    catalogue = made(tmp_path / "w.duckdb", with_index=False, more=calibrated)

    assert search(catalogue, "piano", n=5).rows["why"].to_list() == ["genre piano", "piano: confidence 0.80"]
    assert found(search(catalogue, "drums", n=5)) == ["t1"]  # which only the other tagger hears


def test_words_find_the_tag_that_means_the_same(with_meanings: Catalogue) -> None:
    """It counts by its similarity; the tag and the word are named in the reason, and a name counts more."""
    results = search(with_meanings, "drumming", n=5)
    by_tag = search(with_meanings, "drums", n=5)
    similarity = with_meanings.meanings.closest("drumming").similarity  # type: ignore[union-attr]

    assert found(results) == found(by_tag) == ["t1"]
    assert results.understood == ("words drumming or drums, close in meaning to drumming",)
    assert results.rows["why"].to_list() == ["drums: confidence 0.90, close in meaning to drumming"]
    assert results.rows["fit"][0] == pytest.approx(round(similarity, 2) * by_tag.rows["fit"][0])
    assert found(search(with_meanings, "pianoforte", n=5)) == ["t1", "t4"]
    assert found(search(with_meanings, '"drumming"', n=5)) == []
    assert found(search(with_meanings, "harbour", n=5)) == ["t2", "t1"]


def test_without_the_encoder_of_texts_words_are_those_of_names(catalogue: Catalogue) -> None:
    """The extra is optional."""
    assert found(search(catalogue, "drumming", n=5)) == []


def test_few_words_get_suggestions(catalogue: Catalogue) -> None:
    """The first three that are unknown."""
    advice = search(catalogue, "night tecno harbor brazilan tannabe", n=5).advice

    assert [line.split("”")[0].removeprefix("For “") for line in advice if line.startswith("For")] == [
        *("tecno", "harbor", "brazilan")
    ]


def test_similar_sound_needs_a_track_with_sound(catalogue: Catalogue, tmp_path: Path) -> None:
    """A track that does not exist, or has no sound, or no index: each is an error that says so."""
    with pytest.raises(UnknownIds, match="There is no track 't99'"):
        search(catalogue, "like t99", n=1)
    with pytest.raises(InputError, match="has not been analysed"):
        search(catalogue, "like t5", n=1)
    with pytest.raises(InputError, match="no index of the sound"):
        search(made(tmp_path / "w.duckdb", with_index=False), "like t1", n=1)


def test_a_path_is_no_file_unless_files_may_be_read(catalogue: Catalogue, tmp_path: Path) -> None:
    """Without a function that embeds files, as on the page, a path is a title that does not exist."""
    (tmp_path / "x.mp3").write_bytes(b"")

    with pytest.raises(UnknownIds, match="There is no track"):
        search(catalogue, f'like "{tmp_path / "x.mp3"}"', n=1)


@pytest.mark.parametrize(
    "text",
    [
        "'; drop table tracks; --",
        '" or 1=1 --',
        "label '; select 1",
        "artist \"'",
        "like '",
        "minor, major",
        "over 200 bpm, under 50 bpm",
        "-5 bpm",
        "1e309 bpm",
        "0:00 to 0:00",
        "99 or older",
        "ÅÄÖ 日本語 🎹 \u202e\u0000",
        "piano or piano or piano or piano",
        "not not techno",
        "techno or",
        "or",
        "not",
        "like",
        "like t1 or techno",
        "not like t1",
        "but slower",
        "{j} {} {terms} %s $rows",
        "a minor",
        "from",
        "(((((",
        "\\p{L}+(",
        "piano " * 150,
    ],
)
def test_hostile_texts_are_searched_for_or_refused(catalogue: Catalogue, text: str) -> None:
    """Either results or an InputError, and the tables stay as they were."""
    with suppress(InputError):
        search(catalogue, text, n=5)

    assert catalogue.tables.query("select count(*) as n from tracks")["n"].item() == 5


@pytest.mark.parametrize("text", ["", "  ", ",;,", "the", "\0"])
def test_an_empty_search_is_refused(catalogue: Catalogue, text: str) -> None:
    """With an example of what to write."""
    with pytest.raises(InputError, match="The search is empty"):
        search(catalogue, text, n=1)


def test_long_searches_are_refused(catalogue: Catalogue) -> None:
    """Too many characters, or conditions."""
    with pytest.raises(InputError, match=r"10,000 characters, expected at most 1,000"):
        search(catalogue, "x" * 10_000, n=1)
    with pytest.raises(InputError, match=r"31 conditions, expected at most 30"):
        search(catalogue, "techno," * 31, n=1)
    with pytest.raises(InputError, match=r"99 conditions, expected at most 30"):
        search(catalogue, " or ".join(["piano"] * 99), n=1)
    with pytest.raises(InputError, match=r"240 conditions, expected at most 30"):
        search(catalogue, " ".join(f"{number}" for number in range(240)), n=1)


def test_a_slow_search_is_stopped(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """With advice for a search."""
    monkeypatch.setattr("recsys.search.catalogue.LIMIT_S", 0.01)

    with pytest.raises(InputError, match=r"took longer than 0\.01 s and was stopped\. Write fewer terms"):
        catalogue.query("select sum(a.range * b.range) from range(10000000) as a, range(10000000) as b")


VOCABULARY = [
    "not",
    "or",
    "and",
    "with",
    "but",
    "like",
    "by",
    "techno",
    "piano",
    "minor",
    "a",
    "A",
    "120",
    "bpm",
    "1990s",
    "label",
    "artist",
    "from",
    "in",
    "French",
    ",",
    '"',
    "'",
    "-",
]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(VOCABULARY), max_size=12).map(" ".join)))
def test_any_text_is_searched_for_or_refused(catalogue: Catalogue, text: str) -> None:
    """No text raises anything but an InputError; results satisfy the schema."""
    try:
        results = search(catalogue, text, n=3)
    except InputError:
        return

    assert results.rows["rank"].to_list() == list(range(1, results.rows.height + 1))
    assert results.rows["fit"].is_between(0, 1).all()
    assert len(text) <= MAX_CHARACTERS


def test_names_are_told_from_terms(catalogue: Catalogue) -> None:
    """Words alone are a search for names; a term, quotes, `or`, and what cannot be read are not."""
    texts = ["night lights", "the", "night techno", '"night"', "not", "120 bpm", "love or hate", "piano or"]

    assert [is_of_names(text, catalogue) for text in texts] == [True, True, False, False, True, False, False, False]


def test_compatible_keys_are_neighbours_on_the_camelot_wheel() -> None:
    """Same number and other letter, or same letter and the next number; 8A is A minor, a fifth adds one."""
    number = {((9 + 7 * step) % 12, "minor"): (8 + step - 1) % 12 + 1 for step in range(12)}
    number |= {((tonic + 3) % 12, "major"): no for (tonic, _), no in list(number.items())}
    for (tonic, mode), own in number.items():
        same = {key for key, no in number.items() if no == own and key[1] != mode}
        beside = {key for key, no in number.items() if (no - own) % 12 in {1, 11} and key[1] == mode}

        assert set(compatible_keys(tonic, mode)) == same | beside
        assert key_of(f"camelot {own}{'A' if mode == 'minor' else 'B'}") == (tonic, mode)


@pytest.mark.parametrize(
    ("text", "key"),
    [("Bbm", "A# minor"), ("key of F major", "F major"), ("C sharp minor", "C# minor"), ("E-flat major", "D# major")],
)
def test_keys_are_read_in_their_spellings(text: str, key: str) -> None:
    """Sharps and flats as signs and words."""
    tonic, mode = key_of(text) or (0, "")

    assert f"{PITCHES[tonic]} {mode}" == key


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("90s", date(1990, 1, 1), date(1999, 12, 31)),
        ("10s", date(2010, 1, 1), date(2019, 12, 31)),
        ("early 1980s", date(1980, 1, 1), date(1984, 12, 31)),
        ("1990s or older", date(1, 1, 1), date(1999, 12, 31)),
        ("1990s or later", date(1990, 1, 1), date(9999, 12, 31)),
        ("1990s or earlier", date(1, 1, 1), date(1999, 12, 31)),
        ("late 1990s", date(1995, 1, 1), date(1999, 12, 31)),
        ("late 1990s or later", date(1995, 1, 1), date(9999, 12, 31)),
        ("since 2020", date(2020, 1, 1), date(9999, 12, 31)),
        ("last 5 years", date(2021, 7, 1), AS_OF),
    ],
)
def test_dates(text: str, first: date, last: date) -> None:
    """Decades, open ends, and years before the last day of the data."""
    assert days_of(text, AS_OF) == (first, last)


def test_spans() -> None:
    """Signs, words, dashes of any length, reversed ends, and a tolerance around a single number."""
    assert [str(Span.of(text)) for text in ("70\N{EN DASH}90", "90 to 70", "under 5", "5+", "-16 - -12", ">= 3")] == [
        *("70 to 90", "70 to 90", "at most 5", "at least 5", "-16 to -12", "at least 3")
    ]
    assert Span.of("100", tolerance=0.03) == Span(97.0, 103.0)


SCRIPTS = tuple(
    line.strip()
    for line in """
    Zoë's Straße, 2
    O'Clock; DROP_table
    ÅÄÖ Ærø — Łódź
    日本語 ガ
    ¿Qué?
    한국어 노래
    हिन्दी गीत
    தமிழ்
    Οδυσσεύς
    ภาษาไทย
    עִבְרִית
    اُردُو
    İstanbul
    Việt
    бой
    """.strip().splitlines()
)


@pytest.fixture(scope="module")
def in_scripts(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """A catalogue whose titles are texts in many scripts."""
    return made(tmp_path_factory.mktemp("scripts") / "w.duckdb", with_index=False, titles=SCRIPTS)


@pytest.mark.parametrize(("nth", "text"), list(enumerate(SCRIPTS)))
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_words_are_those_of_the_columns(
    in_scripts: Catalogue, nth: int, text: str, form: Literal["NFC", "NFD"]
) -> None:
    """A title is found by its own text, composed or decomposed, in capitals or small letters."""
    column = in_scripts.tables.query(f"select title_words from tracks where track_id = 's{nth:02}'").item()

    assert words(unicodedata.normalize(form, text)) == literal(column)
    assert found(search(in_scripts, f'"{text}"', n=1)) == [f"s{nth:02}"]
    assert found(search(in_scripts, f'"{text.lower()}"', n=1)) == [f"s{nth:02}"]
    assert found(search(in_scripts, f'"{text.upper()}"', n=1)) == [f"s{nth:02}"]


@pytest.mark.parametrize("text", ["artist &", 'label "!"', '""', '"&"', "by ...", "_"])
def test_a_name_without_a_letter_is_refused(catalogue: Catalogue, text: str) -> None:
    """Instead of being a part of every name."""
    with pytest.raises(InputError, match="has no letter or digit"):
        search(catalogue, text, n=1)


def test_equal_conditions_count_once(catalogue: Catalogue) -> None:
    """In fit, in reasons and in how the search was understood."""
    once, twice = search(catalogue, "75-85 bpm, techno", n=9), search(catalogue, "75-85 bpm, techno, techno", n=9)
    either = search(catalogue, "piano or Piano", n=1)

    assert twice.rows.equals(once.rows)
    assert twice.understood == once.understood
    assert (either.understood, either.rows["why"].to_list()) == (("piano",), ["genre piano"])


def test_places_have_codes() -> None:
    """Names, adjectives and codes of countries; names and codes of languages."""
    assert [places.country_of(name) for name in ("Brazil", "Brazilian", "UK", "BR", "Atlantis")] == [
        *("BR", "BR", "GB", "BR", None)
    ]
    assert [places.language_of(name) for name in ("Portuguese", "fr", "Greek", "Klingonese")] == [
        "pt",
        "fr",
        "el",
        None,
    ]


def test_a_search_needs_no_audio_library() -> None:
    """Catalogues without audio are searched without faiss, PyAV and torch."""
    code = (
        "import sys; sys.modules.update(faiss=None, av=None, torch=None); import recsys.published.search, "
        "recsys.search.by_terms"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
