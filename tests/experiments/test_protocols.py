"""The three evaluation protocols, and what a split folder must contain."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
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
from recsys.experiments.protocols import ExcludeSeen, Protocol, from_folder, leave_last_out, temporal
from recsys.experiments.split_folder import Order
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.filters import Filters
from recsys.warehouse.query import Warehouse

DAY_S = 86400

# Ann plays a, b, c, d on days 1 to 4; bob plays b on days 1 and 2, and c on day 4; cyd plays first on day 4.
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
    "create table marts.track_lyrics (track_id varchar, language varchar, training_consent varchar)",
    "create table marts.lyric_words (track_id varchar, word varchar, n integer)",
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
    """A stand-in for a warehouse file."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        build = ("create schema meta", "create table meta.build as select 'UTC' as time_zone")
        for statement in ("create schema marts", *build, DAILY, TRACKS, LISTENERS, *SOUND):
            self._connection.execute(statement)

    def query(self, sql: str, params: dict[str, object] | None = None) -> pl.DataFrame:
        """Run a query as `Warehouse.query` does."""
        return pl.DataFrame(self._connection.sql(sql, params=params).pl())


# user_id, item_id, timestamp, weight. The pair (2, b) is in `train` and `validation`; listener 9 is in `test` only.
TRAIN = [("1", "a", 10, 2.0), ("1", "b", 13, 1.0), ("1", "a", 12, 0.5), ("2", "b", 11, 1.0), ("2", "c", 12, -1.0)]
VALIDATION = [("1", "c", 14, 1.0), ("2", "b", 14, 1.0), ("2", "a", 14, 0.0)]
TEST = [("1", "d", 15, 1.0), ("1", "c", 15, 1.0), ("2", "d", 15, 1.0), ("9", "a", 15, 1.0)]
Rows = list[tuple[str, str, int, float]]


def table(rows: Rows) -> pl.DataFrame:
    """Make one table of a split, with timestamps in seconds and numeric user ids."""
    named = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp", "weight"], orient="row")
    return named.with_columns(pl.col("user_id").cast(pl.Int64), pl.col("timestamp") * DAY_S)


def tables() -> dict[str, pl.DataFrame]:
    """Make the three tables of a split."""
    return {"train": table(TRAIN), "validation": table(VALIDATION), "test": table(TEST)}


