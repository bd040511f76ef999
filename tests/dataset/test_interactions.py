"""Interactions from the marts, histories, features, and the global temporal split."""

from datetime import date
from typing import Any, cast

import duckdb
import numpy as np
import polars as pl
import pytest

from recsys.dataset.features import Features
from recsys.dataset.interactions import Interactions
from recsys.dataset.splits import split
from recsys.dataset.vocab import Vocab
from recsys.errors import InputError, UnknownIds
from recsys.warehouse.query import Warehouse


class MartsInMemory:
    """A stand-in for a warehouse file: marts small enough to count by hand."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("create schema marts")
        self._connection.execute("create schema meta")
        self._connection.execute("create table meta.build as select 'UTC' as time_zone")
        self._connection.execute(DAILY)
        self._connection.execute(TRACKS)
        self._connection.execute(LISTENERS)
        for statement in (*SOUND, *LYRICS):
            self._connection.execute(statement)

    def query(self, sql: str, params: dict[str, object] | None = None) -> pl.DataFrame:
        """Run a query as `Warehouse.query` does."""
        return pl.DataFrame(self._connection.sql(sql, params=params).pl())


DAILY = """
create table marts.interactions_daily as
select
    user_id, track_id, n_plays, weight, cast(day as date) as listen_date, cast(day as timestamp) as last_listened_at,
    case when track_id = 't1' then cast(day as timestamp) + interval 2 hour end as last_local_at
