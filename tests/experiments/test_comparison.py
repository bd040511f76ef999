"""All recommenders on one cut: fair terms, what is kept of them, and the command that does it on a split folder."""

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
from recsys.experiments.comparison import Comparison, Terms, compare
from recsys.experiments.protocols import Protocol, fixed
from recsys.experiments.tuning import Budget, Task, Tuned
from recsys.experiments.tuning import tune as search
from recsys.recommenders.base import Recommender
from recsys.recommenders.blend import Blend, BlendConfig

N_TASTE = 15  # tracks of each of two tastes
NAMES = ["blend", "ease", "popular"]
TERMS = Terms(Budget(trials=3))
BOTH = {"ease": "ease", "item_knn": "item_knn"}


@dataclass(frozen=True)
class Small(BlendConfig):
    """A blend of two, fit for a test."""

    models: dict[str, dict[str, Any]] = field(default_factory=lambda: {"ease": {}, "item_knn": {}})
    epochs: int = 3


def plays(first: int, last: int) -> pl.DataFrame:
    """Places first..last of 24 listeners of two tastes, who go through fifteen tracks in an order of their own."""
    rows = [
        {"user_id": f"{side}{user}", "item_id": f"{side}{(user * 4 + place * (1 + user % 2)) % N_TASTE:02}",
         "timestamp": 1_700_000_000 + 86400 * place + user}
        for side in "ab" for user in range(12) for place in range(first, last + 1)
    ]  # fmt: skip
    return pl.DataFrame(rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a split of TSV files: six places to learn from, two to choose by, two to report; artists of tracks."""
    path = tmp_path_factory.mktemp("split")
    for name, first, last in (("train", 0, 5), ("validation", 6, 7), ("test", 8, 9)):
        plays(first, last).write_csv(path / f"{name}.tsv", separator="\t")
    tracks = [f"{side}{n:02}" for side in "ab" for n in range(N_TASTE)]
    features = {"item_id": tracks, "feature": [f"artist={name[0]}{int(name[1:]) // 5}" for name in tracks]}
    pl.DataFrame(features).write_csv(path / "item_features.tsv", separator="\t")
    return path


@pytest.fixture(scope="module")
def found(folder: Path) -> Comparison:
    """Return blend, ease and popular compared."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Blend, "config_class", Small)
        return compare(fixed(folder), NAMES, TERMS)


def test_the_blend_takes_its_members_as_tuned(found: Comparison, folder: Path) -> None:
    """Each member enters with the settings that the same search finds for it alone, also one that nobody asked for."""
    protocol = fixed(folder)
    cut = protocol.validation

    alone = {name: search(Task(name, cut, protocol.filters(cut)), TERMS.budget).config for name in BOTH}

    assert found.costs["blend"]["settings"]["models"] == {name: asdict(config) for name, config in alone.items()}
    assert found.costs["ease"]["settings"] == asdict(alone["ease"])
    assert list(found.rankings) == NAMES


def test_costs_say_what_was_spent(found: Comparison) -> None:
    """Of each: work of tuning and fitting, trials, speed and settings; the blend's tuning is its members'."""
    each = {"tuning_cpu_seconds", "n_trials", "train_cpu_seconds", "listeners_per_second", "settings"}

    assert set(found.costs) == set(NAMES)
    assert set(found.costs["blend"]) == each
    assert set(found.costs["ease"]) == set(found.costs["popular"]) == each | {"validation_ndcg"}
    assert [found.costs[name]["n_trials"] for name in NAMES] == [0, 3, 1]
    assert found.costs["blend"]["tuning_cpu_seconds"] > found.costs["ease"]["tuning_cpu_seconds"]


def test_the_best_is_the_highest_mean(found: Comparison) -> None:
    """And every other recommender is held against it, with a p-value after Holm."""
    ndcg = found.metrics().filter(metric="ndcg").sort("value", descending=True)

    paired = found.against(found.best())

    assert found.best() == ndcg["recommender"][0]
    assert set(paired["recommender"]) == {*NAMES} - {found.best()}
    assert paired["p_holm"].is_not_null().all()
    assert (paired["p_holm"] >= paired["p_value"]).all()
    assert (paired["n_users"] == 24).all()


def test_searches_see_validation_and_fits_see_all_but_the_test(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tuning gets the validation cut; the model that is reported is fitted to train and validation."""
    protocol, cuts, fits = fixed(folder), [], []
    original = Recommender.fit

    def tuned(task: Task, budget: Budget, **given: Any) -> Tuned:
        cuts.append(task.cut)
        return search(task, budget, **given)

    def fitted(self: Recommender[Any], interactions: Interactions, **given: Any) -> Recommender[Any]:
        fits.append((interactions, given))
        return original(self, interactions, **given)

    monkeypatch.setattr(comparison, "tune", tuned)
    monkeypatch.setattr(Recommender, "fit", fitted)
    compare(protocol, ["ease"], Terms(Budget(trials=1)))

    assert cuts == [protocol.validation]
    assert [interactions for interactions, _ in fits] == [protocol.validation.train, protocol.test.train]
    assert fits[-1][1] == {"validation": protocol.validation}
    known = {(pair["user_id"], pair["item_id"]) for pair in plays(0, 7).to_dicts()}
    assert protocol.test.train.matrix.nnz == len(known)


def test_a_comparison_repeats(found: Comparison, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Same split, same terms: the same lists and metrics."""
    monkeypatch.setattr(Blend, "config_class", Small)

    again = compare(fixed(folder), NAMES, TERMS)

    assert all(again.rankings[name].equals(found.rankings[name]) for name in NAMES)
    assert again.metrics().equals(found.metrics())


def test_what_is_written_is_strict_json(found: Comparison, tmp_path: Path) -> None:
    """Any reader takes it: no NaN, no infinity; the protocol, metrics, groups, pairs and costs are in it."""
    found.write(json=tmp_path / "out" / "found.json", rankings=None)

    written = strict_json(tmp_path / "out" / "found.json")
    assert (written["protocol"], written["k"], written["n_listeners"]) == ("fixed", 10, 24)
    assert {"metrics", "groups", "paired_ndcg", "costs", "exclude_seen"} <= set(written)
    assert {row["baseline"] for row in written["paired_ndcg"]} == {found.best()}
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_ratios_without_a_baseline_are_strict_json_too(folder: Path, tmp_path: Path) -> None:
    """Where no list holds anything that was sought, ratios have no baseline and are null, not NaN."""
    protocol, terms = fixed(folder), Terms(Budget(trials=1), k=1)
    sought = {protocol.test.train.tracks.ids()[int(row)] for row in protocol.test.test.indices}
    track = min({*protocol.test.train.tracks.ids()} - sought)
    found = compare(protocol, ["ease", "popular"], terms, candidates=[track])

    found.write(json=tmp_path / "found.json", rankings=tmp_path / "lists.parquet")

    assert [row["ratio"] for row in strict_json(tmp_path / "found.json")["paired_ndcg"]] == [None]
    assert set(pl.read_parquet(tmp_path / "lists.parquet")["item_id"]) == {track}


class TestCommand:
    """`recsys evaluate --split`."""

    def test_prints_a_table_and_writes_everything(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A line a recommender on the screen; every metric with its interval in JSON; lists of twenty in Parquet."""
        monkeypatch.setattr(Blend, "config_class", Small)
        json_path, lists = tmp_path / "found.json", tmp_path / "lists.parquet"

        result = called(folder, "--json", json_path, "--rankings", lists, *only("blend", "ease"), "--trials", 2)

        assert result.exit_code == 0, result.output
        assert "Protocol fixed, full ranking of 30 tracks for 24 listeners" in result.stdout
        table = [line.split()[0] for line in result.stdout.splitlines() if line.split()]
        assert {"recommender", "blend", "ease"} <= {*table}
        assert "nDCG@10" in result.stdout
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
        """Nothing else is fitted, and there is nobody to be held against."""
        result = called(folder, "--json", tmp_path / "found.json", *only("popular"))

        assert result.exit_code == 0, result.output
        written = strict_json(tmp_path / "found.json")
        assert list(written["costs"]) == ["popular"]
        assert written["paired_ndcg"] == []

    def test_only_candidates_are_recommended(self, folder: Path, tmp_path: Path) -> None:
        """Of four candidates each listener gets those that they do not know yet; unknown ones do no harm."""
        four = ["a01", "a02", "b01", "b02"]
        pl.DataFrame({"item_id": [*four, "zz"]}).write_parquet(tmp_path / "four.parquet")
        lists = tmp_path / "lists.parquet"

        result = called(folder, "--candidates", tmp_path / "four.parquet", "--rankings", lists, *only("popular"))

        assert result.exit_code == 0, result.output
        ranked = pl.read_parquet(lists)
        known = plays(0, 7).join(pl.DataFrame({"item_id": four}), on="item_id").unique(["user_id", "item_id"])
        assert {*ranked["item_id"]} == {*four}
        assert len(ranked) == 24 * 4 - len(known)
        assert ranked.join(known, on=["user_id", "item_id"]).is_empty()

    def test_lists_may_name_again_what_was_seen(self, folder: Path, tmp_path: Path) -> None:
        """With --exclude-seen none, the whole catalogue stands in every list of thirty."""
        lists = tmp_path / "lists.parquet"

        result = called(folder, "--exclude-seen", "none", "-k", 30, "--rankings", lists, *only("popular"))

        assert result.exit_code == 0, result.output
        assert pl.read_parquet(lists).group_by("user_id").len()["len"].to_list() == [30] * 24

    @pytest.mark.parametrize(
        ("content", "message"), [(None, "is no Parquet file with a column item_id"), ("track", "item_id")]
    )
    def test_a_wrong_file_of_candidates_is_refused(
        self, folder: Path, tmp_path: Path, content: str | None, message: str
    ) -> None:
        """A missing file, or one without the column, exits 2 with a message and no traceback."""
        path = tmp_path / "some.parquet"
        if content:
            pl.DataFrame({content: ["a01"]}).write_parquet(path)

        result = called(folder, "--candidates", path, *only("popular"))

        assert (result.exit_code, message in result.stderr) == (2, True)

    def test_a_misspelt_recommender_gets_a_hint(self, folder: Path) -> None:
        """Before anything is fitted."""
        result = called(folder, *only("eese"))

        assert result.exit_code == 3
        assert "Did you mean 'ease'" in result.stderr

    def test_a_folder_without_a_split_is_refused(self, tmp_path: Path) -> None:
        """The message says which file is missing."""
        result = called(tmp_path, *only("popular"))

        assert (result.exit_code, "expected train.parquet or train.tsv" in result.stderr) == (2, True)

    def test_times_and_features_are_read(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is compared has ages in days and the features of the folder's file."""
        given: list[Protocol] = []
        artists = ["a0", "a1", "a2", "b0", "b1", "b2"]

        def spied(protocol: Protocol, *_asked: object, **_named: object) -> NoReturn:
            given.append(protocol)
            raise InputError("far enough")

        monkeypatch.setattr(comparison, "compare", spied)
        called(folder, *only("popular"))

        interactions = given[0].test.train
        assert interactions.track_features.names.ids().to_list() == [f"artist={artist}" for artist in artists]
        assert interactions.track_features.matrix.nnz == 30
        np.testing.assert_allclose(interactions.age_days.max(), 7 + 11 / 86400, rtol=1e-6)  # u0's first, u11's last


def test_everybody_is_compared_by_default() -> None:
    """The blend first, then every single model, each once."""
    names = comparison.default_names()

    assert names[0] == "blend"
    assert len({*names}) == len(names)
    assert {"ease", "als", "popular"} <= {*names}


def test_a_baseline_must_be_among_them(found: Comparison) -> None:
    """Nobody is held against a recommender that was not compared."""
    with pytest.raises(InputError, match="There is no 'als' to compare with; expected one of blend, ease, popular"):
        found.against("als")


def called(folder: Path, *words: object) -> Result:
    """Run the command."""
    asked = ["evaluate", "--split", str(folder), "--trials", "1", *map(str, words)]
    return CliRunner(env={"COLUMNS": "160"}).invoke(main, asked)


def only(*names: str) -> list[str]:
    """Return the options that pick recommenders."""
    return [word for name in names for word in ("--recommender", name)]


def strict_json(path: Path) -> Any:
    """Read JSON as the standard has it."""
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)


def _no_constant(name: str) -> NoReturn:
    raise AssertionError(f"{name} is no JSON")