def write(folder: Path, frames: dict[str, pl.DataFrame], form: str = "tsv", *, quoted: bool = True) -> Path:
    """Write each table to a file of its name; quotes in TSV as they are if not `quoted`."""
    folder.mkdir(exist_ok=True)
    for name, frame in frames.items():
        path = folder / f"{name}.{form}"
        quotes: Any = "necessary" if quoted else "never"
        frame.write_csv(path, separator="\t", quote_style=quotes) if form == "tsv" else frame.write_parquet(path)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A split folder with TSV files."""
    return write(tmp_path / "split", tables())


class TestTemporal:
    """Both splits are made by date."""

    def test_validation_ends_where_the_tests_training_ends(self) -> None:
        """With windows of one day: test on day 4, validation on day 3, training on days 1 and 2."""
        protocol = temporal(cast("Warehouse", MartsInMemory()), as_of=date(2026, 1, 4), test_days=1, gap_days=0)

        assert (protocol.validation.train.as_of, protocol.test.train.as_of) == (date(2026, 1, 2), date(2026, 1, 3))
        assert held_out_tracks(protocol.validation) == {"ann": ["c"]}
        assert held_out_tracks(protocol.test) == {"ann": ["d"], "bob": ["c"]}
        assert protocol.test.n_cold_users == 1

    def test_a_gap_is_left_before_both_windows(self) -> None:
        """With a gap of one day: test on day 4, training up to day 2, and no training data is left for validation."""
        protocol = temporal(cast("Warehouse", MartsInMemory()), as_of=date(2026, 1, 4), test_days=1, gap_days=1)

        assert liked(protocol.test.train) == {"ann": ["a", "b"], "bob": ["b"]}
        assert protocol.validation.train.as_of == date(2025, 12, 31)
        assert hidden(protocol.test) == {"ann": ["a", "b"], "bob": ["b"]}

    @pytest.mark.parametrize(
        ("new_only", "held_out", "excluded"),
        [(True, {"ann": ["b"]}, {"ann": ["a"], "bob": ["b"]}), (False, {"ann": ["b"], "bob": ["b"]}, {})],
    )
    def test_known_tracks_count_where_lists_have_them(
        self, new_only: bool, held_out: dict[str, list[str]], excluded: dict[str, list[str]]
    ) -> None:
        """On day 2 bob hears again what he heard on day 1."""
        warehouse = cast("Warehouse", MartsInMemory())
        protocol = temporal(warehouse, as_of=date(2026, 1, 2), test_days=1, gap_days=0, new_only=new_only)

        assert held_out_tracks(protocol.test) == held_out
        assert hidden(protocol.test) == excluded


class TestLeaveLastOut:
    """The test holds out the last liked track, validation the one before it."""

    PAIRS = pl.DataFrame(
        # Ann's b and c are of the same day; bob likes two tracks and dislikes c; cyd dislikes the last one.
        {
            "user_id": ["ann", "ann", "ann", "ann", "bob", "bob", "bob", "cyd", "cyd", "cyd", "cyd"],
            "track_id": ["a", "b", "c", "d", "a", "b", "c", "d", "c", "b", "a"],
            "strength": [1.0, 2.0, 3.0, 4.0, 1.0, 1.0, -1.0, 1.0, 1.0, 1.0, -1.0],
            "age_days": [0, 5, 5, 9, 2, 1, 0, 3, 2, 1, 0],
        }
    )

    def test_holds_out_the_last_two_liked_pairs(self) -> None:
        """Ann's last track is a; before it c (of two on one day, the later row). Bob is in the training part only."""
        protocol = leave_last_out(Interactions.of(self.PAIRS))

        assert held_out_tracks(protocol.test) == {"ann": ["a"], "cyd": ["b"]}
        assert held_out_tracks(protocol.validation) == {"ann": ["c"], "cyd": ["c"]}
        assert liked(protocol.test.train) == {"ann": ["b", "c", "d"], "bob": ["a", "b"], "cyd": ["c", "d"]}
        assert liked(protocol.validation.train) == {"ann": ["b", "d"], "bob": ["a", "b"], "cyd": ["d"]}

    def test_strengths_and_ages_stay_with_their_pairs(self) -> None:
        """Training pairs are unchanged; held-out tracks may be recommended, disliked tracks may not."""
        protocol = leave_last_out(Interactions.of(self.PAIRS))

        assert protocol.validation.train.matrix.data.tolist() == [2, 4, 1, 1, 1]
        assert protocol.validation.train.age_days.tolist() == [5, 9, 2, 1, 3]
        assert protocol.validation.train.matrix.has_sorted_indices
        assert hidden(protocol.validation) == {"ann": ["b", "d"], "bob": ["a", "b", "c"], "cyd": ["a", "d"]}


