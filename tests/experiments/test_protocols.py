"""Three ways to cut what is learned from, what is chosen by and what is reported; and what a split folder must hold."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import duckdb
import numpy as np
import polars as pl
import pytest

from recsys.arrays import Csr
from recsys.dataset.features import Features
from recsys.dataset.interactions import Interactions
from recsys.dataset.splits import Split
from recsys.errors import InputError
from recsys.experiments.protocols import ExcludeSeen, Protocol, fixed, leave_last_out, temporal
from recsys.recommenders.base import Recommender
from recsys.warehouse.query import Warehouse

DAY_S = 86400

# Ann plays a, b, c, d on days 1 to 4; bob plays b on days 1 and 2, and c on day 4; cyd comes on day 4.
DAILY = """
create table marts.interactions_daily as
select
    user_id, track_id, 1 as n_plays, 1.0 as weight,
    cast('2026-01-0' || day as date) as listen_date,
    cast('2026-01-0' || day || ' 12:00' as timestamp) as last_listened_at,
    cast(null as timestamp) as last_local_at
from (values
    ('ann', 'a', 1), ('ann', 'b', 2), ('ann', 'c', 3), ('ann', 'd', 4),
    ('bob', 'b', 1), ('bob', 'b', 2), ('bob', 'c', 4), ('cyd', 'a', 4)
) as rows(user_id, track_id, day)
"""
TRACKS = """
create table marts.track_features as
select track_id, ['rock'] as genres, 'ar' as artist_id, 'la' as label_id, 'en' as language, 1990 as decade
from (values ('a'), ('b'), ('c'), ('d')) as rows(track_id)
"""
SOUND = (
    "alter table marts.track_features add column training_consent varchar default 'granted'",
    "create table marts.track_vectors (track_id varchar, encoder varchar, vector float[])",
    """
    create table marts.track_audio
    (track_id varchar, tempo_bpm double, onset_rate_hz double, spectral_centroid_hz double, mode varchar)
    """,
)
LISTENERS = """
create table marts.listener_profile as
select 'ann' as user_id, 'female' as gender, '25-34' as age_band, 'DE' as country
"""


class MartsInMemory:
    """Stands in for a warehouse file."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        build = ("create schema meta", "create table meta.build as select 'UTC' as time_zone")
        for statement in ("create schema marts", *build, DAILY, TRACKS, LISTENERS, *SOUND):
            self._connection.execute(statement)

    def query(self, sql: str, params: dict[str, object] | None = None) -> pl.DataFrame:
        """Answer a query as `Warehouse.query` does."""
        return pl.DataFrame(self._connection.sql(sql, params=params).pl())


# user_id, item_id, timestamp, weight: dot's pair of `validation` is known in `train`, eli is in `test` only.
TRAIN = [("1", "a", 10, 2.0), ("1", "b", 13, 1.0), ("1", "a", 12, 0.5), ("2", "b", 11, 1.0), ("2", "c", 12, -1.0)]
VALIDATION = [("1", "c", 14, 1.0), ("2", "b", 14, 1.0), ("2", "a", 14, 0.0)]
TEST = [("1", "d", 15, 1.0), ("1", "c", 15, 1.0), ("2", "d", 15, 1.0), ("9", "a", 15, 1.0)]
Rows = list[tuple[str, str, int, float]]


def table(rows: Rows) -> pl.DataFrame:
    """One file of a split, its timestamps in seconds, its ids numbers where they can be."""
    named = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp", "weight"], orient="row")
    return named.with_columns(pl.col("user_id").cast(pl.Int64), pl.col("timestamp") * DAY_S)


def tables() -> dict[str, pl.DataFrame]:
    """A whole split."""
    return {"train": table(TRAIN), "validation": table(VALIDATION), "test": table(TEST)}


