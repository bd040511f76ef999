"""Each product on a small catalogue of three artists: which tracks are listed, and which are excluded."""

from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from recsys.dataset.interactions import Interactions
from recsys.errors import UnknownIds
from recsys.products.base import ProductInputs, product_maker, product_names
from recsys.recommenders.base import Recommender
from recsys.recommenders.ease import EASE, EASEConfig
from recsys.recommenders.parts.filters import Filters

SERVED_ON = date(2026, 7, 1)
ARTISTS = ("ada", "ben", "cleo")
CATALOGUE = pl.DataFrame(
    # Four tracks per artist. The last one is new, and cleo's is withdrawn; ben's second is available in Germany only.
    [
        {
            "track_id": f"{artist}{n}",
            "title": f"Song {n}",
            "artist_id": artist,
            "artist_name": artist.title(),
            "release_date": date(2026, 6, 20) if n == 3 else date(2020, 1, 1),
            "available_in": ["DE"] if (artist, n) == ("ben", 1) else None,
            "withdrawn_at": date(2026, 6, 30) if (artist, n) == ("cleo", 3) else None,
            "tempo_bpm": None if n == 3 else 140.0 if artist == "ben" else 70.0,  # new tracks are not analysed
            "energy": None if n == 3 else 0.9 if artist == "ben" else 0.1,
        }
        for artist in ARTISTS
        for n in range(4)
    ],
    schema_overrides={"available_in": pl.List(pl.String), "withdrawn_at": pl.Date},
)
LISTENERS = pl.DataFrame(
    {"user_id": [f"u{n}" for n in range(12)], "country": "FR", "age_band": "unknown"},
)
# Listeners 0-5 play ada and ben, 6-11 ada and cleo; each plays two old tracks of both artists.
PLAYS = pl.DataFrame(
    [
        {"user_id": f"u{user}", "track_id": f"{artist}{n}", "strength": 1.0}
        for user in range(12)
        for artist in ("ada", "ben" if user < 6 else "cleo")
        for n in (user % 2, 2)
    ]
)
PLAYLISTS = pl.DataFrame({"playlist_id": ["p", "p", "q"], "position": [1, 2, 1], "track_id": ["ben0", "ada0", "gone"]})

CLUSTERS = CATALOGUE.select(
    "track_id", community=pl.col("artist_id").replace_strict({"ada": 1, "ben": 2, "cleo": 2}), name="artist_name"
)
NO_COPIES = pl.DataFrame(schema={"track_id": pl.String, "copy_id": pl.String})
# What u0 (in France) and u6 may hear again: ben1 is for Germany only, cleo3 withdrawn, cleo1 not liked, u99 unknown;
# ada2 is due in 35 days, and the model lacks new0.
REPEATS = pl.DataFrame(
    [
        ("u0", "ada0", 3, 1.0, 0.25),
        ("u0", "ada2", 3, 1.0, 0.2),
        ("u0", "new0", 3, 1.0, 4.0),
        ("u0", "ben0", 1, 0.0, 4.0),
        ("u0", "ben1", 9, 0.0, 9.0),
        ("u0", "cleo1", 9, 0.0, 9.0),
        ("u6", "cleo2", 2, 6.0, 1.0),
        ("u6", "cleo3", 2, 6.0, 9.0),
        ("u99", "ada0", 2, 6.0, 1.0),
    ],
    schema=["user_id", "track_id", "n_days", "age_days", "odds"],
    orient="row",
)
ARTIST_OF = CATALOGUE.select("track_id", artist="artist_id")


@pytest.fixture(scope="module")
def inputs() -> ProductInputs:
    """The inputs of a run whose recommender is EASE."""
    interactions = Interactions.of(
        PLAYS, catalogue=CATALOGUE.select("track_id", artist="artist_id"), as_of=date(2026, 6, 30)
    )
    model = Recommender(EASE(EASEConfig(regularization=0.05))).fit(interactions)
    filters = Filters.for_listeners(LISTENERS, CATALOGUE, tracks=model.tracks, as_of=SERVED_ON, seen=interactions)
    return ProductInputs(
        model, interactions, filters, LISTENERS, CATALOGUE, PLAYLISTS, CLUSTERS, NO_COPIES, REPEATS, 12, SERVED_ON
    )


def of(inputs: ProductInputs, name: str, key: str) -> list[dict[str, Any]]:
    """Return the rows of one list of a product."""
    table = product_maker(name)(inputs)
    return table.filter(table.to_series() == key).to_dicts()


def test_the_radar_lists_new_releases_with_their_artist(inputs: ProductInputs) -> None:
    """A listener of ada and ben gets their new tracks, ranked from 1, but not the withdrawn track by cleo."""
    rows = of(inputs, "release_radar", "u0")

    assert [row["rank"] for row in rows] == [1, 2]
    assert {row["track_id"]: row["reason"] for row in rows} == {"ada3": "new from Ada", "ben3": "new from Ben"}