class TestFixed:
    """A published split in a folder."""

    def test_the_test_model_is_trained_on_both_earlier_parts(self, folder: Path) -> None:
        """Validation trains on train, test on both; seen pairs and unknown listeners are counted, not evaluated."""
        protocol = from_folder(folder)

        assert protocol.name == "fixed"
        assert held_out_tracks(protocol.validation) == {"1": ["c"]}
        assert held_out_tracks(protocol.test) == {"1": ["d"], "2": ["d"]}
        assert (protocol.validation.n_repeat_plays, protocol.test.n_repeat_plays, protocol.test.n_cold_users) == (
            1,
            1,
            1,
        )
        assert protocol.validation.n_cold_tracks == 0
        assert protocol.test.n_cold_tracks == 1

    def test_repeated_rows_are_one_pair(self, folder: Path) -> None:
        """Weights are summed and the latest time is kept; ages are counted from the latest training row."""
        protocol = from_folder(folder)

        assert protocol.validation.train.matrix.toarray().tolist() == [[2.5, 1, 0, 0], [0, 1, 0, 0]]
        assert protocol.validation.train.age_days.tolist() == [1, 0, 2]
        assert protocol.validation.train.seen.toarray()[1].tolist() == [False, True, True, False]
        assert protocol.test.train.matrix.toarray().tolist() == [[2.5, 1, 1, 0], [0, 2, 0, 0]]
        assert protocol.test.train.age_days.tolist() == [2, 1, 0, 0]

    def test_parquet_is_read_as_tsv_is(self, folder: Path, tmp_path: Path) -> None:
        """The same tables give the same splits; numeric ids become the same strings."""
        features = pl.DataFrame({"item_id": ["a", "e"], "feature": ["slow", "mood=sad"], "weight": [3.0, 0.5]})

        tsv = from_folder(write(folder, {"item_features": features}))
        parquet = from_folder(write(tmp_path / "other", tables() | {"item_features": features}, "parquet"))

        for one, other in ((tsv.validation, parquet.validation), (tsv.test, parquet.test)):
            assert one.train.users.is_same_as(other.train.users)
            assert one.train.tracks.is_same_as(other.train.tracks)
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
    def test_timestamps_may_have_many_formats(
        self, tmp_path: Path, form: str, written: Callable[[pl.Series], pl.Series]
    ) -> None:
        """Numbers in any unit, dates, times and text give the same ages as seconds."""
        since = int(datetime(2014, 2, 5, tzinfo=UTC).timestamp())
        changed = {
            name: frame.with_columns(written(frame["timestamp"] + since).alias("timestamp"))
            for name, frame in tables().items()
        }

        protocol = from_folder(write(tmp_path, changed, form))

        assert protocol.test.train.age_days.tolist() == [2, 1, 0, 0]

    def test_without_timestamps_the_order_of_rows_gives_ages(self, tmp_path: Path) -> None:
        """A pair's age is the number of the listener's later pairs, with validation after train."""
        without = {name: frame.drop("timestamp") for name, frame in tables().items()}

        protocol = from_folder(write(tmp_path, without))

        assert protocol.validation.train.age_days.tolist() == [
            0,
            1,
            1,
        ]  # a is repeated after b; c is not liked
        assert protocol.test.train.age_days.tolist() == [1, 2, 0, 1]

    @pytest.mark.parametrize("ids", [["9", "10"], ["10", "9"], ["i_b", "i_c"]], ids=["numbers", "text", "no numbers"])
    def test_rows_sorted_by_item_give_no_ages(self, tmp_path: Path, ids: list[str]) -> None:
        """Every age is 0 if the items of every listener are sorted, as numbers or as text."""
        train = pl.DataFrame({"user_id": ["ann", "ann", "bob"], "item_id": [*ids, ids[0]]})
        test = pl.DataFrame({"user_id": ["bob"], "item_id": [ids[1]]})

        protocol = from_folder(write(tmp_path, {"train": train, "validation": train.head(1), "test": test}))

        assert protocol.validation.train.age_days.tolist() == [0, 0, 0]
        assert protocol.order == "none"

    def test_weights_may_be_left_out(self, tmp_path: Path) -> None:
        """Without a column weight, each row has the weight 1."""
        without = {name: frame.drop("weight") for name, frame in tables().items()}

        protocol = from_folder(write(tmp_path, without))

        assert protocol.validation.train.matrix.toarray().tolist() == [[2, 1, 0, 0], [0, 1, 1, 0]]

    @pytest.mark.parametrize(
        ("exclude_seen", "excluded", "held_out"),
        [
            ("train+validation", {"1": ["a", "b", "c"], "2": ["a", "b", "c"]}, {"1": ["d"], "2": ["d"]}),
            ("train", {"1": ["a", "b"], "2": ["b", "c"]}, {"1": ["c", "d"], "2": ["d"]}),
            ("none", {}, {"1": ["c", "d"], "2": ["d"]}),
        ],
    )
    def test_known_tracks_are_held_out_only_if_lists_may_contain_them(
        self, folder: Path, exclude_seen: ExcludeSeen, excluded: dict[str, list[str]], held_out: dict[str, list[str]]
    ) -> None:
        """A held-out track that is excluded from lists is not evaluated."""
        protocol = from_folder(folder, exclude_seen=exclude_seen)

        assert hidden(protocol.test) == excluded
        assert held_out_tracks(protocol.test) == held_out

    def test_with_none_even_training_pairs_are_held_out(self, folder: Path) -> None:
        """A validation pair that is also in train is evaluated."""
        protocol = from_folder(folder, exclude_seen="none")

        assert hidden(protocol.validation) == {}
        assert held_out_tracks(protocol.validation) == {"1": ["c"], "2": ["b"]}
        assert protocol.validation.n_repeat_plays == 0

    def test_features_keep_their_weights(self, folder: Path) -> None:
        """A feature without a column name is a tag; an item that only has features is in the catalogue."""
        items = {
            "item_id": ["a", "a", "a", "e"],
            "feature": ["slow", "slow", "mood=sad", "slow"],
            "weight": [1, 2, 5, 4],
        }
        users = {"user_id": [1, 7], "feature": ["country=DE", "country=FR"]}

        features = {"item_features": pl.DataFrame(items), "user_features": pl.DataFrame(users)}
        train = from_folder(write(folder, features)).test.train

        assert train.tracks.ids().to_list() == ["a", "b", "c", "d", "e"]
        assert weights_of(train.track_features, 0) == {"mood=sad": 5, "tag=slow": 3}
        assert weights_of(train.track_features, 1) == {}
        assert weights_of(train.track_features, 4) == {"tag=slow": 4}
        assert weights_of(train.user_features, 0) == {"country=DE": 1}
        assert weights_of(train.user_features, 1) == {}

    def test_a_recommender_can_be_fitted_on_it(self, folder: Path) -> None:
        """A recommender can be fitted on the split, and its lists hold no excluded track."""
        protocol = from_folder(folder)

        model = Recommender.named("popular").fit(protocol.test.train)
        ranking = model.recommend(["1", "2"], 4, filters=Filters.for_split(protocol.test))

        assert ranking["track_id"].to_list() == ["d", "d"]