from (values
    ('ann', 't1', '2026-01-01', 1, 1.0), ('ann', 't1', '2026-01-03 18:00', 2, 2.0),
    ('ann', 't2', '2026-01-03', 0, -0.5),
    ('bob', 't2', '2026-01-05', 1, 0.1), ('bob', 't2', '2026-01-06', 0, -0.1),
    ('ann', 't3', '2026-01-08', 1, 1.0),
    ('ann', 't1', '2026-01-10', 1, 1.0), ('ann', 't3', '2026-01-10', 1, 1.0), ('ann', 't4', '2026-01-10', 0, -0.5),
    ('bob', 't4', '2026-01-10', 1, 1.0), ('cyd', 't1', '2026-01-10', 1, 1.0)
) as rows(user_id, track_id, day, n_plays, weight)
"""
TRACKS = """
create table marts.track_features as
select * from (values
    ('t1', ['rock', 'pop'], 'ar_1', 'la_1', 'en', 1990), ('t2', ['pop'], 'ar_1', null, 'de', 2020),
    ('t3', null, 'ar_2', 'la_1', null, 2020), ('t4', [], 'ar_2', 'la_1', 'en', null),
    ('t5', ['rock'], null, null, 'en', 1990)
) as rows(track_id, genres, artist_id, label_id, language, decade)
"""
SOUND = (
    "alter table marts.track_features add column training_consent varchar default 'granted'",
    "create table marts.track_vectors (track_id varchar, encoder varchar, vector float[])",
    """
    create table marts.track_audio
    (track_id varchar, tempo_bpm double, onset_rate_hz double, spectral_centroid_hz double, mode varchar)
    """,
)
LYRICS = (
    "create table marts.track_lyrics (track_id varchar, language varchar, training_consent varchar)",
    "create table marts.lyric_words (track_id varchar, word varchar, n integer)",
)
LISTENERS = """
create table marts.listener_profile as
select * from (values
    ('ann', 'female', '25-34', 'DE'), ('bob', 'unknown', 'unknown', 'unknown'), ('eve', 'male', '65+', 'FR')
) as rows(user_id, gender, age_band, country)
"""


@pytest.fixture
def warehouse() -> Warehouse:
    """A warehouse of these marts."""
    return cast("Warehouse", MartsInMemory())


def test_read_sums_the_days_of_a_pair(warehouse: Warehouse) -> None:
    """Strengths are summed over days; pairs with a sum <= 0 are in `seen` only."""
    interactions = Interactions.read(warehouse, until=date(2026, 1, 6))

    assert interactions.users.ids().to_list() == ["ann", "bob"]
    assert interactions.tracks.ids().to_list() == ["t1", "t2", "t3", "t4", "t5"]
    assert interactions.matrix.toarray().tolist() == [[3, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert interactions.seen.toarray().tolist() == [
        [True, True, False, False, False],
        [False, True, False, False, False],
    ]
    assert interactions.age_days.tolist() == [3.25]  # from 3 January, 18:00, to the end of 6 January
    assert interactions.hours.tolist() == [5 * 24 + 20]  # a Saturday, 20:00 local time


def test_read_includes_both_end_days(warehouse: Warehouse) -> None:
    """The window contains `since` and `until`, and no day before or after."""
    interactions = Interactions.read(warehouse, since=date(2026, 1, 3), until=date(2026, 1, 5))

    assert interactions.matrix.toarray()[:, :2].tolist() == pytest.approx(np.array([[2, 0], [0, 0.1]]))
    assert interactions.as_of == date(2026, 1, 5)


def test_missing_features_are_unknown(warehouse: Warehouse) -> None:
    """A null, an empty list and a listener without a profile become the value 'unknown'."""
    interactions = Interactions.read(warehouse, until=date(2026, 1, 10))

    assert _names(interactions.track_features, 0) == {
        "genre=rock",
        "genre=pop",
        "artist=ar_1",
        "label=la_1",
        "language=en",
        "decade=1990",
    }
    assert {"genre=unknown", "decade=unknown"} <= _names(interactions.track_features, 3)
    assert _names(interactions.user_features, interactions.users.rows(["cyd"])[0]) == {
        "gender=unknown",
        "age_band=unknown",
        "country=unknown",
    }


def test_split_separates_test_from_training(warehouse: Warehouse) -> None:
    """Test pairs are played in the test window and not seen in training; the gap is in neither window."""
    temporal = split(warehouse, as_of=date(2026, 1, 10), test_days=2, gap_days=2)

    assert temporal.train.as_of == date(2026, 1, 6)
    assert temporal.test.toarray().tolist() == [[False, False, True, False, False], [False, False, False, True, False]]
    assert (temporal.n_cold_users, temporal.n_cold_tracks) == (1, 2)


def test_of_users_selects_everything_of_a_listener() -> None:
    """The selected listeners keep their strengths, ages and features."""
    pairs = pl.DataFrame(
        {
            "user_id": ["a", "b", "b", "c"],
            "track_id": ["x", "y", "x", "y"],
            "strength": [1, 2, 3, 4],
            "age_days": [9, 8, 7, 6],
        }
    )
    listeners = pl.DataFrame({"user_id": ["a", "b", "c"], "country": ["DE", "FR", "SE"]})

    part = Interactions.of(pairs, listeners=listeners).of_users(np.array([1, 2]))

    assert part.users.ids().to_list() == ["b", "c"]
    assert part.matrix.toarray().tolist() == [[3, 2], [0, 4]]
    assert part.age_days.tolist() == [7, 8, 6]
    assert _names(part.user_features, 0) == {"country=FR"}


def test_history_has_the_columns_of_another_catalogue() -> None:
    """Columns are those of the given catalogue; unknown listeners have an empty row, unknown tracks are dropped."""
    pairs = pl.DataFrame({"user_id": ["a", "a", "b"], "track_id": ["x", "y", "z"], "strength": [1, 2, 3]})

    history = Interactions.of(pairs).history(["b", "nobody", "a"], Vocab.of(["w", "y", "z"], kind="track")).matrix

    assert history.toarray().tolist() == [[0, 0, 3], [0, 0, 0], [0, 2, 0]]


@pytest.mark.parametrize(
    ("catalogue", "error", "message"),
    [
        (["x"], InputError, "pairs: found 1 duplicate rows, expected one per listener and track"),
        (["z"], UnknownIds, "There is no track"),
    ],
)
def test_repeated_pairs_and_unknown_tracks_are_refused(
    catalogue: list[str], error: type[Exception], message: str
) -> None:
    """A repeated pair and a track outside the catalogue raise, and the message says what to do."""
    pairs = pl.DataFrame({"user_id": ["a", "a"], "track_id": ["x", "x"], "strength": [1.0, 1.0]})

    with pytest.raises(error, match=message):
        Interactions.of(pairs, catalogue=pl.DataFrame({"track_id": catalogue}))


def _names(features: Features, row: Any) -> set[str]:
    return set(features.names.ids(features.matrix[row].indices).to_list())
