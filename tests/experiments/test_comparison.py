"""Comparison of recommenders: equal conditions, what is written, and `recsys evaluate` on a split folder."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result

from recsys.cli import main
from recsys.dataset.interactions import Interactions
from recsys.errors import InputError
from recsys.experiments import comparison
from recsys.experiments.comparison import Comparison, ComparisonSettings, compare
from recsys.experiments.protocols import Protocol, from_folder
from recsys.experiments.tuning import Budget, TuningResult, TuningTask
from recsys.experiments.tuning import tune as search
from recsys.recommenders.base import Recommender
from recsys.recommenders.blend import Blend, BlendConfig
from recsys.recommenders.parts.filters import Filters

N_SIDE = 15  # tracks of each of two groups of listeners, a and b
NAMES = ["blend", "ease", "popular"]
SETTINGS = ComparisonSettings(Budget(trials=3))
BOTH = {"ease": "ease", "item_knn": "item_knn"}


@dataclass(frozen=True)
class Small(BlendConfig):
    """A blend of two members, small enough for a test."""

    models: dict[str, dict[str, Any]] = field(default_factory=lambda: {"ease": {}, "item_knn": {}})
    epochs: int = 3


def plays(first: int, last: int) -> pl.DataFrame:
    """Return plays first..last of 24 listeners in two groups; each plays the group's tracks in a different order."""
    rows = [
        {"user_id": f"{side}{user}", "item_id": f"{side}{(user * 4 + number * (1 + user % 2)) % N_SIDE:02}",
         "timestamp": 1_700_000_000 + 86400 * number + user}
        for side in "ab" for user in range(12) for number in range(first, last + 1)
    ]  # fmt: skip
    return pl.DataFrame(rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a split as TSV: six plays per listener for training, two each for validation and test, and artists."""
    path = tmp_path_factory.mktemp("split")
    for name, first, last in (("train", 0, 5), ("validation", 6, 7), ("test", 8, 9)):
        plays(first, last).write_csv(path / f"{name}.tsv", separator="\t")
    tracks = [f"{side}{n:02}" for side in "ab" for n in range(N_SIDE)]
    features = {"item_id": tracks, "feature": [f"artist={name[0]}{int(name[1:]) // 5}" for name in tracks]}
    pl.DataFrame(features).write_csv(path / "item_features.tsv", separator="\t")
    return path


@pytest.fixture(scope="module")
def outcome(folder: Path) -> Comparison:
    """Compare blend, ease and popular."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Blend, "config_class", Small)
        return compare(from_folder(folder), NAMES, SETTINGS)


def test_the_blend_takes_its_members_as_tuned(outcome: Comparison, folder: Path) -> None:
    """The blend's members have the settings that tuning finds for each, even for a member that is not compared."""
    protocol = from_folder(folder)
    split = protocol.validation

    alone = {name: search(TuningTask(name, split, Filters.for_split(split)), SETTINGS.budget).config for name in BOTH}

    assert outcome.costs["blend"]["settings"]["models"] == {name: asdict(config) for name, config in alone.items()}
    assert outcome.costs["ease"]["settings"] == asdict(alone["ease"])
    assert list(outcome.rankings) == NAMES


def test_costs_are_complete(outcome: Comparison) -> None:
    """Costs have CPU times, trials, speed and settings; the blend's tuning time is the sum over its members."""
    keys = {"tuning_cpu_seconds", "n_trials", "train_cpu_seconds", "listeners_per_second", "settings"}

    assert set(outcome.costs) == set(NAMES)
    assert set(outcome.costs["blend"]) == keys
    assert set(outcome.costs["ease"]) == set(outcome.costs["popular"]) == keys | {"validation_ndcg"}
    assert [outcome.costs[name]["n_trials"] for name in NAMES] == [0, 3, 1]
    assert outcome.costs["blend"]["tuning_cpu_seconds"] > outcome.costs["ease"]["tuning_cpu_seconds"]


def test_the_best_is_the_highest_mean(outcome: Comparison) -> None:
    """Every other recommender is compared with the best one, with a Holm-adjusted p-value."""
    ndcg = outcome.metrics().filter(metric="ndcg").sort("value", descending=True)

    paired = outcome.compare_with(outcome.best())

    assert outcome.best() == ndcg["recommender"][0]
    assert set(paired["recommender"]) == {*NAMES} - {outcome.best()}
    assert paired["p_holm"].is_not_null().all()
    assert (paired["p_holm"] >= paired["p_value"]).all()
    assert (paired["n_users"] == 24).all()


def test_searches_see_validation_and_fits_see_all_but_the_test(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tuning gets the validation split; the reported model is fitted on train and validation."""
    protocol, splits, fits = from_folder(folder), [], []
    original = Recommender.fit

    def tuned(task: TuningTask, budget: Budget, **given: Any) -> TuningResult:
        splits.append(task.split)
        return search(task, budget, **given)

    def fitted(self: Recommender[Any], interactions: Interactions, **given: Any) -> Recommender[Any]:
        fits.append((interactions, given))
        return original(self, interactions, **given)

    monkeypatch.setattr(comparison, "tune", tuned)
    monkeypatch.setattr(Recommender, "fit", fitted)
    compare(protocol, ["ease"], ComparisonSettings(Budget(trials=1)))

    assert splits == [protocol.validation]
    assert [interactions for interactions, _ in fits] == [protocol.validation.train, protocol.test.train]
    assert fits[-1][1] == {"validation": protocol.validation}
    known = {(pair["user_id"], pair["item_id"]) for pair in plays(0, 7).to_dicts()}
    assert protocol.test.train.matrix.nnz == len(known)


def test_each_recommender_is_kept_when_it_is_done(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the last one fails, those before it are kept; the blend comes last."""
    monkeypatch.setattr(Blend, "config_class", Small)
    monkeypatch.setattr(Blend, "fit", _broken)
    kept: list[list[str]] = []

    with pytest.raises(RuntimeError, match="broken"):
        compare(
            from_folder(folder),
            NAMES,
            ComparisonSettings(Budget(trials=1)),
            keep=lambda so_far: kept.append(list(so_far.rankings)),
        )

    assert kept == [["ease"], ["ease", "popular"]]


def _broken(*_given: Any, **_named: Any) -> NoReturn:
    raise RuntimeError("broken")


def test_a_comparison_repeats(outcome: Comparison, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same split and settings give the same lists and metrics."""
    monkeypatch.setattr(Blend, "config_class", Small)

    again = compare(from_folder(folder), NAMES, SETTINGS)

    assert all(again.rankings[name].equals(outcome.rankings[name]) for name in NAMES)
    assert again.metrics().equals(outcome.metrics())


def test_the_outcome_is_written_as_strict_json(outcome: Comparison, tmp_path: Path) -> None:
    """JSON contains protocol, metrics, groups, paired tests and costs, without NaN or infinity."""
    outcome.write(json=tmp_path / "out" / "outcome.json", rankings=None)

    written = strict_json(tmp_path / "out" / "outcome.json")
    assert (written["protocol"], written["k"], written["n_listeners"]) == ("fixed", 10, 24)
    assert {"metrics", "groups", "paired_ndcg", "costs", "exclude_seen"} <= set(written)
    assert {row["baseline"] for row in written["paired_ndcg"]} == {outcome.best()}
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_equal_times_are_no_order(folder: Path, tmp_path: Path) -> None:
    """If every play of a listener has the same time, the table does not claim an order."""
    for name, first, last in (("train", 0, 5), ("validation", 6, 7), ("test", 8, 9)):
        plays(first, last).with_columns(timestamp=1).write_csv(tmp_path / f"{name}.tsv", separator="\t")
    settings = ComparisonSettings(Budget(trials=1))

    assert compare(from_folder(folder), ["popular"], settings).data()["order"] == "time"
    assert compare(from_folder(tmp_path), ["popular"], settings).data()["order"] == "none"


def test_ratios_without_a_baseline_are_strict_json_too(folder: Path, tmp_path: Path) -> None:
    """If no list has a hit, the baseline's mean is 0 and ratios are null, not NaN."""
    protocol, settings = from_folder(folder), ComparisonSettings(Budget(trials=1), k=1)
    held_out = {protocol.test.train.tracks.ids()[int(row)] for row in protocol.test.test.indices}
    track = min({*protocol.test.train.tracks.ids()} - held_out)
    outcome = compare(protocol, ["ease", "popular"], settings, candidates=[track])

    outcome.write(json=tmp_path / "outcome.json", rankings=tmp_path / "lists.parquet")

    assert [row["ratio"] for row in strict_json(tmp_path / "outcome.json")["paired_ndcg"]] == [None]
    assert set(pl.read_parquet(tmp_path / "lists.parquet")["item_id"]) == {track}


class TestCommand:
    """`recsys evaluate --split`."""

    def test_prints_a_table_and_writes_everything(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The screen shows one line per recommender, JSON every metric and interval, Parquet the lists of twenty."""
        monkeypatch.setattr(Blend, "config_class", Small)
        json_path, lists = tmp_path / "outcome.json", tmp_path / "lists.parquet"

        result = evaluate(folder, "--json", json_path, "--rankings", lists, *only("blend", "ease"), "--trials", 2)

        assert result.exit_code == 0, result.output
        assert "Protocol fixed, full ranking of 30 tracks for 24 listeners" in result.stdout
        assert "order: timestamps tell which plays of a listener are later" in result.stdout
        assert "features: 30 tracks, 0 listeners" in result.stdout
        assert "warning" not in result.stdout
        table = [line.split()[0] for line in result.stdout.splitlines() if line.split()]
        assert {"recommender", "blend", "ease"} <= {*table}
        assert "nDCG@10" in result.stdout
        (paired,) = strict_json(json_path)["paired_ndcg"]
        interval = " [{:.3g}, {:.3g}]".format(*(round(paired[end], 3) for end in ("low", "high")))
        assert f"{round(paired['difference'], 3)}{interval}" in result.stdout
        rows = pl.DataFrame(strict_json(json_path)["metrics"], infer_schema_length=None)
        assert {"ndcg", "recall", "coverage"} <= {*rows["metric"]}
        ndcg = rows.filter(metric="ndcg")
        assert (ndcg["low"] <= ndcg["value"]).all()
        assert (ndcg["value"] <= ndcg["high"]).all()
        assert {"low", "high"} <= {*rows.columns}
        ranked = pl.read_parquet(lists)
        assert ranked.columns == ["recommender", "user_id", "item_id", "rank", "score"]
        assert ranked.group_by("recommender", "user_id").agg(pl.col("rank").max())["rank"].to_list() == [20] * 48

    def test_one_recommender_alone(self, folder: Path, tmp_path: Path) -> None:
        """With one recommender, no other is fitted, and there is no paired comparison."""
        result = evaluate(folder, "--json", tmp_path / "outcome.json", *only("popular"))

        assert result.exit_code == 0, result.output
        written = strict_json(tmp_path / "outcome.json")
        assert list(written["costs"]) == ["popular"]
        assert written["paired_ndcg"] == []

    def test_only_candidates_are_recommended(self, folder: Path, tmp_path: Path) -> None:
        """Lists contain the four candidates, without those a listener has seen; an unknown candidate is ignored."""
        four = ["a01", "a02", "b01", "b02"]
        pl.DataFrame({"item_id": [*four, "zz"]}).write_parquet(tmp_path / "four.parquet")
        lists = tmp_path / "lists.parquet"

        result = evaluate(folder, "--candidates", tmp_path / "four.parquet", "--rankings", lists, *only("popular"))

        assert result.exit_code == 0, result.output
        ranked = pl.read_parquet(lists)
        known = plays(0, 7).join(pl.DataFrame({"item_id": four}), on="item_id").unique(["user_id", "item_id"])
        assert {*ranked["item_id"]} == {*four}
        assert len(ranked) == 24 * 4 - len(known)
        assert ranked.join(known, on=["user_id", "item_id"]).is_empty()

    def test_lists_may_contain_known_tracks(self, folder: Path, tmp_path: Path) -> None:
        """With --exclude-seen none, every list of thirty contains the whole catalogue."""
        lists = tmp_path / "lists.parquet"

        result = evaluate(folder, "--exclude-seen", "none", "-k", 30, "--rankings", lists, *only("popular"))

        assert result.exit_code == 0, result.output
        assert pl.read_parquet(lists).group_by("user_id").len()["len"].to_list() == [30] * 24

    @pytest.mark.parametrize(
        ("content", "message"), [(None, "expected a Parquet file with a column item_id"), ("track", "item_id")]
    )
    def test_an_invalid_file_of_candidates_is_refused(
        self, folder: Path, tmp_path: Path, content: str | None, message: str
    ) -> None:
        """A missing file, or one without the column, gives exit status 2 and a message."""
        path = tmp_path / "some.parquet"
        if content:
            pl.DataFrame({content: ["a01"]}).write_parquet(path)

        result = evaluate(folder, "--candidates", path, *only("popular"))

        assert (result.exit_code, message in result.stderr) == (2, True)

    def test_candidates_of_another_catalogue_are_refused(self, folder: Path, tmp_path: Path) -> None:
        """Without a known candidate every list would be empty."""
        pl.DataFrame({"item_id": ["A01"]}).write_parquet(tmp_path / "some.parquet")

        result = evaluate(folder, "--candidates", tmp_path / "some.parquet", *only("popular"))

        assert (result.exit_code, "none of 1 item ids is in the catalogue" in result.stderr) == (2, True)

    def test_the_table_says_what_was_read(self, tmp_path: Path) -> None:
        """The order, what is left out and the carved validation are in the table and, before tuning, in a warning."""
        split = tmp_path / "split"
        split.mkdir()
        plays(0, 7).write_csv(split / "train.tsv", separator="\t")
        others = pl.DataFrame({"user_id": ["a0", "zoe", "zed"], "item_id": ["b00", "a00", "new"], "timestamp": [1] * 3})
        pl.concat([plays(7, 8), others]).write_csv(split / "test.tsv", separator="\t")

        result = evaluate(split, "--order", "none", "--json", tmp_path / "outcome.json", *only("popular"))

        assert result.exit_code == 0, result.output
        assert "order: it is not known which plays of a listener are later" in result.stdout
        repeated = len(plays(7, 8)) - len(plays(7, 8).join(plays(0, 7), on=["user_id", "item_id"], how="anti"))
        assert f"2 listeners without training data, {repeated} repeated pairs" in result.stdout
        assert "tracks without training data, not left out: 1" in result.stdout
        assert "warning: there is no validation file" in result.stdout
        assert "warning: there is no validation file" in result.stderr
        written = strict_json(tmp_path / "outcome.json")
        assert (written["order"], written["validation_is_carved"], written["n_repeats"]) == ("none", True, repeated)
        assert written["n_tracks_with_features"] == 0

    def test_a_misspelt_recommender_gets_a_hint(self, folder: Path) -> None:
        """A misspelt recommender is refused, and the nearest name is suggested."""
        result = evaluate(folder, *only("eese"))

        assert result.exit_code == 3
        assert "Did you mean 'ease'" in result.stderr

    def test_a_folder_without_a_split_is_refused(self, tmp_path: Path) -> None:
        """If a table is missing, the message names its file."""
        result = evaluate(tmp_path, *only("popular"))

        assert (result.exit_code, "expected train.parquet or train.tsv" in result.stderr) == (2, True)

    def test_times_and_features_are_read(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The interactions have ages in days and the features of the folder's file."""
        protocols: list[Protocol] = []
        artists = ["a0", "a1", "a2", "b0", "b1", "b2"]

        def spied(protocol: Protocol, *_args: object, **_kwargs: object) -> NoReturn:
            protocols.append(protocol)
            raise InputError("far enough")

        monkeypatch.setattr(comparison, "compare", spied)
        evaluate(folder, *only("popular"))

        interactions = protocols[0].test.train
        assert interactions.track_features.names.ids().to_list() == [f"artist={artist}" for artist in artists]
        assert interactions.track_features.matrix.nnz == 30
        first_to_last = 7 + 11 / 86400  # days
        np.testing.assert_allclose(interactions.age_days.max(), first_to_last, rtol=1e-6)


def test_all_recommenders_are_compared_by_default() -> None:
    """The blend comes first, then every other recommender once."""
    names = comparison.default_recommenders()

    assert names[0] == "blend"
    assert len({*names}) == len(names)
    assert {"ease", "als", "popular"} <= {*names}


def test_an_unknown_baseline_is_refused(outcome: Comparison) -> None:
    """The baseline must be one of the compared recommenders."""
    with pytest.raises(InputError, match="baseline: found 'als', expected one of blend, ease, popular"):
        outcome.compare_with("als")


def evaluate(folder: Path, *words: object) -> Result:
    """Run `recsys evaluate --split` with these options."""
    arguments = ["evaluate", "--split", str(folder), "--trials", "1", *map(str, words)]
    return CliRunner(env={"COLUMNS": "160"}).invoke(main, arguments)


def only(*names: str) -> list[str]:
    """Return the options that select recommenders."""
    return [word for name in names for word in ("--recommender", name)]


def strict_json(path: Path) -> Any:
    """Read a JSON file; NaN and infinity are errors, as in the standard."""
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)


def _no_constant(name: str) -> NoReturn:
    raise AssertionError(f"{name} is not valid JSON")