class TestOrder:
    """The order may be chosen, whatever the files have."""

    def test_no_order(self, folder: Path) -> None:
        """Every age is 0, although there are timestamps."""
        protocol = from_folder(folder, order="none")

        assert protocol.order == "none"
        assert protocol.test.train.age_days.tolist() == [0, 0, 0, 0]

    def test_the_order_of_rows(self, folder: Path) -> None:
        """Ages are those without timestamps: the number of later pairs."""
        protocol = from_folder(folder, order="rows")

        assert protocol.order == "rows"
        assert protocol.test.train.age_days.tolist() == [1, 2, 0, 1]

    def test_rows_sorted_by_item_may_be_an_order(self, tmp_path: Path) -> None:
        """If a user says that rows are chronological, it does not matter that they are sorted."""
        train = pl.DataFrame({"user_id": ["ann", "ann", "bob"], "item_id": ["a", "b", "a"]})
        parts = {"train": train, "validation": train.head(1), "test": train.select("user_id", item_id=pl.lit("c"))}

        assert from_folder(write(tmp_path, parts), order="rows").validation.train.age_days.tolist() == [1, 0, 0]


class TestCarved:
    """Without a validation file, a part of train is held out for tuning."""

    def carved(self, folder: Path, **given: Any) -> Protocol:
        """Ann likes ten tracks, t1 again at last, and dislikes x; bob likes two, cyd one. All want t99 in the test."""
        ann = [*(f"t{n}" for n in (5, 1, 2, 3, 4, 6, 7, 8, 9, 10)), "t1", "x"]
        rows = [("ann", item, 100 + n, -1.0 if item == "x" else 1.0) for n, item in enumerate(ann)]
        rows += [("bob", "t2", 50, 1.0), ("bob", "t1", 40, 1.0), ("cyd", "t3", 1, 1.0)]
        train = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp", "weight"], orient="row")
        test = pl.DataFrame({"user_id": ["ann", "bob", "cyd"], "item_id": ["t99"] * 3})
        return from_folder(write(folder, {"train": train, "test": test}), **given)

    def test_the_latest_fifth_of_each_listener(self, tmp_path: Path) -> None:
        """Two of ann's ten, by their last plays; one of bob's two, by time and not by row; never cyd's only one."""
        protocol = self.carved(tmp_path)

        assert held_out_tracks(protocol.validation) == {"ann": ["t1", "t10"], "bob": ["t2"]}
        assert liked(protocol.validation.train)["bob"] == ["t1"]
        assert liked(protocol.validation.train)["cyd"] == ["t3"]
        assert protocol.is_carved
        assert "no validation file" in protocol.warnings[-1]

    def test_the_order_of_rows(self, tmp_path: Path) -> None:
        """If rows are the order, bob's last row is held out."""
        protocol = self.carved(tmp_path, order="rows")

        assert held_out_tracks(protocol.validation) == {"ann": ["t1", "t10"], "bob": ["t1"]}

    def test_without_an_order_any_fifth(self, tmp_path: Path) -> None:
        """As many tracks of each listener are held out, the same ones every time."""
        held_out = held_out_tracks(self.carved(tmp_path, order="none").validation)

        assert {user: len(tracks) for user, tracks in held_out.items()} == {"ann": 2, "bob": 1}
        assert held_out == held_out_tracks(from_folder(tmp_path, order="none").validation)

    @pytest.mark.parametrize("order", ["time", "rows", "none"])
    def test_the_test_is_not_affected(self, tmp_path: Path, order: Order) -> None:
        """The test model is trained on all of train, with ages as if nothing had been carved."""
        protocol = self.carved(tmp_path, order=order)
        uncarved = pl.read_csv(tmp_path / "train.tsv", separator="\t")
        parts = {"train": uncarved.head(-1), "validation": uncarved.tail(1)}
        whole = from_folder(write(tmp_path, parts), order=order)

        assert not whole.is_carved
        assert (protocol.test.train.matrix != whole.test.train.matrix).nnz == 0
        assert (protocol.test.train.seen != whole.test.train.seen).nnz == 0
        np.testing.assert_allclose(protocol.test.train.age_days, whole.test.train.age_days)
        assert held_out_tracks(protocol.test) == {"ann": ["t99"], "bob": ["t99"], "cyd": ["t99"]}

    def test_all_of_train_is_excluded(self, tmp_path: Path) -> None:
        """'train' means the training file, of which the carved part is a part."""
        protocol = self.carved(tmp_path, exclude_seen="train")

        assert hidden(protocol.test)["bob"] == ["t1", "t2"]

    def test_nothing_to_carve(self, tmp_path: Path) -> None:
        """If no listener likes two items, the message asks for a validation file."""
        train = pl.DataFrame({"user_id": ["ann", "bob"], "item_id": ["a", "b"]})
        write(tmp_path, {"train": train, "test": train.with_columns(item_id=pl.lit("c"))})

        with pytest.raises(InputError, match=r"no listener likes two items, .* Add a file validation"):
            from_folder(tmp_path)


