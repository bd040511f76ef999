"""The step that finds uses of catalogue recordings in new uploads and in new catalogue recordings."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from recsys.library.files import Recording
from recsys.matching.history import MATCH_CANDIDATES_COLUMNS, MATCH_CHECKS_COLUMNS, MatchHistory
from recsys.pipeline.results import Artefact, Outcome, Result, step
from recsys.recipe import Recipe

if TYPE_CHECKING:
    from recsys.matching.fingerprint_index import FingerprintIndex


def _save(folder: Path, index: "FingerprintIndex") -> None:
    index.save(folder)


FINGERPRINTS = Artefact(
    "fingerprints", write=_save, lifetime="run"
)  # the fingerprint index, which is copied into the release
UPLOAD_PRINTS = Artefact("upload_prints", write=_save, location=lambda run: run.home.upload_prints, lifetime="always")
MATCH_CANDIDATES = Result("match_candidates", MATCH_CANDIDATES_COLUMNS)
MATCH_CHECKS = Result("match_checks", MATCH_CHECKS_COLUMNS)


@step(FINGERPRINTS, UPLOAD_PRINTS, MATCH_CANDIDATES, MATCH_CHECKS)
def match(
    *,
    fingerprint_index: "FingerprintIndex | None",
    last_match_candidates: pl.DataFrame,
    last_match_checks: pl.DataFrame,
    uploads: list[Recording],
    last_upload_prints: "FingerprintIndex | None",
    own_calibration: Path,
    recipe: Recipe,
    served_on: date,
) -> Outcome:
    """Search new uploads and recordings, and earlier uploads for new recordings; append the results to the history."""
    last = MatchHistory(last_match_candidates, last_match_checks, last_upload_prints)
    if fingerprint_index is None:
        found, made = last, {}
    else:
        from recsys.matching.cue_sheets import calibration_of  # noqa: PLC0415 - a run without music needs no network
        from recsys.matching.nightly import extend_history  # noqa: PLC0415

        found = extend_history(
            *(fingerprint_index, uploads, last, recipe.audio, recipe.matching),
            calibration=calibration_of(own_calibration),
            found_on=served_on,
        )
        made = {FINGERPRINTS.name: fingerprint_index, UPLOAD_PRINTS.name: found.fingerprints}
    new = found.checks[last.checks.height :]
    counts = {
        "n_uploads": new.filter(source_kind="upload").height,
        "n_recordings": new.filter(source_kind="catalogue").height,
        "n_found": found.candidates.height - last.candidates.height,
    }
    return Outcome(made | {MATCH_CANDIDATES.name: found.candidates, MATCH_CHECKS.name: found.checks}, counts)
