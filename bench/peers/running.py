"""
Runs the peers of each library in its own process and environment, and keeps what they found.

Results stand under .bench/results/<split>/<library>/<key>/<model>; the key is of the split's bytes, the budget, the
pins and what the scripts do (not of what they say in comments), so that nothing is trained twice and nothing is stale.
Each library's progress is in log.txt there.
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
COLD_LIBRARIES = ("lightfm",)  # of what nobody has played, no other peer knows anything


@dataclass(frozen=True, eq=False)
class SideResults:
    """
    What the models of one side found.

    Attributes:
        rankings: model, user_id, item_id, rank.
        costs: By model: see `bench.peers.tuning.final`.
        library: By model.
    """

    rankings: pl.DataFrame
    costs: dict[str, Any]
    library: dict[str, str]


def run_peers(
    folder: Path, results: Path, budget: Budget, libraries: Iterable[str], models: str, *, only_candidates: bool
) -> SideResults:
    """
    Tune, fit and ask the libraries' models on a split folder.

    Args:
        folder: The split.
        results: Where they are kept, and taken from where they are there already.
        budget: Of each model.
        libraries: Of LIBRARIES.
        models: Names, separated by commas; '' for all.
        only_candidates: Recommend the candidates of the split alone.
    """
    is_cold = (folder / "candidates.parquet").exists()
    libraries = [each for each in libraries if each in COLD_LIBRARIES or not is_cold]
    there: dict[str, list[Path]] = {}
    for library in libraries:
        out = results / library / _key(folder, library, budget)
        options = ["--models", models, *(["--only-candidates"] if only_candidates else [])]
        _run(library, [str(folder), str(out), *budget.options(), *options], out / "log.txt")
        there[library] = sorted(path.parent for path in out.glob("*/costs.json"))
    return read(there, models)


def read(there: dict[str, list[Path]], models: str) -> SideResults:
    """Read the results of each library's models."""
    costs: dict[str, Any] = {}
    library_of: dict[str, str] = {}
    rankings = [pl.DataFrame(schema={"model": pl.String, "user_id": pl.String, "item_id": pl.String, "rank": pl.Int64})]
    wanted = set(filter(None, models.split(",")))
    for library, places in there.items():
        for place in places:
            found = json.loads((place / "costs.json").read_text())
            if not wanted or wanted & found.keys():
                costs |= found
                library_of |= dict.fromkeys(found, library)
                rankings.append(pl.read_parquet(place / "rankings.parquet"))
    return SideResults(pl.concat(rankings), costs, library_of)


def _run(library: str, arguments: list[str], log_path: Path) -> None:
    """Start a library's script; it skips the models that are there."""
    log_path.parent.mkdir(parents=True, exist_ok=True)
    command = [str(python_of(library)), "-m", f"bench.peers.{library}_models", *arguments]
    print(f"{library}: {log_path}", flush=True)
    # One BLAS thread: ALS brings its own threads, and more would double its CPU time.
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
        digest.update(_meaning(path.read_text()).encode())
    digest.update(pins.read_bytes() if pins.exists() else b"")
    return digest.hexdigest()[:16]


def _meaning(source: str) -> str:
    """Return what a script does: its tree without docstrings, comments and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)