class TestWarnings:
    """What is doubtful is said in words."""

    def test_a_sound_split_has_no_warning(self, tmp_path: Path) -> None:
        """Without dislikes, repeats and unknown files there is nothing to say."""
        items = {"train": ["b", "a", "c"], "validation": ["c", "b", "a"], "test": ["a", "c", "b"]}
        parts = {name: pl.DataFrame({"user_id": [1, 2, 3], "item_id": ids}) for name, ids in items.items()}

        assert from_folder(write(tmp_path, parts)).warnings == ()

    def test_half_of_the_tests_ids_are_unknown(self, folder: Path) -> None:
        """Items that no model can know are counted, and so are listeners; without a known one there is no test."""
        write(folder, {"test": table([TEST[0], TEST[1], TEST[2]])})

        assert from_folder(folder).warnings[-1] == (
            "test.tsv: 1 of 2 item ids are in no training file; if they should be, they may be written in another way"
        )
        write(folder, {"test": table([("7", "d", 15, 1.0), ("9", "a", 15, 1.0)])})

        with pytest.raises(InputError, match=r"test.tsv: all 2 user ids are in no training file, .* Correct the files"):
            from_folder(folder)

    def test_what_only_validation_has_is_not_left_out(self, folder: Path) -> None:
        """With --exclude-seen train, lists may contain the validation pairs, to which models were fitted."""
        write(folder, {"test": table(VALIDATION[:1])})

        assert from_folder(folder, exclude_seen="train").warnings[-1] == (
            "test.tsv: all 1 pairs are in the training files as well: models were fitted to them, and lists may "
            "contain them"
        )

    def test_weights_without_likes(self, folder: Path) -> None:
        """The number of rows is given, by file."""
        assert from_folder(folder).warnings == (
            "train.tsv: 1 of 5 rows have a weight of at most 0: seen, but not liked",
            "validation.tsv: 1 of 3 rows have a weight of at most 0: seen, but not liked",
        )

    def test_half_of_the_test_is_known(self, folder: Path) -> None:
        """From half of the pairs on, the known ones are counted in a warning."""
        write(folder, {"test": table([*TRAIN[:2], *TEST[:1], *TEST[2:3]])})

        assert from_folder(folder).warnings[-1] == (
            "test.tsv: 2 of 4 pairs are in the training files as well: they are left out"
        )

    def test_a_table_under_another_name(self, folder: Path) -> None:
        """A misnamed validation file is not read: both are said."""
        (folder / "validation.tsv").rename(folder / "valid.tsv")

        assert [text[:30] for text in from_folder(folder).warnings[1:]] == [
            "valid.tsv: not read; the table",
            "there is no validation file: t",
        ]

    def test_whole_numbers_may_be_floating_point(self, tmp_path: Path) -> None:
        """A column of floating-point numbers without fractions has the ids that integers and text have."""
        changed = tables()
        changed["train"] = changed["train"].with_columns(pl.col("user_id").cast(pl.Float64))
        changed["test"] = changed["test"].with_columns(pl.col("user_id").cast(pl.String))

        protocol = from_folder(write(tmp_path, changed, "parquet"))

        assert protocol.test.train.users.ids().to_list() == ["1", "2"]
        assert held_out_tracks(protocol.test) == {"1": ["d"], "2": ["d"]}


