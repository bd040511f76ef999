"""Improbable and conflicting metadata, planted one fault at a time beside values on the right side of each rule."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from recsys.lake.store import Lake
from recsys.pipeline.plan import result_tables
from recsys.warehouse.build import Sources, build
from recsys.warehouse.query import Warehouse, run_query

from .conftest import AS_OF, WORLD, Place, place_in, rows

COLUMNS = "track_id,title,artist_id,label_id,release_date,duration_ms,isrc,genres,language,explicit,training_consent"
USUAL = {
    "title": "One",
    "artist_id": "ar1",
    "label_id": "la1",
    "release_date": "2020-05-01",
    "duration_ms": "200000",
    "isrc": "",
    "genres": "rock",
    "language": "en",
    "explicit": "false",
    "training_consent": "granted",
}


def tracks(**given: dict[str, str]) -> str:
    """Return a file of tracks with the usual values, except where a track says otherwise."""
    lines = [",".join([name, *(USUAL | {"title": name} | values).values()]) for name, values in given.items()]
    return "\n".join([COLUMNS, *lines])


def issues(path: Path, kind: str) -> set[tuple[object, ...]]:
    """Return track_id, issue and detail of a kind."""
    query = f"select track_id, issue, detail from marts.catalogue_health where kind = '{kind}'"
    found = rows(path, query)
    assert len(found) == len(set(found))
    return set(found)


def health(place: Place) -> Path:
    """Build the mart with the other files of the world."""
    for name in ("artists", "labels", "listens"):
        place.take(f"{name}.csv", WORLD[name])
    return place.build("health", only=["marts.catalogue_health"])


def test_improbable_values(place: Place) -> None:
    """A value is reported beyond its limit and not at it; files were last delivered on 28 February 2026."""
    place.take(
        "tracks.csv",
        tracks(
            oldest={"release_date": "1890-01-01"},
            too_old={"release_date": "1889-12-31"},
            announced={"release_date": "2027-03-01"},
            too_late={"release_date": "2027-03-02"},
            reissue={"release_date": "2020-05-01", "isrc": "DEA127600001"},
            registered_late={"release_date": "2020-05-01", "isrc": "DEA122300002"},
            later_isrc={"release_date": "2020-05-01", "isrc": "DEA122400003"},
            before_isrc={"release_date": "1975-05-01", "isrc": "DEA120500004"},
            nineties={"release_date": "1991-05-01", "isrc": "DEA129400005"},
            later_nineties={"release_date": "1991-05-01", "isrc": "DEA129500006"},
        ),
    )

    assert issues(health(place), "improbable") == {
        ("too_old", "odd_release_date", "1889-12-31"),
        ("too_late", "odd_release_date", "2027-03-02"),
        ("later_isrc", "odd_isrc_year", "DEA122400003 / 2020"),
        ("later_nineties", "odd_isrc_year", "DEA129500006 / 1991"),
    }


def test_sound_that_contradicts_the_catalogue(place: Place) -> None:
    """Tempo out of range, and a file of another length, unless it is an excerpt or its end could not be decoded."""
    names = ("slowest", "slow", "fastest", "fast", "near", "long", "cut", "excerpt", "lost")
    place.take("tracks.csv", tracks(**{name: {} for name in names}))
    place.take(
        "audio_features.csv",
        "track_id,tempo_bpm,duration_ms,lost_ms\n"
        "slowest,30,,\nslow,29.9,,\nfastest,300,,\nfast,300.1,,\n"
        "near,,210000,\nlong,,210001,\ncut,,60000,\nexcerpt,,59999,\nlost,,150000,45000\n",
    )

    assert issues(health(place), "improbable") == {
        ("slow", "odd_tempo", "29.9"),
        ("fast", "odd_tempo", "300.1"),
        ("long", "odd_length_of_file", "200000 / 210001"),
        ("cut", "odd_length_of_file", "200000 / 60000"),
    }


def test_sources_that_disagree(place: Place) -> None:
    """A newer file of the same source is a correction; a missing value, or another spelling of one, is no conflict."""
    place.take("label_1.csv", tracks(a={"isrc": "de-a12-20-00001"}, b={}, c={}, d={"language": "en"}))
    place.take("label_2.csv", tracks(d={"language": "de"}))
    place.take(
        "distributor.csv",
        tracks(
            a={"title": " A ", "isrc": "DEA122000001", "duration_ms": "202000"},
            b={"language": "de"},
            c={"explicit": "true", "language": "", "training_consent": "denied", "duration_ms": "202001"},
        ),
    )

    path = health(place)

    query = "select track_id, attribute, value, other_value, other_source from marts.metadata_conflicts"
    assert set(rows(path, query)) == {
        ("b", "language", "de", "en", "label_.csv"),
        ("c", "explicit", "true", "false", "label_.csv"),
        ("c", "training_consent", "denied", "granted", "label_.csv"),
        ("c", "duration", "202001 ms", "200000 ms", "label_.csv"),
    }
    assert issues(path, "conflicting") == {
        ("b", "sources_differ", "language: de / en"),
        ("c", "sources_differ", "duration: 202001 ms / 200000 ms and 2 more"),
    }


def test_analyses_that_disagree(place: Place) -> None:
    """Tempo over 4 % apart, and another key; the newest analysis of each analyser counts, under any name."""
    place.take("tracks.csv", tracks(a={"isrc": "DEA122000001"}, b={}, c={}))
    features = "track_id,tempo_bpm,key,mode,analyser\n"
    place.take("old.csv", f"{features}a,99,C,major,theirs\nb,100,C,major,theirs\nc,100,C,major,recsys-1-a x y\n")
    place.take("delivered.csv", f"{features}a,70,C,major,theirs\n")
    place.take("scan.csv", f"{features}DEA122000001,140,A,minor,recsys-2-b x y\nb,104,,,recsys-2-b x y\n")
    place.take("again.csv", f"{features}c,200,D,major,recsys-2-b x y\n")

    path = health(place)

    query = "select track_id, attribute, value, other_value, other_source from marts.metadata_conflicts"
    assert set(rows(path, query)) == {
        ("a", "tempo", "70.0", "140.0", "recsys"),
        ("a", "key", "C major", "A minor", "recsys"),
    }


@pytest.fixture(scope="module")
def with_copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a warehouse with pairs of copies: three that disagree, one of them of two labels, and one not."""
    place = place_in(tmp_path_factory.mktemp("copies"))
    given = {
        "explicit": {"explicit": "true"},
        "explicit2": {},
        "language": {"language": "de", "label_id": "la2"},
        "language2": {},
        "consent": {"training_consent": "denied"},
        "consent2": {},
        "vague": {"language": "", "explicit": "", "training_consent": ""},
        "vague2": {},
    }
    place.take("tracks.csv", tracks(**given))
    place.take("artists.csv", WORLD["artists"])
    place.take("listens.csv", WORLD["listens"])
    place.take("labels.csv", f"{WORLD['labels']}la2,Other,major,US\n")
    links = pl.DataFrame(
        [(f"{name}2", name, "names", 1.0, "rule") for name in given if not name.endswith("2")],
        result_tables()["duplicate_links"].schema,
        orient="row",
    )
    links.write_parquet(place.folder / "links.parquet")
    tables = dict(result_tables())
    tables["duplicate_links"] = replace(tables["duplicate_links"], paths=(place.folder / "links.parquet",))
    build(place.folder / "w.duckdb", Sources(Lake(place.home), AS_OF, results=tables), only=["marts.catalogue_health"])
    return place.folder / "w.duckdb"


