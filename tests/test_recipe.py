"""Recipes: defaults, and errors for unknown keys and invalid values."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from recsys.errors import BadRecipe
from recsys.evaluate.settings import EvaluationSettings
from recsys.feedback.exploration import POLICIES, ExplorationSettings
from recsys.recipe import BLEND, SECTIONS, ExportSettings, read_recipe
from recsys.recommenders.scorer import scorer_class, scorer_names
from recsys.releases.settings import GateSettings
from recsys.rerank.base import rule_class, rule_names
from recsys.settings import read_section


def written(folder: Path, text: str) -> Path:
    """Write a recipe file."""
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def test_the_default_recipe_file_agrees_with_the_code() -> None:
    """The shipped file and the dataclasses have the same defaults."""
    recipe = read_recipe()

    assert (recipe.evaluation, recipe.export, recipe.gate) == (EvaluationSettings(), ExportSettings(), GateSettings())


def test_a_recipe_changes_only_its_keys(tmp_path: Path) -> None:
    """Missing keys keep their defaults, in every section."""
    recipe = read_recipe(written(tmp_path, "[evaluation]\ntest_days = 28\n[recommenders.als]\nfactors = 8\n"))

    assert recipe.evaluation == EvaluationSettings(test_days=28)
    assert recipe.configs["als"].factors == 8
    assert recipe.configs["als"].epochs == read_recipe().configs["als"].epochs


def test_a_section_alone_is_that_of_the_whole_recipe(tmp_path: Path) -> None:
    """With and without a file, and with the same errors; errors in other sections do not matter."""
    changed = written(tmp_path, "[evaluation]\ntest_days = 28\n")
    for path in (None, changed):
        whole = read_recipe(path)
        assert {name: read_section(name, kind, path) for name, kind in SECTIONS.items()} == {
            name: getattr(whole, name) for name in SECTIONS
        }

    broken = written(tmp_path, "[evaluation]\ntest_day = 28\n")
    assert read_section("gate", GateSettings, broken) == GateSettings()
    with pytest.raises(BadRecipe, match="Did you mean 'test_days'"):
        read_section("evaluation", EvaluationSettings, broken)


def test_a_section_is_read_without_the_recommenders() -> None:
    """They import torch and scipy, which take longer than a page may."""
    code = (
        "import sys; from recsys.settings import read_section; "
        "from recsys.reports.morning.settings import MorningSettings; "
        "read_section('morning', MorningSettings); print({'torch', 'scipy', 'pandas'} & {*sys.modules})"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "set()"


def test_the_baseline_is_always_trained(tmp_path: Path) -> None:
    """The popularity baseline is always evaluated, also if it is not requested."""
    recipe = read_recipe(written(tmp_path, 'recommender = "als"\ncompare = []\n'))

    assert recipe.names == ["als", "popular"]


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("[evaluaton]\nk = 5\n", "evaluation"),
        ("[evaluation]\ntest_day = 5\n", "test_days"),
        ("[recommenders.als]\nfactor = 5\n", "factors"),
        ('recommender = "asl"\n', "als"),
    ],
)
def test_a_misspelt_key_is_refused_with_the_nearest_right_one(tmp_path: Path, text: str, suggestion: str) -> None:
    """The message suggests the most similar key."""
    with pytest.raises(BadRecipe, match=f"Did you mean '{suggestion}'"):
        read_recipe(written(tmp_path, text))


def test_a_broken_file_and_a_missing_one_say_so(tmp_path: Path) -> None:
    """Neither is replaced silently by the defaults."""
    with pytest.raises(BadRecipe, match="is not TOML"):
        read_recipe(written(tmp_path, "k = = 1"))
    with pytest.raises(BadRecipe, match="does not exist"):
        read_recipe(tmp_path / "nowhere.toml")


WRONG = {  # section -> lines that each are refused there -> what the message says
    "evaluation": {
        "k = 0": "k: found 0, expected a whole number from 1",
        "k = -1": "k: found -1, expected a whole number from 1",
        "k = 2.5": "k: found 2.5, expected a whole number",
        "k = true": "k: found True, expected a whole number",
        'k = "many"': "k: found 'many', expected a whole number",
        "k = [10]": r"k: found \[10\], expected a whole number",
        "k = {n = 10}": "k: found {'n': 10}, expected a whole number",
        "k = 1979-05-27": r"k: found datetime.date\(1979, 5, 27\), expected a whole number",
        "k = 1000000000000000000000000": "k: found 1000000000000000000000000, expected a whole number from 1 up to",
        "test_days = 0": "test_days: found 0, expected a whole number from 1",
        "gap_days = -5": "gap_days: found -5, expected a whole number from 0",
        "seed = -1": "seed: found -1, expected a whole number from 0",
        "test_day = 5": "there is no setting 'test_day'; known: .* Did you mean 'test_days'",
        '"ké" = 5': "there is no setting 'ké'; known: test_days",
    },
    "export": {
        "k = 600": "candidates: found 500, expected at least k = 600",
        "candidates = 0": "candidates: found 0, expected a whole number from 1",
        "new_only = 1": "new_only: found 1, expected true or false",
        'new_only = "yes"': "new_only: found 'yes', expected true or false",
    },
    "gate": {
        "max_drop = 1.7": "max_drop: found 1.7, expected a number from 0 up to 1",
        "max_drop = -0.1": "max_drop: found -0.1, expected a number from 0 up to 1",
        "min_last_day = nan": "min_last_day: found nan, expected a number from 0 up to 1",
        "min_last_day = true": "min_last_day: found True, expected a number",
    },
    "exploration": {
        "share = 0.7": "share: found 0.7, expected a number from 0 up to 0.5",
        "pool = 1": "pool: found 1, expected a whole number from 2",
        "days = 0": "days: found 0, expected a whole number from 1",
        'policy = "tompson"': "policy: found 'tompson', expected \"thompson\" or \"linucb\". Did you mean 'thompson'",
        "policy = 1": 'policy: found 1, expected "thompson" or "linucb"',
    },
    "communities": {"listeners = 0": "listeners: found 0, expected a whole number from 1"},
    "matching": {"limit_s = 0": "limit_s: found 0", "recordings = -1": "recordings: found -1"},
    "audio": {
        "workers = 0": "workers: found 0, expected a whole number from 1",
        "limit_gb = 0": "limit_gb: found 0, expected a whole number from 1",
        "encoder = 3": "encoder: found 3, expected a text",
    },
    "morning": {
        "drop_z = 1.0": "drop_z: found 1.0, expected a number from -1,000,000,000 to below 0",
        "use_probability = 1.2": "use_probability: found 1.2, expected a number from 0 up to 1",
        "days = 0": "days: found 0, expected a whole number from 1",
    },
    "recommenders": {"als = 3": r"als\]: found 3, expected a section of settings", "asl = {}": "Did you mean 'als'"},
    "recommenders.als": {
        "factors = -3": "factors: found -3, expected a whole number from 1",
        "factors = 64.0": "factors: found 64.0, expected a whole number",
        "factor = 5": "there is no setting 'factor'; known: .* Did you mean 'factors'",
        "epochs = 0": "epochs: found 0, expected a whole number from 1",
        "regularization = true": "regularization: found True, expected a number above 0",
        "regularization = 0": "regularization: found 0, expected a number above 0",
        "regularization = inf": "regularization: found inf, expected a number above 0 and up to",
        "recency = -1": "recency: found -1, expected a number from 0",
    },
    "recommenders.ease": {"dropout = 1": "dropout: found 1, expected a number from 0 to below 1"},
    "recommenders.sequential": {"factors = 63": "factors: found 63, .* in steps of 2"},
    "recommenders.blend": {
        "models = 3": "models: found 3, expected names, each with a section",
        "models = {}": "models: found none, expected at least one",
        "models = {blend = {}}": "models: found blend, expected at least one, and not blend itself",
        "models = {als = {factors = -1}}": r"models.als\] factors: found -1",
        "models = {nope = {}}": r"models\]: there is no setting 'nope'",
    },
    "rerank": {"diversety = {}": "Did you mean 'diversity'", "diversity = 1": "found 1, expected a section"},
    "rerank.artist_cap": {"tracks = 0": "tracks: found 0", "apart = -1": "apart: found -1"},
    "rerank.not_heard": {"days = 0": "days: found 0"},
    "rerank.diversity": {"weight = -1": "weight: found -1, expected a number from 0"},
    "rerank.calibration": {"weight = -1": "weight: found -1"},
    "rerank.popularity": {"weight = -1": "weight: found -1"},
    "rerank.debias": {"exponent = 1.5": "exponent: found 1.5, expected a number from 0 up to 1"},
    "rerank.fair_top_k": {
        "share = 1.5": "share: found 1.5, expected a number above 0 and below 1",
        "alpha = 0": "alpha: found 0",
    },
    "rerank.exposure": {
        'targets = {"gender=f" = 2}': "targets: found {'gender=f': 2}, expected names, each with a number",
        'targets = {"gender=f" = "half"}': "targets: found {'gender=f': 'half'}, expected names",
    },
}
WRONG_FILES = {
    "gate = 3": r"\[gate\]: found 3, expected a section of settings",
    "rerank = 3": r"\[rerank\]: found 3, expected a section of settings",
    "recommenders = 3": r"\[recommenders\]: found 3, expected a section of settings",
    "recommender = 5": "recommender: found 5, expected a text",
    'compare = "als"': "compare: found 'als', expected a list, each entry a text",
    "compare = [1]": r"compare: found \[1\], expected a list, each entry a text",
    "[evaluaton]\nk = 5": "there is no setting 'evaluaton'; known: .* Did you mean 'evaluation'",
    "k = = 1": "is not TOML",
    "k = " + "[" * 5_000: "is not TOML",
}
RECIPES = [
    *(
        (f"[{section}]\n{line}\n", rf"\[{section}.*{message}")
        for section, lines in WRONG.items()
        for line, message in lines.items()
    ),
    *WRONG_FILES.items(),
]


@pytest.mark.parametrize(("text", "message"), RECIPES)
def test_a_wrong_recipe_is_refused_before_any_work(tmp_path: Path, text: str, message: str) -> None:
    """The message names the section and field, what was found and what is allowed."""
    with pytest.raises(BadRecipe, match=message):
        read_recipe(written(tmp_path, text))


SETTINGS = SECTIONS | {f"rerank.{name}": rule_class(name) for name in rule_names()}
SETTINGS |= {f"recommenders.{name}": scorer_class(name).config_class for name in scorer_names() if name != BLEND}
DIRECT = [
    (SETTINGS[section], line)
    for section, lines in WRONG.items()
    for line, message in lines.items()
    if section in SETTINGS and "there is no setting" not in message
]


@pytest.mark.parametrize(("settings", "line"), DIRECT)
def test_settings_created_in_code_are_checked_as_well(settings: type[Any], line: str) -> None:
    """A program that creates settings gets the same error as a recipe: no invalid value reaches a model or rule."""
    with pytest.raises(BadRecipe, match=": found"):
        settings(**tomllib.loads(line))


@pytest.mark.parametrize(
    ("challenger", "expected"),
    [
        ("blend", "expected another recommender of the recipe than 'blend': .*popular"),
        ("populr", "There is no recommender 'populr'.* Did you mean 'popular'"),
    ],
)
def test_a_challenger_is_another_recommender(tmp_path: Path, challenger: str, expected: str) -> None:
    """The exported recommender cannot challenge itself, a misspelt name has a suggestion, and none needs a section."""
    with pytest.raises(BadRecipe, match=expected):
        read_recipe(written(tmp_path, f'recommender = "blend"\n[interleaving]\nchallenger = "{challenger}"\n'))

    accepted = read_recipe(written(tmp_path, '[interleaving]\nchallenger = "bpr"\n'))
    assert accepted.interleaving.challenger == "bpr"
    assert "bpr" in accepted.configs


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """Neither a file in another encoding nor a folder is read."""
    (tmp_path / "recipe.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(BadRecipe, match="is not TOML in UTF-8"):
        read_recipe(tmp_path / "recipe.toml")
    with pytest.raises(BadRecipe, match="cannot be read"):
        read_recipe(tmp_path)


def test_an_empty_recipe_is_the_default_one(tmp_path: Path) -> None:
    """Every key keeps its default."""
    assert read_recipe(written(tmp_path, "")) == read_recipe()


def test_the_policies_of_exploration_are_those_that_exist() -> None:
    """The names that the setting allows are those of the bandits."""
    assert set(get_args(get_type_hints(ExplorationSettings)["policy"])) == set(POLICIES)