class TestSplitFolderRefuses:
    """Every message names the file, what was found, what was expected and what to do next."""

    def test_a_missing_part(self, folder: Path) -> None:
        """The message about a missing table lists the files in the folder."""
        (folder / "test.tsv").rename(folder / "tests.tsv")

        with pytest.raises(
            InputError, match=r"split: found tests.tsv, train.tsv, validation.tsv, expected test.parquet"
        ):
            from_folder(folder)

    def test_a_missing_folder(self, tmp_path: Path) -> None:
        """For an empty folder, the message says that no file was found."""
        with pytest.raises(InputError, match=r"nowhere: found no file, expected train.parquet or train.tsv"):
            from_folder(tmp_path / "nowhere")

    def test_one_part_in_two_formats(self, folder: Path) -> None:
        """Two files of the same table are refused."""
        write(folder, {"test": table(TEST)}, "parquet")

        with pytest.raises(
            InputError, match=r"found test.parquet and test.tsv, expected one of them. Remove the other"
        ):
            from_folder(folder)

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            ("train", b"", r"train.tsv: found an empty file, expected UTF-8 text, a header line"),
            ("test", b"user_id\titem_id\n", r"test.tsv: found no rows, expected at least one. Fill the file"),
            ("train", b"user_id\titem\n1\ta\n", r"columns user_id, item, expected user_id, item_id.* mean 'item'"),
            ("train", b"user_id\titem_id\n1\t\n", r"train.tsv: found no item_id in 1 rows, .* Remove these rows"),
            ("train", b"user_id\titem_id\n1\t \n2\ta\n", r"train.tsv: found no item_id in 1 rows"),
            ("train", b"user_id\titem_id\n1\ta\tb\n", r"train.tsv: found more fields .*; expected UTF-8 .* Write it"),
            ("train", b"user_id\titem_id\n1\t\xff\n", r"train.tsv: invalid utf-8.*; expected UTF-8 text"),
            (
                "test",
                b"user_id\titem_id\tweight\n1\ta\ttwo\n",
                r"invalid weight in 1 rows, first in row 1;.* number",
            ),
            (
                "test",
                b"user_id\titem_id\tweight\n1\ta\tinf\n",
                r"invalid weight in 1 rows, first in row 1;.* number",
            ),
            (
                "train",
                b"user_id\titem_id\n1\ta\n",
                r"train.tsv: found no column timestamp.* Add it here, or remove",
            ),
            ("train", b"user_id\titem_id\ttimestamp\n1\ta\tnow\n", r"invalid timestamp in 1 rows.* ISO 8601"),
            ("train", b"user_id\titem_id\ttimestamp\n1\ta\t\n", r"invalid timestamp in 1 rows, first in row 1;"),
            ("train", b"user_id\titem_id\ttimestamp\n1\ta\t1\n1\tb\tx\n", r"invalid timestamp in 1 rows.* a number"),
            ("item_features", b"item_id\ttag\na\tb\n", r"columns item_id, tag, expected item_id, feature"),
            ("item_features", b"item_id\tfeature\tweight\na\tb\t0\n", r"invalid weight in 1 rows.* more than 0"),
            (
                "user_features",
                b"user_id\tfeature\n",
                r"user_features.tsv: found no rows, .* if it is optional",
            ),
        ],
    )
    def test_a_broken_table(self, folder: Path, name: str, text: bytes, message: str) -> None:
        """The message says what is wrong in one sentence."""
        (folder / f"{name}.tsv").write_bytes(text)

        with pytest.raises(InputError, match=message):
            from_folder(folder)

    def test_an_invalid_parquet_file(self, folder: Path) -> None:
        """A TSV file that is named .parquet is refused."""
        (folder / "train.tsv").rename(folder / "train.parquet")

        with pytest.raises(InputError, match=r"train.parquet: .*; expected Parquet. Write it again"):
            from_folder(folder)

    @pytest.mark.parametrize(
        ("column", "values", "message"),
        [
            ("item_id", [["a"]] * 5, r"column item_id is of type List, expected text or whole numbers. Write"),
            ("item_id", [{"id": "a"}] * 5, r"column item_id is of type Struct, expected text"),
            ("user_id", [b"1"] * 5, r"column user_id is of type Binary, expected text"),
            ("user_id", [True] * 5, r"column user_id is of type Boolean, expected text"),
            (
                "user_id",
                [1.0, 2.5, 1.0, 1.0, 1.0],
                r"invalid user_id in 1 rows, first in row 2; expected whole numbers",
            ),
            ("user_id", [2.0**53] * 5, r"invalid user_id in 5 rows"),
            ("weight", [[1.0]] * 5, r"column weight is of type List, expected numbers"),
            ("weight", [True] * 5, r"column weight is of type Boolean, expected numbers"),
            ("weight", [date(2026, 1, 1)] * 5, r"column weight is of type Date, expected numbers"),
            ("weight", [None] * 5, r"invalid weight in 5 rows"),
            ("weight", [1e300, 1.0, 1.0, 1.0, 1.0], r"invalid weight in 1 rows, first in row 1; .* from 1e-9 to 1e9"),
            ("weight", [1.0, -1e300, 1.0, 1.0, 1.0], r"invalid weight in 1 rows, first in row 2; "),
            ("weight", [1e-300, 1.0, 1.0, 1.0, 1.0], r"invalid weight in 1 rows, first in row 1; "),
            ("weight", [0.0, -1.0, 0.0, 0.0, 0.0], r"train.parquet: no weight is above 0.* each row counts 1"),
            ("timestamp", [timedelta(1)] * 5, r"column timestamp is of type Duration, expected numbers, dates, times"),
            ("timestamp", [time(1)] * 5, r"column timestamp is of type Time, expected numbers"),
        ],
    )
    def test_a_column_that_cannot_be_read(self, tmp_path: Path, column: str, values: list[Any], message: str) -> None:
        """Types that are no ids, weights or times are refused in words, and so are values beyond single precision."""
        changed = tables()
        changed["train"] = changed["train"].with_columns(pl.Series(column, values))

        with pytest.raises(InputError, match=message):
            from_folder(write(tmp_path, changed, "parquet"))

    @pytest.mark.parametrize(
        ("part", "column", "values", "found"),
        [
            ("test", "item_id", ["d", " c", "d", "a"], "test.tsv: 1 item ids"),
            ("test", "item_id", ['"a"', "'b'", "d", "a"], "test.tsv: 2 item ids"),
            ("test", "user_id", ["1.0", "1.0", "2.0", "9"], "test.tsv: 2 user ids"),
            ("validation", "user_id", ["01", "2", "2"], "validation.tsv: 1 user ids"),
            ("validation", "user_id", ["1e+00", "2", "2"], "validation.tsv: 1 user ids"),
        ],
    )
    def test_ids_in_two_spellings(self, tmp_path: Path, part: str, column: str, values: list[str], found: str) -> None:
        """Ids that are known after trimming, unquoting or rewriting numbers would otherwise count as unknown."""
        changed = tables()
        changed[part] = changed[part].with_columns(pl.Series(column, values))

        with pytest.raises(InputError, match=rf"{found} are among those of the training rows only without spaces"):
            from_folder(write(tmp_path, changed, quoted=False))

    def test_features_in_another_spelling(self, folder: Path) -> None:
        """The ids of features are compared as well."""
        write(folder, {"user_features": pl.DataFrame({"user_id": ["1.0", "2.0"], "feature": ["x", "y"]})})

        with pytest.raises(InputError, match="user_features: 2 user ids are among those"):
            from_folder(folder)

    def test_a_test_inside_the_training_parts(self, folder: Path) -> None:
        """Such a test evaluates nothing; if listeners are to hear items again, it is used, with a warning."""
        write(folder, {"test": table([TRAIN[0], TRAIN[3], VALIDATION[0]])})

        with pytest.raises(InputError, match=r"test.tsv: all 3 pairs of listener and item are in the training files"):
            from_folder(folder)
        assert from_folder(folder, exclude_seen="none").warnings[-1] == (
            "test.tsv: all 3 pairs are in the training files as well: models were fitted to them, and lists may "
            "contain them"
        )
        assert held_out_tracks(from_folder(folder, exclude_seen="train").test) == {"1": ["c"]}

    def test_an_order_by_time_without_times(self, tmp_path: Path) -> None:
        """The order by time needs timestamps in train and validation; a misspelt order is refused."""
        without = {name: frame.drop("timestamp") for name, frame in tables().items()}
        write(tmp_path, without)

        with pytest.raises(InputError, match=r"train.tsv: found no column timestamp, which the order by time needs"):
            from_folder(tmp_path, order="time")
        with pytest.raises(InputError, match=r"order: found 'row', expected one of time, rows, none"):
            from_folder(tmp_path, order=cast("Any", "row"))

    def test_an_unknown_value_of_exclude_seen(self, folder: Path) -> None:
        """A misspelt exclude_seen is refused with the three allowed values."""
        with pytest.raises(InputError, match=r"exclude_seen: found 'all', expected one of train\+validation, train"):
            from_folder(folder, exclude_seen=cast("Any", "all"))


def held_out_tracks(split: Split) -> dict[str, list[str]]:
    """Return the held-out tracks by listener."""
    return by_listener(split.train, split.test)


def liked(interactions: Interactions) -> dict[str, list[str]]:
    """Return the liked training tracks by listener."""
    return by_listener(interactions, interactions.matrix)


def hidden(split: Split) -> dict[str, list[str]]:
    """Return the tracks that lists may not contain, by listener."""
    return by_listener(split.train, Filters.for_split(split).hidden)


def by_listener(interactions: Interactions, pairs: Csr) -> dict[str, list[str]]:
    """Return the track ids of each listener with at least one."""
    rows = {
        user: interactions.tracks.ids(np.sort(pairs[row].indices)) for row, user in enumerate(interactions.users.ids())
    }
    return {user: ids.to_list() for user, ids in rows.items() if len(ids)}


def weights_of(features: Features, row: int) -> dict[str, float]:
    """Return the features of one row, with their weights."""
    entries = features.matrix[row]
    return dict(zip(features.names.ids(entries.indices).to_list(), entries.data.tolist(), strict=True))
