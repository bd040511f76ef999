"""Lists for listeners: the exported one, filters as a night applies them, fold-in as a night would, the fallback."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from recsys.dataset.interactions import Interactions
from recsys.lake.store import Lake
from recsys.pipeline.run import Run
from recsys.recommenders.parts.filters import Filters as BatchFilters
from recsys.rerank.base import RerankContext
from recsys.rerank.lists import rerank
from recsys.rerank.rules.artist_cap import ArtistCap
from recsys.serve.listening import fallback, folded_in, published
from recsys.serve.messages import Event, Filters, TrackList
from recsys.serve.open_release import OpenRelease
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

from ..nights import result_table

TODAY = date(2026, 7, 1)


def ids(answer: TrackList | None) -> list[str]:
    """Return the recordings of a list, in order."""
    assert answer is not None
    return [track.track_id for track in answer.tracks]


def test_a_list_without_filters_is_the_exported_one(finished: Run, release: OpenRelease) -> None:
    """Recordings, scores, reasons, exploration and propensities."""
    lists = result_table(finished, "recommendations")
    columns = ["rank", "track_id", "score", "reason", "is_explored", "propensity"]

    for listener in (lists["user_id"][0], lists["user_id"][-1], lists.filter("is_explored")["user_id"][0]):
        answer = published(release, listener, Filters())
        assert answer is not None
        assert answer.source == "published"
        found = [tuple(getattr(track, name) for name in columns) for track in answer.tracks]
        assert found == lists.filter(user_id=listener).select(columns).rows()


@pytest.mark.parametrize(
    ("territory", "rule", "n"),
    [
        ("DE", ArtistCap(tracks=1), 20),
        ("US", ArtistCap(tracks=3, apart=2), 40),
        (None, ArtistCap(tracks=2), 30),
        (None, ArtistCap(tracks=100, apart=7), 60),
        ("ZZ", ArtistCap(tracks=2, apart=3), 20),
    ],
)
def test_filters_are_those_of_a_night(
    finished: Run, release: OpenRelease, territory: str | None, rule: ArtistCap, n: int
) -> None:
    """The nightly run's filters and its rule for artists choose the same recordings from list and candidates."""
    lists, candidates = result_table(finished, "recommendations"), result_table(finished, "candidates")
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        interactions = Interactions.read(warehouse, until=release.as_of)
        listeners = warehouse.query(internal_sql("listeners"))
    abroad = listeners.with_columns(country=pl.lit(territory, dtype=pl.String))
    allowing = BatchFilters.for_listeners(
        pl.concat([abroad, listeners.with_columns(user_id="country")]).unique("user_id"),  # all countries are known
        release.catalogue,
        tracks=release.model.tracks,
        as_of=release.served_on,
    )
    for listener in lists["user_id"].unique().sort()[:3]:
        excluded = lists.filter(user_id=listener)["track_id"][2:4].to_list()
        pool = pl.concat(
            [table.filter(user_id=listener).select("user_id", "track_id") for table in (lists, candidates)]
        )
        pool = pool.unique("track_id", maintain_order=True).filter(~pl.col("track_id").is_in(excluded))
        if territory:
            pool = pool.filter(pl.Series(allowing.allow(pool), dtype=pl.Boolean))
        ranked = pool.with_row_index("rank", offset=1).with_columns(score=-pl.col("rank").cast(pl.Float32))
        expected = rerank(ranked, [rule], RerankContext.of(interactions), n)["track_id"].to_list()

        filters = Filters(n=n, territory=territory, exclude=tuple(excluded), artist_cap=rule.tracks)
        assert ids(published(replace(release, artists_apart=rule.apart), listener, filters)) == expected


def test_a_territory_hides_what_is_not_available_there(release: OpenRelease) -> None:
    """The catalogue itself says so, without the filters; some recordings of the world are restricted."""
    catalogue = release.catalogue.filter(pl.col("available_in").list.len().fill_null(0) > 0)
    restricted = catalogue.filter(~pl.col("available_in").list.contains("DE"))["track_id"]
    rows = [release.rows[name] for name in restricted if name in release.rows]

    assert len(rows) > 10
    assert not release.allowed("DE")[rows].any()


def test_events_give_the_list_of_a_night_that_had_read_them(finished: Run, release: OpenRelease) -> None:
    """Listens and events of known listeners, posted, give what their rows of the warehouse give the model."""
    window: dict[str, object] = {"since": date.min, "until": release.as_of}
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        pairs = warehouse.query(internal_sql("listened_pairs"), window)
        countries = dict(warehouse.query(internal_sql("listeners")).select("user_id", "country").iter_rows())
    listens, reactions = (Lake(finished.home).rows(name).collect() for name in ("listens", "events"))
    for listener in reactions["user_id"].unique().sort()[:4]:
        events = [
            Event(track_id=row["track_id"], happened_at=row["listened_at"].isoformat(), ms_played=row["ms_played"],
                  skipped=row["skipped"], utc_offset_min=row["utc_offset_min"], n_listens=row["n_listens"])
            for row in listens.filter(user_id=listener).iter_rows(named=True)
        ]  # fmt: skip
        events += [
            Event(track_id=row["track_id"], happened_at=row["event_at"].isoformat(), event=row["event"])
            for row in reactions.filter(user_id=listener).iter_rows(named=True)
        ]
        country = countries[listener]
        answer = folded_in(release, events, Filters(n=15, artist_cap=100, country=country), TODAY)
        expected = _batch_list(release, pairs.filter(user_id=listener), country).head(15)

        assert answer.source == "folded_in"
        assert ids(answer) == expected["track_id"].to_list()
        np.testing.assert_array_equal([track.score for track in answer.tracks], expected["score"])
        assert sum(track.reason is not None and track.reason.startswith("because") for track in answer.tracks) > 10


def _batch_list(release: OpenRelease, pairs: pl.DataFrame, country: str) -> pl.DataFrame:
    """Rank by the batch's fold-in, without copies of what was heard."""
    home = pl.DataFrame({"user_id": pairs["user_id"][0], "country": country})
    heard = pairs.join(release.copies, on="track_id").select("user_id", track_id="copy_id")
    filters = BatchFilters.for_listeners(
        home, release.catalogue, tracks=release.model.tracks, as_of=release.as_of + timedelta(days=1), blocked=heard
    )
    return release.model.recommend_by_history(pairs, 100, filters=filters)


def test_events_that_tell_nothing_give_the_fallback_without_what_was_heard(release: OpenRelease) -> None:
    """A skip is no preference, and the recording is known."""
    popular = ids(fallback(release, Filters(n=1)))[0]

    answer = folded_in(
        release, [Event(track_id=popular, happened_at="2026-06-01T10:00:00Z", ms_played=1_000)], Filters(), TODAY
    )

    assert answer.source == "fallback"
    assert popular not in ids(answer)


def test_the_fallback_names_its_segment(release: OpenRelease) -> None:
    """It is the model's own fallback for a listener of that country, and says so."""
    answer = fallback(release, Filters(n=5, country="US", artist_cap=100))

    profile = pl.DataFrame({"user_id": ["new"], "country": ["US"], "age_band": ["unknown"]})
    filters = BatchFilters.for_listeners(
        profile, release.catalogue, tracks=release.model.tracks, as_of=release.served_on
    )
    expected = release.model.recommend(["new"], 5, filters=filters, profiles=profile)
    assert (answer.source, answer.segment) == ("fallback", "country=US")
    assert ids(answer) == expected["track_id"].to_list()
    assert {track.reason for track in answer.tracks} == {"popular with listeners in US"}
