"""
Run the peers of each library in its own process and environment, and cache their results.

Results are in .bench/results/<split>/<library>/<key>/<model>. The key is a hash of the split's bytes, the budget, the
pins and the scripts' code without comments and docstrings, so that nothing is trained twice and no result is stale.
Each library's progress is in log.txt beside its results.
"""

import ast
import hashlib
import json
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from bench.peers.environments import HERE, ROOT, python_of
from bench.peers.tuning import Budget

LIBRARIES = ("implicit", "lightfm", "rectools", "lenskit")
COLD_LIBRARIES = ("lightfm",)  # the only library whose models can rank items that nobody has played


@dataclass(frozen=True, eq=False)
class SideResults:
    """
    The rankings and costs of one side's models: ours, or the peers'.

    Attributes:
        rankings: model, user_id, item_id, rank.
        costs: Costs by model, as `bench.peers.tuning.final` returns them.
        library: Library by model.
    """

    rankings: pl.DataFrame
    costs: dict[str, Any]
    library: dict[str, str]


def run_peers(
    folder: Path, results: Path, budget: Budget, libraries: Iterable[str], models: str, *, only_candidates: bool
) -> SideResults:
    """
    Tune and fit the libraries' models on a split and return their results, from the cache where possible.

    Args:
        folder: The split.
        results: The cache folder.
        budget: Tuning budget of each model.
        libraries: Names from LIBRARIES.
        models: Names of models, comma-separated; '' for all.
        only_candidates: Recommend only the split's candidates.
    """
    is_cold = (folder / "candidates.parquet").exists()
    libraries = [library for library in libraries if library in COLD_LIBRARIES or not is_cold]
    folders: dict[str, list[Path]] = {}
    for library in libraries:
        out = results / library / _key(folder, library, budget)
        options = ["--models", models, *(["--only-candidates"] if only_candidates else [])]
        _run(library, [str(folder), str(out), *budget.options(), *options], out / "log.txt")
        folders[library] = sorted(path.parent for path in out.glob("*/costs.json"))
    return read(folders, models)


def read(folders: dict[str, list[Path]], models: str) -> SideResults:
    """Read the results of the requested models from the result folders of each library."""
    costs: dict[str, Any] = {}
    library_of: dict[str, str] = {}
    rankings = [pl.DataFrame(schema={"model": pl.String, "user_id": pl.String, "item_id": pl.String, "rank": pl.Int64})]
    requested = set(filter(None, models.split(",")))
    for library, paths in folders.items():
        for path in paths:
            model_costs = json.loads((path / "costs.json").read_text())
            if not requested or requested & model_costs.keys():
                costs |= model_costs
                library_of |= dict.fromkeys(model_costs, library)
                rankings.append(pl.read_parquet(path / "rankings.parquet"))
    return SideResults(pl.concat(rankings), costs, library_of)


def _run(library: str, arguments: list[str], log_path: Path) -> None:
    """Run a library's script, which skips models that already have results."""
    log_path.parent.mkdir(parents=True, exist_ok=True)
    command = [str(python_of(library)), "-m", f"bench.peers.{library}_models", *arguments]
    print(f"{library}: {log_path}", flush=True)
    # One BLAS thread: ALS uses threads of its own, and more would double its CPU time.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    with log_path.open("a") as log:
        subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=log, stderr=log)


def _key(folder: Path, library: str, budget: Budget) -> str:
    pins = HERE / f"{library}.txt"
    sources = [HERE / "common.py", HERE / "tuning.py", HERE / f"{library}_models.py"]
    digest = hashlib.sha256(repr(budget).encode())
    for path in sorted(folder.glob("*.parquet")):
        digest.update(path.name.encode() + path.read_bytes())
    for path in sources:
        digest.update(_code_only(path.read_text()).encode())
    digest.update(pins.read_bytes() if pins.exists() else b"")
    return digest.hexdigest()[:16]


def _code_only(source: str) -> str:
    """Return a script's syntax tree without docstrings, comments and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)
