"""Marts of what lyrics say: mood, themes, names. All verses are made up."""

from pathlib import Path

import pytest

from recsys.warehouse.query import Warehouse, run_query

from .conftest import FREE, Place, place_in, rows, with_world

MARTS = ("track_lyrics", "lyric_themes", "lyric_references", "words_against_sound", "track_features", "track_tags")
SAD = "i cry alone with a broken heart tonight, sorrow and grief, i was hurt and i am lonely, goodbye"
HAPPY = "we laugh and sing with joy, my friend, this is a wonderful and lovely party, happy and free we dance"
ROAD = "sixteen wheels are rolling down the open highway to New Orleans, another hundred miles of road"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a warehouse with a sad text under happy sound, the reverse, and a text with names."""
    place = with_world(place_in(tmp_path_factory.mktemp("meanings")))
    place.take("more.csv", "track_id,title,artist_id\nt8,Iron Lantern,ar9\nt9,Nine,ar9\n")
    place.take("more_artists.csv", "artist_id,name\nar9,The Copper Foxes\n")
    lyrics = [f't1,"{SAD}"', f't2,"{HAPPY}"', f't9,"{ROAD} with the Copper Foxes in the Iron Lantern tonight"']
    place.take("x.csv", "track_id,text\n" + "\n".join(lyrics) + "\n", FREE)
    header = "track_id,tagger,tag,kind,confidence,probability\n"
    place.take(
        "tags.csv",
        f"{header}t1,own-mood,happy,mood,0.9,0.9\nt2,own-mood,sad,mood,0.8,0.8\nt9,own-mood,happy,mood,0.9,\n",
    )
    return place.build("meanings", only=[f"marts.{mart}" for mart in MARTS])


def test_words_against_sound_are_listed_if_both_are_certain(built: Path) -> None:
    """The certainty is the product of both probabilities; without a calibrated tag there is none."""
    found = rows(built, "select track_id, contrast, sound_probability from marts.words_against_sound order by 1")
    certainty = "select max(abs(certainty - sound_probability * words_probability)) from marts.words_against_sound"

    assert found == [("t1", "sad_words", 0.9), ("t2", "happy_words", 0.8)]
    assert rows(built, certainty) == [(0.0,)]


def test_themes_are_those_of_the_lyrics(built: Path) -> None:
    """One theme is the main one."""
    assert rows(built, "select theme from marts.lyric_themes where track_id = 't9' and is_main") == [("road",)]


def test_names_of_places_and_of_the_catalogue_are_references(built: Path) -> None:
    """Own artists are none; a title of the same artist is one, and an artist is found without its article."""
    query = "select kind, term, n_referred, referred_id from marts.lyric_references where track_id = 't9' order by 1"

    assert rows(built, query) == [("place", "new orleans", None, None), ("title", "iron lantern", 1, "t8")]


def test_artists_of_others_are_references(tmp_path: Path) -> None:
    """They are found although they were delivered after the lyrics."""
    place: Place = with_world(place_in(tmp_path))
    place.take("x.csv", f'track_id,text\nt1,"{ROAD} with the Copper Foxes tonight"\n', FREE)
    place.take("more_artists.csv", "artist_id,name\nar9,The Copper Foxes\n")

    later = place.build("later", only=[f"marts.{mart}" for mart in MARTS])

    assert rows(later, "select term, referred_id from marts.lyric_references where kind = 'artist'") == [
        ("copper foxes", "ar9")
    ]


def test_names_are_compared_without_signs_and_own_ones_are_none(tmp_path: Path) -> None:
    """Titles and artists of the catalogue have signs of their own; an artist has two ids."""
    place: Place = with_world(place_in(tmp_path))
    titles = {"h": "Hello, Goodbye", "s": "Spider-Man Theme", "w": "Straße Nacht", "own": "Nobody's Home!"}
    place.take("more.csv", "track_id,title,artist_id\n" + "".join(f'{n},"{t}",ar9\n' for n, t in titles.items()))
    place.take("artists2.csv", "artist_id,name\nar9,Guns N' Roses\nar8,Guns N\u2019 Roses\nar7,AC/DC Band\n")
    line = "we sang to Hello Goodbye, then all of the Spider-Man Theme and then Strasse Nacht with our friends, "
    line += "not Guns N' Roses and neither the AC/DC Band"
    for name, track in (("a", "own"), ("b", "t1")):
        place.take(
            f"{name}.jsonl", f'{{"track_id": "{track}", "text": "{line} is it Nobody\u2019s Home here"}}\n', FREE
        )

    built = place.build("signs", only=[f"marts.{mart}" for mart in MARTS])

    query = "select kind, term, n_referred from marts.lyric_references where track_id = '{}' order by 1, 2"
    common = [("artist", "ac/dc band", 1)], [("title", titles[name].lower(), 1) for name in ("h", "s", "w")]
    assert rows(built, query.format("own")) == [*common[0], *common[1]]
    artists = [*common[0], ("artist", "guns n' roses", 2)]
    nobody = ("title", titles["own"].lower(), 1)
    assert rows(built, query.format("t1")) == [*artists, common[1][0], nobody, *common[1][1:]]


def test_trends_of_themes_leave_small_groups_out(built: Path) -> None:
    """Three recordings are fewer than ten; the query says so by leaving them out."""
    with Warehouse.open(built) as warehouse:
        assert run_query(warehouse, "theme_trends", {}).is_empty()
        listed = run_query(warehouse, "theme_trends", {"min_recordings": "1"})

    assert listed.filter(theme="road").select("n_recordings").sum().item() == 1
    assert set(listed["share"] > 0) == {True}
