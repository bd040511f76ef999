"""Matching: recordings of the catalogue that new uploads use, and that the catalogue's own new recordings use."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from recsys import columns
from recsys.lake.store import Lake
from recsys.library.files import Recording
from recsys.matching.history import MatchHistory
from recsys.pipeline import indexes
from recsys.pipeline.results import Artefact, Outcome, Result, step
from recsys.recipe import Recipe
from recsys.releases.release import Release

if TYPE_CHECKING:
    from recsys.matching.fingerprint_index import FingerprintIndex


def _save(folder: Path, index: "FingerprintIndex") -> None:
    index.save(folder)


FINGERPRINTS = Artefact("fingerprints", write=_save)  # the index of fingerprints, not yet published
MATCH_CANDIDATES = Result("match_candidates", columns.MATCH_CANDIDATES)
MATCH_CHECKS = Result("match_checks", columns.MATCH_CHECKS)


@step(FINGERPRINTS, MATCH_CANDIDATES, MATCH_CHECKS)
def match(
    *,
    build_file: Path,
    lake: Lake,
    last_release: Release | None,
    last_match_candidates: pl.DataFrame,
    last_match_checks: pl.DataFrame,
    uploads: list[Recording],
    recipe: Recipe,
    served_on: date,
    note: Callable[..., None],
) -> Outcome:
    """Look through what earlier runs have not looked through; their findings stay."""
    last = MatchHistory(last_match_candidates, last_match_checks)
    index = indexes.fingerprint_index_of(build_file, lake, last_release, note)
    if index is None:
        found, made = last, {}
    else:
        from recsys.matching.nightly import extend_history  # noqa: PLC0415 - a run without music needs no network

        found = extend_history(index, uploads, last, recipe.audio, recipe.matching, found_on=served_on)
        made = {FINGERPRINTS.name: index}
    new = found.checks[last.checks.height :]
    counts = {
        "n_uploads": new.filter(source_kind="upload").height,
        "n_recordings": new.filter(source_kind="catalogue").height,
        "n_found": found.candidates.height - last.candidates.height,
    }
    return Outcome(made | {MATCH_CANDIDATES.name: found.candidates, MATCH_CHECKS.name: found.checks}, counts)