def test_the_radar_gives_a_reason_for_an_artist_new_to_the_listener(inputs: ProductInputs) -> None:
    """For a listener of ada who never played ben, ben's new track comes second, with a reason from the recommender."""
    rows = of(inputs, "release_radar", "u7")

    assert [row["track_id"] for row in rows] == ["ada3", "ben3"]
    assert rows[0]["reason"] == "new from Ada"
    assert rows[1]["reason"].startswith("new, ")


def test_discovery_lists_one_track_per_artist_never_played(inputs: ProductInputs) -> None:
    """Listeners of ada and ben get one track by cleo."""
    table = product_maker("discovery")(inputs)

    assert {row["track_id"][:-1] for row in of(inputs, "discovery", "u0")} == {"cleo"}
    assert table.group_by("user_id").len()["len"].to_list() == [1] * 12
    assert table["reason"].null_count() == 0


def test_liked_tracks_are_heard_again_when_they_are_due(inputs: ProductInputs) -> None:
    """Each list has the listener's allowed tracks by odds; 4 are a probability of .8, due in 7 / 4 days."""
    first, second = of(inputs, "again", "u0")

    assert (first["rank"], first["track_id"], first["due_days"]) == (1, "ben0", 1.75)
    assert first["score"] == pytest.approx(0.8)
    assert first["reason"] == "you played it on one day, last yesterday"
    assert (second["track_id"], second["due_days"]) == ("ada0", 28)
    assert second["reason"] == "you played it on 3 days, last 2 days ago"
    assert [row["track_id"] for row in of(inputs, "again", "u6")] == ["cleo2"]
    assert of(inputs, "again", "u99") == []


def test_a_recording_is_heard_again_by_its_listed_copy(inputs: ProductInputs) -> None:
    """
    Listener u6 heard cleo2 alone, which is listed as cleo1; u0 heard ada0 and ben0, both listed as ben0.

    The odds of ada0 and ben0 still count apart, as when they were linked today: the recording is listed once.
    """
    copies = pl.DataFrame({"track_id": ["cleo2", "ada0", "ben0"], "copy_id": ["cleo1", "ben0", "ada0"]})
    withdrawn = pl.when(pl.col("track_id") == "cleo2").then(SERVED_ON).otherwise("withdrawn_at")
    moved = pl.when(pl.col("track_id") == "ada0").then(SERVED_ON).otherwise(withdrawn)
    listed = replace(inputs, copies=copies, catalogue=CATALOGUE.with_columns(withdrawn_at=moved))

    assert [row["track_id"] for row in of(listed, "again", "u6")] == ["cleo1"]
    assert [(row["track_id"], row["due_days"]) for row in of(listed, "again", "u0")] == [("ben0", 1.75)]


def test_nothing_to_hear_again_gives_no_lists(inputs: ProductInputs) -> None:
    """A log of few days teaches no odds: the table has no rows."""
    assert product_maker("again")(replace(inputs, repeats=REPEATS.clear())).is_empty()