def write(folder: Path, given: dict[str, pl.DataFrame], form: str = "tsv") -> Path:
    """Write each table under its name."""
    folder.mkdir(exist_ok=True)
    for name, frame in given.items():
        path = folder / f"{name}.{form}"
        frame.write_csv(path, separator="\t") if form == "tsv" else frame.write_parquet(path)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The split as TSV."""
    return write(tmp_path / "split", tables())


class TestTemporal:
    """Two cuts through the same calendar."""

    def test_the_windows_touch_and_the_first_decides(self) -> None:
        """With one day each: tested on day 4, validated on day 3, learned from days 1 and 2."""
        cuts = temporal(cast("Warehouse", MartsInMemory()), as_of=date(2026, 1, 4), test_days=1, gap_days=0)

        assert (cuts.validation.train.as_of, cuts.test.train.as_of) == (date(2026, 1, 2), date(2026, 1, 3))
        assert found(cuts.validation) == {"ann": ["c"]}
        assert found(cuts.test) == {"ann": ["d"], "bob": ["c"]}
        assert cuts.test.n_cold_users == 1

    def test_a_gap_stands_before_both_windows(self) -> None:
        """With a day between: tested on day 4, learned up to day 2; that day validates nothing learned on day 1."""
        cuts = temporal(cast("Warehouse", MartsInMemory()), as_of=date(2026, 1, 4), test_days=1, gap_days=1)

        assert liked(cuts.test.train) == {"ann": ["a", "b"], "bob": ["b"]}
        assert cuts.validation.train.as_of == date(2025, 12, 31)
        assert hidden(cuts, cuts.test) == {"ann": ["a", "b"], "bob": ["b"]}


class TestLeaveLastOut:
    """The last pair is reported, the one before it decides."""

    TASTE = pl.DataFrame(
        # Ann's b and c are of the same day; bob has two pairs that count, and dislikes c; cyd's last is disliked.
        {
            "user_id": ["ann", "ann", "ann", "ann", "bob", "bob", "bob", "cyd", "cyd", "cyd", "cyd"],
            "track_id": ["a", "b", "c", "d", "a", "b", "c", "d", "c", "b", "a"],
            "strength": [1.0, 2.0, 3.0, 4.0, 1.0, 1.0, -1.0, 1.0, 1.0, 1.0, -1.0],
            "age_days": [0, 5, 5, 9, 2, 1, 0, 3, 2, 1, 0],
        }
    )

    def test_holds_out_the_last_two_liked_pairs(self) -> None:
        """Ann's a is last, then c (of two on one day the later track); bob is learned from only."""
        cuts = leave_last_out(Interactions.of(self.TASTE))

        assert found(cuts.test) == {"ann": ["a"], "cyd": ["b"]}
        assert found(cuts.validation) == {"ann": ["c"], "cyd": ["c"]}
        assert liked(cuts.test.train) == {"ann": ["b", "c", "d"], "bob": ["a", "b"], "cyd": ["c", "d"]}
        assert liked(cuts.validation.train) == {"ann": ["b", "d"], "bob": ["a", "b"], "cyd": ["d"]}

    def test_strengths_and_ages_stay_with_their_pairs(self) -> None:
        """What is left is as it was, and what is held out is not hidden; dislikes are."""
        cuts = leave_last_out(Interactions.of(self.TASTE))

        assert cuts.validation.train.matrix.data.tolist() == [2, 4, 1, 1, 1]
        assert cuts.validation.train.age_days.tolist() == [5, 9, 2, 1, 3]
        assert cuts.validation.train.matrix.has_sorted_indices
        assert hidden(cuts, cuts.validation) == {"ann": ["b", "d"], "bob": ["a", "b", "c"], "cyd": ["a", "d"]}


