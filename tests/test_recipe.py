"""Recipes: defaults, and errors for unknown keys and invalid values."""

from pathlib import Path

import pytest

from recsys.errors import BadRecipe
from recsys.evaluate.settings import EvaluationSettings
from recsys.recipe import ExportSettings, read_recipe
from recsys.releases.settings import GateSettings


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


def test_a_value_of_the_wrong_type_is_refused(tmp_path: Path) -> None:
    """The message names section, key, value and expected type."""
    with pytest.raises(BadRecipe, match=r"\[export\]: k is 'many'; expected int"):
        read_recipe(written(tmp_path, '[export]\nk = "many"\n'))


def test_a_broken_file_and_a_missing_one_say_so(tmp_path: Path) -> None:
    """Neither is replaced silently by the defaults."""
    with pytest.raises(BadRecipe, match="is not TOML"):
        read_recipe(written(tmp_path, "k = = 1"))
    with pytest.raises(BadRecipe, match="does not exist"):
        read_recipe(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[evaluation]\ngap_days = -5\n", "gap_days is -5; expected at least 0"),
        ("[evaluation]\ntest_days = 0\n", "test_days is 0; expected at least 1"),
        ("[export]\nk = 0\n", "k is 0; expected at least 1"),
        ("[gate]\nmax_drop = 1.5\n", "max_drop: found 1.5, expected a number from 0 to 1"),
        ("gate = 3\n", "expected dict"),
        ("recommender = 5\n", "recommender is 5; expected str"),
    ],
)
def test_values_out_of_range_are_refused_before_any_work(tmp_path: Path, text: str, message: str) -> None:
    """A negative gap would train on test days; the others would fail late or not at all."""
    with pytest.raises(BadRecipe, match=message):
        read_recipe(written(tmp_path, text))
