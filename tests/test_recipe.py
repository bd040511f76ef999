"""Recipes: defaults filled in, misspelt keys refused with the right one."""

from pathlib import Path

import pytest

from recsys.errors import BadRecipe
from recsys.evaluate.settings import EvaluationSettings
from recsys.recipe import ExportSettings, read_recipe
from recsys.releases.settings import GateSettings


def written(folder: Path, text: str) -> Path:
    """A recipe file."""
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def test_the_default_recipe_file_says_what_the_code_defaults_to() -> None:
    """The shipped file and the dataclasses agree, so that neither can mislead."""
    recipe = read_recipe()

    assert (recipe.evaluation, recipe.export, recipe.gate) == (EvaluationSettings(), ExportSettings(), GateSettings())


def test_a_recipe_changes_what_it_names_and_keeps_the_rest(tmp_path: Path) -> None:
    """A key left out keeps its default, in every section."""
    recipe = read_recipe(written(tmp_path, "[evaluation]\ntest_days = 28\n[recommenders.als]\nfactors = 8\n"))

    assert recipe.evaluation == EvaluationSettings(test_days=28)
    assert recipe.configs["als"].factors == 8
    assert recipe.configs["als"].epochs == read_recipe().configs["als"].epochs


def test_the_floor_is_always_trained(tmp_path: Path) -> None:
    """Popularity is judged beside every model, asked for or not."""
    recipe = read_recipe(written(tmp_path, 'recommender = "als"\ncompare = []\n'))

    assert recipe.names == ["als", "popular"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[evaluaton]\nk = 5\n", "evaluation"),
        ("[evaluation]\ntest_day = 5\n", "test_days"),
        ("[recommenders.als]\nfactor = 5\n", "factors"),
        ('recommender = "asl"\n', "als"),
    ],
)
def test_a_misspelt_key_is_refused_with_the_nearest_right_one(tmp_path: Path, text: str, hint: str) -> None:
    """The message offers what was probably meant."""
    with pytest.raises(BadRecipe, match=f"Did you mean '{hint}'"):
        read_recipe(written(tmp_path, text))


def test_a_value_of_the_wrong_type_is_refused(tmp_path: Path) -> None:
    """A text where a number belongs is named with its place."""
    with pytest.raises(BadRecipe, match=r"\[export\]: k is 'many'; expected int"):
        read_recipe(written(tmp_path, '[export]\nk = "many"\n'))


def test_a_broken_file_and_a_missing_one_say_so(tmp_path: Path) -> None:
    """Neither is silently replaced by the defaults."""
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
    """A negative gap would train on test days; the others fail late or nowhere."""
    with pytest.raises(BadRecipe, match=message):
        read_recipe(written(tmp_path, text))