def test_copies_that_disagree(with_copies: Path) -> None:
    """Both copies are listed with their own value; unknown contradicts nothing."""
    assert issues(with_copies, "conflicting") == {
        ("explicit", "copies_differ_in_explicit", "true"),
        ("explicit2", "copies_differ_in_explicit", "false"),
        ("language", "copies_differ_in_language", "de"),
        ("language2", "copies_differ_in_language", "en"),
        ("consent", "copies_differ_in_consent", "denied"),
        ("consent2", "copies_differ_in_consent", "granted"),
    }


def test_totals_of_one_kind_of_issue(with_copies: Path) -> None:
    """Of all labels, or of one."""
    params = {"kind": "conflicting", "label": "la2"}
    with Warehouse.open(with_copies) as warehouse:
        every = run_query(warehouse, "issue_totals", {"kind": "conflicting"})
        own = run_query(warehouse, "issue_totals", params)

    assert dict(every.select("issue", "n_tracks").iter_rows()) == {
        f"copies_differ_in_{name}": 2 for name in ("explicit", "language", "consent")
    }
    assert own.select("kind", "issue", "n_tracks").rows() == [("conflicting", "copies_differ_in_language", 1)]


def test_a_label_sees_conflicts_with_its_own_copies_only(with_copies: Path) -> None:
    """What another label states of its copy is not in a label's file."""
    query = "select track_id from marts.catalogue_health where kind = 'conflicting' and not is_of_metadata"

    assert set(rows(with_copies, query)) == {("language",), ("language2",)}


def test_lyrics_that_contradict_the_catalogue(place: Place) -> None:
    """Another language, explicit words without a flag, a flag without such words; and a language that was missing."""
    clean = "the silver river is calling everybody home tonight and nobody wants to sleep"
    place.take("tracks.csv", tracks(a={"language": "fr"}, b={"language": ""}, c={}, d={"explicit": "true"}, e={}))
    texts = dict.fromkeys("abde", clean) | {"c": f"{clean} {'what the fuck ' * 20}"}
    place.take("lyrics.csv", "track_id,text\n" + "".join(f"{name},{text}\n" for name, text in texts.items()))

    path = health(place)

    assert issues(path, "conflicting") == {
        ("a", "lyrics_differ_in_language", "fr / en"),
        ("c", "lyrics_differ_in_explicit", "not explicit / explicit"),
        ("d", "lyrics_differ_in_explicit", "explicit / not explicit"),
    }
    assert ("b", "no_language", "en") in issues(path, "missing")