def test_each_mix_has_one_cluster(inputs: ProductInputs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener who likes two tracks of each of two clusters gets two mixes, each of the tracks of one cluster."""
    monkeypatch.setattr("recsys.products.daily_mixes.MIN_LIKED", 2)
    monkeypatch.setattr("recsys.products.daily_mixes.MIN_LENGTH", 1)

    first, second = of(inputs, "daily_mixes", "u0/1"), of(inputs, "daily_mixes", "u0/2")

    assert {row["track_id"][:-1] for row in first} == {"ada"}
    assert {row["track_id"][:-1] for row in second} == {"ben", "cleo"}
    assert all(row["reason"] for row in [*first, *second])
    assert of(inputs, "daily_mixes", "u0/3") == []


def test_a_context_lists_tracks_whose_tempo_and_energy_fit(
    inputs: ProductInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ben is fast and loud, the others slow and quiet; tracks not analysed and tracks played before are not listed."""
    monkeypatch.setattr("recsys.products.context_playlists.MIN_LENGTH", 1)

    workout, sleep = of(inputs, "context_playlists", "u6/workout"), of(inputs, "context_playlists", "u6/sleep")

    assert [row["track_id"] for row in workout] == ["ben0", "ben2"]  # the second is for Germany only
    assert {row["track_id"] for row in sleep} == {"ada1", "cleo1"}
    assert [row["rank"] for row in sleep] == [1, 2]
    assert all(row["reason"] for row in [*workout, *sleep])
    assert of(inputs, "context_playlists", "u6/focus") == []


def test_the_time_of_day_decides_between_equal_scores(inputs: ProductInputs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracks that listeners play at midnight come before tracks that they play at noon in the sleep list."""
    monkeypatch.setattr("recsys.products.context_playlists.MIN_LENGTH", 1)
    noon = PLAYS.with_columns(hour_of_week=pl.when(pl.col("track_id").str.ends_with("2")).then(12).otherwise(0))
    interactions = Interactions.of(
        noon, catalogue=CATALOGUE.select("track_id", artist="artist_id"), as_of=date(2026, 6, 30)
    )
    nothing_seen = Filters.for_listeners(LISTENERS, CATALOGUE, tracks=inputs.model.tracks, as_of=SERVED_ON)

    rows = of(replace(inputs, interactions=interactions, filters=nothing_seen), "context_playlists", "u0/sleep")

    ranks = {row["track_id"]: row["rank"] for row in rows}
    assert ranks["ada0"] < ranks["ada2"]
    assert ranks["cleo0"] < ranks["cleo2"]


def test_a_cluster_with_few_liked_tracks_gives_no_mix(inputs: ProductInputs) -> None:
    """A listener who likes only two tracks of a cluster gets no mix of it."""
    assert product_maker("daily_mixes")(inputs).is_empty()


def test_a_copy_is_not_similar(inputs: ProductInputs) -> None:
    """The other copies of a track are not listed for it; for tracks without copies nothing changes."""
    copies = pl.DataFrame({"track_id": ["ben0", "ada0"], "copy_id": ["ada0", "ben0"]})
    before = product_maker("similar_tracks")(inputs)

    after = product_maker("similar_tracks")(replace(inputs, copies=copies))

    pairs = set(after.filter(pl.col("track_id").is_in(["ada0", "ben0"])).select("track_id", "similar_track_id").rows())
    assert not pairs & {("ben0", "ada0"), ("ada0", "ben0")}
    assert {("ben0", "ada0"), ("ada0", "ben0")} & set(before.select("track_id", "similar_track_id").rows())
    others = ~pl.col("track_id").is_in(["ada0", "ben0"])
    assert after.filter(others).equals(before.filter(others))


def test_similar_tracks_have_the_same_listeners(inputs: ProductInputs) -> None:
    """Similar tracks share listeners; the track itself, withdrawn and restricted tracks are not listed."""
    table = product_maker("similar_tracks")(inputs)

    assert of(inputs, "similar_tracks", "ben0")[0]["similar_track_id"] in {"ben2", "ada0", "ada2"}
    assert table.filter(pl.col("track_id") == pl.col("similar_track_id")).is_empty()
    assert not {"cleo3", "ben1"} & set(table["similar_track_id"])


def test_a_playlist_is_continued_with_other_tracks(inputs: ProductInputs) -> None:
    """A playlist's own tracks are not listed; a playlist without a track in the training data has no list."""
    rows = of(inputs, "playlist_continuation", "p")

    assert rows[0]["track_id"] in {"ben2", "ada2"}
    assert not {"ben0", "ada0"} & {row["track_id"] for row in rows}
    assert of(inputs, "playlist_continuation", "q") == []


def test_similar_artists_are_ranked_by_common_listeners(inputs: ProductInputs) -> None:
    """Ada has twelve listeners and shares six with ben and six with cleo: the cosine is 6 / sqrt(12 * 6)."""
    table = product_maker("similar_artists")(inputs)

    assert table.filter(artist_id="ben").select("similar_artist_id", "n_common").rows() == [("ada", 6)]
    assert table.filter(artist_id="ada")["similar_artist_id"].sort().to_list() == ["ben", "cleo"]
    assert table["score"].to_list() == pytest.approx([6 / (12 * 6) ** 0.5] * 4)


@pytest.mark.parametrize("name", product_names())
def test_every_product_is_reproducible(inputs: ProductInputs, name: str) -> None:
    """The same inputs give the same table; each list is ranked from 1 without gaps."""
    table = product_maker(name)(inputs)

    assert table.equals(product_maker(name)(inputs))
    lists = table.group_by(table.columns[0], maintain_order=True).agg("rank")["rank"].to_list()
    assert all(ranks == list(range(1, len(ranks) + 1)) for ranks in lists)


def test_a_misspelt_product_gets_a_hint() -> None:
    """A misspelt product is refused, and the nearest name is suggested."""
    with pytest.raises(UnknownIds, match="release_radar"):
        product_maker("release_rador")


def test_a_station_opens_with_its_artist(inputs: ProductInputs) -> None:
    """A station continues with tracks by others, without repeated, withdrawn or restricted tracks."""
    table = product_maker("radio")(inputs)

    assert set(table["artist_id"]) == {"ada", "ben", "cleo"}
    openings = table.filter(rank=1)
    assert all(track.startswith(artist) for artist, track in openings.select("artist_id", "track_id").iter_rows())
    assert openings["score"].null_count() == 3
    assert not table.select("artist_id", "track_id").is_duplicated().any()
    assert not set(table["track_id"]) & {"ben1", "cleo3"}  # for Germany only; withdrawn
    for _, station in table.group_by("artist_id"):
        assert station.sort("rank")["rank"].to_list() == list(range(1, len(station) + 1))
        assert len(station) > 1