class TestFixed:
    """A split that somebody else cut."""

    def test_the_test_is_learned_for_from_both_earlier_parts(self, folder: Path) -> None:
        """Validation is predicted from train, test from both; a pair known before and a stranger are counted only."""
        cuts = fixed(folder)

        assert cuts.name == "fixed"
        assert found(cuts.validation) == {"1": ["c"]}
        assert found(cuts.test) == {"1": ["d"], "2": ["d"]}
        assert (cuts.validation.n_repeats, cuts.test.n_repeats, cuts.test.n_cold_users) == (1, 1, 1)
        assert cuts.validation.n_cold_tracks == 0
        assert cuts.test.n_cold_tracks == 1

    def test_repeated_rows_are_one_pair(self, folder: Path) -> None:
        """Weights add up and the latest time counts, from the latest row that is learned from."""
        cuts = fixed(folder)

        assert cuts.validation.train.matrix.toarray().tolist() == [[2.5, 1, 0, 0], [0, 1, 0, 0]]
        assert cuts.validation.train.age_days.tolist() == [1, 0, 2]
        assert cuts.validation.train.seen.toarray()[1].tolist() == [False, True, True, False]
        assert cuts.test.train.matrix.toarray().tolist() == [[2.5, 1, 1, 0], [0, 2, 0, 0]]
        assert cuts.test.train.age_days.tolist() == [2, 1, 0, 0]

    def test_parquet_is_read_as_tsv_is(self, folder: Path, tmp_path: Path) -> None:
        """The same tables give the same cuts; ids that are numbers there become the same texts."""
        features = pl.DataFrame({"item_id": ["a", "e"], "feature": ["slow", "mood=sad"], "weight": [3.0, 0.5]})

        tsv = fixed(write(folder, {"item_features": features}))
        parquet = fixed(write(tmp_path / "other", tables() | {"item_features": features}, "parquet"))

        for one, other in ((tsv.validation, parquet.validation), (tsv.test, parquet.test)):
            assert one.train.users.same(other.train.users)
            assert one.train.tracks.same(other.train.tracks)
            assert (one.train.matrix != other.train.matrix).nnz == 0
            assert (one.test != other.test).nnz == 0
            assert (one.train.age_days == other.train.age_days).all()
            assert (one.train.track_features.matrix != other.train.track_features.matrix).nnz == 0

    @pytest.mark.parametrize("form", ["tsv", "parquet"])
    @pytest.mark.parametrize(
        "written",
        [
            lambda seconds: seconds * 1000,
            lambda seconds: seconds * 10**9,
            lambda seconds: seconds / 1.0,
            lambda seconds: pl.from_epoch(seconds, "s"),
            lambda seconds: pl.from_epoch(seconds, "s").dt.replace_time_zone("UTC"),
            lambda seconds: pl.from_epoch(seconds, "s").dt.date(),
            lambda seconds: pl.from_epoch(seconds, "s").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        ],
        ids=["ms", "ns", "float", "datetime", "datetime-utc", "date", "iso"],
    )
    def test_time_may_be_written_in_many_ways(
        self, tmp_path: Path, form: str, written: Callable[[pl.Series], pl.Series]
    ) -> None:
        """Numbers of any unit, dates and times: the ages are those of plain seconds."""
        since = int(datetime(2014, 2, 5, tzinfo=UTC).timestamp())
        changed = {
            name: frame.with_columns(written(frame["timestamp"] + since).alias("timestamp"))
            for name, frame in tables().items()
        }

        cuts = fixed(write(tmp_path, changed, form))

        assert cuts.test.train.age_days.tolist() == [2, 1, 0, 0]

    def test_without_timestamps_the_order_of_rows_is_time(self, tmp_path: Path) -> None:
        """A pair's age is how many pairs the listener has further down, validation after train."""
        without = {name: frame.drop("timestamp") for name, frame in tables().items()}

        cuts = fixed(write(tmp_path, without))

        assert cuts.validation.train.age_days.tolist() == [0, 1, 1]  # a is named again after b; c was only seen
        assert cuts.test.train.age_days.tolist() == [1, 2, 0, 1]

    @pytest.mark.parametrize("ids", [["9", "10"], ["10", "9"], ["i_b", "i_c"]], ids=["numbers", "text", "no numbers"])
    def test_rows_in_order_of_items_tell_no_time(self, tmp_path: Path, ids: list[str]) -> None:
        """Every age is 0 where the items of every listener are sorted, as numbers or as text."""
        train = pl.DataFrame({"user_id": ["ann", "ann", "bob"], "item_id": [*ids, ids[0]]})

        cuts = fixed(write(tmp_path, {"train": train, "validation": train.head(1), "test": train.tail(1)}))

        assert cuts.validation.train.age_days.tolist() == [0, 0, 0]

    def test_weights_may_be_left_out(self, tmp_path: Path) -> None:
        """Then each row counts 1."""
        without = {name: frame.drop("weight") for name, frame in tables().items()}

        cuts = fixed(write(tmp_path, without))

        assert cuts.validation.train.matrix.toarray().tolist() == [[2, 1, 0, 0], [0, 1, 1, 0]]

    @pytest.mark.parametrize(
        ("exclude_seen", "not_named", "to_find"),
        [
            ("train+validation", {"1": ["a", "b", "c"], "2": ["a", "b", "c"]}, {"1": ["d"], "2": ["d"]}),
            ("train", {"1": ["a", "b"], "2": ["b", "c"]}, {"1": ["c", "d"], "2": ["d"]}),
            ("none", {}, {"1": ["c", "d"], "2": ["d"]}),
        ],
    )
    def test_what_may_be_named_again_may_be_found_again(
        self, folder: Path, exclude_seen: ExcludeSeen, not_named: dict[str, list[str]], to_find: dict[str, list[str]]
    ) -> None:
        """What is hidden from a ranking is not asked of it, and what is not hidden is."""
        cuts = fixed(folder, exclude_seen=exclude_seen)

        assert hidden(cuts, cuts.test) == not_named
        assert found(cuts.test) == to_find

    def test_with_none_even_the_training_pairs_count(self, folder: Path) -> None:
        """Validation's pair that train has is to be found again."""
        cuts = fixed(folder, exclude_seen="none")

        assert hidden(cuts, cuts.validation) == {}
        assert found(cuts.validation) == {"1": ["c"], "2": ["b"]}
        assert cuts.validation.n_repeats == 0

    def test_features_keep_their_weights(self, folder: Path) -> None:
        """A feature without a column is a tag; an item known by its features only is in the catalogue."""
        items = {
            "item_id": ["a", "a", "a", "e"],
            "feature": ["slow", "slow", "mood=sad", "slow"],
            "weight": [1, 2, 5, 4],
        }
        users = {"user_id": [1, 7], "feature": ["country=DE", "country=FR"]}

        given = {"item_features": pl.DataFrame(items), "user_features": pl.DataFrame(users)}
        train = fixed(write(folder, given)).test.train

        assert train.tracks.ids().to_list() == ["a", "b", "c", "d", "e"]
        assert weights_of(train.track_features, 0) == {"mood=sad": 5, "tag=slow": 3}
        assert weights_of(train.track_features, 1) == {}
        assert weights_of(train.track_features, 4) == {"tag=slow": 4}
        assert weights_of(train.user_features, 0) == {"country=DE": 1}
        assert weights_of(train.user_features, 1) == {}

    def test_a_model_learns_from_it(self, folder: Path) -> None:
        """The cuts are what fit and recommend take: nothing hidden is named."""
        cuts = fixed(folder)

        model = Recommender.named("popular").fit(cuts.test.train)
        ranking = model.recommend(["1", "2"], 4, filters=cuts.filters(cuts.test))

        assert ranking["track_id"].to_list() == ["d", "d"]


