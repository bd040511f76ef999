"""The notebooks of the documentation run from top to bottom on a small home, and every cell shows something."""

import ast
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from recsys.home import Home
from recsys.pipeline.run import Run
from recsys.synth.render import write_audio

from ..nights import RATE_HZ, World, song

NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs" / "notebooks").glob("*.ipynb"))


def cells(notebook: Path) -> list[dict[str, Any]]:
    """Return the cells of a notebook with code."""
    every = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in every if cell["cell_type"] == "code"]


def shown(notebook: Path) -> Iterator[str]:
    """Run the cells one after the other in one namespace, and yield the HTML of what each ends with."""
    names: dict[str, Any] = {}
    for cell in cells(notebook):
        *before, last = ast.parse("".join(cell["source"])).body
        assert isinstance(last, ast.Expr), f"{notebook.name}: a cell ends with no value to show"
        exec(compile(ast.Module(before, []), notebook.name, "exec"), names)  # noqa: S102 - our own notebook
        value = eval(compile(ast.Expression(last.value), notebook.name, "eval"), names)  # noqa: S307
        yield value._repr_html_() if hasattr(value, "_repr_html_") else repr(value)


@pytest.fixture
def demo_folder(
    finished: Run, world: World, copy_of: Callable[[Home], Home], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work in a folder whose data/demo has the home of a nightly run with its recipe, and two recordings."""
    home = copy_of(finished.home)
    shutil.copy(world.recipe, home.path / "recipe.toml")
    music = tmp_path / "data" / "demo" / "raw" / "audio"
    music.mkdir(parents=True)
    for seed in (1, 2):
        write_audio(music / f"song{seed}.flac", song(seed), RATE_HZ)
    (tmp_path / "data" / "demo" / "home").symlink_to(home.path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(notebook: Path, demo_folder: None) -> None:
    """Every cell runs, and shows a table, a picture or a value; the uploaded song is found in the folder of music."""
    outputs = list(shown(notebook))

    assert len(outputs) == len(cells(notebook))
    assert all(outputs)
    if notebook.stem == "find_music":
        assert "song1.flac" in outputs[-1]
        assert "none" in outputs[-1]  # the transformation of the same recording
    if notebook.stem == "train_and_evaluate":
        assert outputs[1].count("<svg") == 2  # als and popular


def test_notebooks_are_committed_without_outputs() -> None:
    """So that no listening data enters the repository, and nothing becomes outdated."""
    found = [(cell["outputs"], cell["execution_count"]) for path in NOTEBOOKS for cell in cells(path)]

    assert len(NOTEBOOKS) == 3
    assert all(kept == ([], None) for kept in found)