class TestSplitFolderRefuses:
    """Every message names the file, what was found, what was expected and what to do."""

    def test_a_missing_part(self, folder: Path) -> None:
        """The message lists what is there."""
        (folder / "validation.tsv").rename(folder / "valid.tsv")

        with pytest.raises(
            InputError, match=r"split holds test.tsv, train.tsv, valid.tsv; expected validation.parquet"
        ):
            fixed(folder)

    def test_a_missing_folder(self, tmp_path: Path) -> None:
        """Nothing is there."""
        with pytest.raises(InputError, match=r"nowhere holds nothing; expected train.parquet or train.tsv"):
            fixed(tmp_path / "nowhere")

    def test_one_part_twice(self, folder: Path) -> None:
        """Which of the two is meant cannot be guessed."""
        write(folder, {"test": table(TEST)}, "parquet")

        with pytest.raises(
            InputError, match=r"holds test.parquet and test.tsv; expected one of them: remove the other"
        ):
            fixed(folder)

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            ("train", b"", r"train.tsv is empty; expected UTF-8 text, a header line"),
            ("test", b"user_id\titem_id\n", r"test.tsv has no rows; expected at least one. Fill it"),
            ("train", b"user_id\titem\n1\ta\n", r"columns user_id, item; expected user_id, item_id.* mean 'item'"),
            ("train", b"user_id\titem_id\n1\t\n", r"train.tsv: item_id is missing in 1 rows; .* drop such rows"),
            ("train", b"user_id\titem_id\n1\ta\tb\n", r"train.tsv: found more fields .*; expected UTF-8 .* Write it"),
            ("train", b"user_id\titem_id\n1\t\xff\n", r"train.tsv: invalid utf-8.*; expected UTF-8 text"),
            (
                "test",
                b"user_id\titem_id\tweight\n1\ta\ttwo\n",
                r"weight is wrong in 1 rows, first in row 1;.* number",
            ),
            (
                "test",
                b"user_id\titem_id\tweight\n1\ta\tinf\n",
                r"weight is wrong in 1 rows, first in row 1;.* number",
            ),
            ("train", b"user_id\titem_id\n1\ta\n", r"train.tsv has no timestamp .* Add the column, or drop the other"),
            ("train", b"user_id\titem_id\ttimestamp\n1\ta\tnow\n", r"timestamp is wrong in 1 rows.* ISO 8601"),
            ("train", b"user_id\titem_id\ttimestamp\n1\ta\t\n", r"timestamp is wrong in 1 rows, first in row 1;"),
            ("train", b"user_id\titem_id\ttimestamp\n1\ta\t1\n1\tb\tx\n", r"timestamp is wrong in 1 rows.* a number"),
            ("item_features", b"item_id\ttag\na\tb\n", r"columns item_id, tag; expected item_id, feature"),
            ("item_features", b"item_id\tfeature\tweight\na\tb\t0\n", r"weight is wrong in 1 rows.* more than 0"),
            ("user_features", b"user_id\tfeature\n", r"user_features.tsv has no rows; .* remove it where it may be"),
        ],
    )
    def test_a_broken_table(self, folder: Path, name: str, text: bytes, message: str) -> None:
        """What is wrong is said in one sentence."""
        (folder / f"{name}.tsv").write_bytes(text)

        with pytest.raises(InputError, match=message):
            fixed(folder)

    def test_parquet_that_is_none(self, folder: Path) -> None:
        """A file of another format under that name."""
        (folder / "train.tsv").rename(folder / "train.parquet")

        with pytest.raises(InputError, match=r"train.parquet: .*; expected Parquet. Write it again"):
            fixed(folder)

    def test_another_word_for_exclude_seen(self, folder: Path) -> None:
        """The three words are named."""
        with pytest.raises(InputError, match=r"exclude_seen is 'all'; expected one of train\+validation, train, none"):
            fixed(folder, exclude_seen=cast("Any", "all"))


def found(cut: Split) -> dict[str, list[str]]:
    """What is to be found, by listener."""
    return by_listener(cut.train, cut.test)


def liked(interactions: Interactions) -> dict[str, list[str]]:
    """What is learned from, by listener."""
    return by_listener(interactions, interactions.matrix)


def hidden(cuts: Protocol, cut: Split) -> dict[str, list[str]]:
    """What no ranking may name, by listener."""
    return by_listener(cut.train, cuts.filters(cut).hidden)


def by_listener(interactions: Interactions, pairs: Csr) -> dict[str, list[str]]:
    """Return the track ids of each listener who has any."""
    rows = {
        user: interactions.tracks.ids(np.sort(pairs[row].indices)) for row, user in enumerate(interactions.users.ids())
    }
    return {user: ids.to_list() for user, ids in rows.items() if len(ids)}


def weights_of(features: Features, row: int) -> dict[str, float]:
    """Return the features of one row."""
    found_in = features.matrix[row]
    return dict(zip(features.names.ids(found_in.indices).to_list(), found_in.data.tolist(), strict=True))
