"""The step that cleans the catalogue: duplicates are linked; wrong artists and contradicted metadata are found."""

import polars as pl

from recsys.cleaning.doubts import WRONG_GENRE, WRONG_LANGUAGE, WRONG_TEMPO, doubted
from recsys.cleaning.duplicates import DUPLICATE_LINKS_COLUMNS, PROPOSED
from recsys.cleaning.findings import REVIEW_FINDINGS_COLUMNS, WRONG_ARTIST, find_all
from recsys.pipeline.results import Outcome, Result, step

REVIEW_FINDINGS = Result("review_findings", REVIEW_FINDINGS_COLUMNS)
DUPLICATE_LINKS = Result("duplicate_links", DUPLICATE_LINKS_COLUMNS)


@step(REVIEW_FINDINGS, DUPLICATE_LINKS)
def clean(
    *,
    tracks_to_clean: pl.DataFrame,
    match_candidates: pl.DataFrame,
    review_decisions: pl.DataFrame,
    label_doubts: pl.DataFrame,
    tempos_to_compare: pl.DataFrame,
    voices_to_compare: pl.DataFrame,
) -> Outcome:
    """Link duplicates and list what a person should review, by metadata, sound and earlier decisions."""
    doubts = doubted(tracks_to_clean, label_doubts, tempos_to_compare, voices_to_compare)
    findings, links = find_all(tracks_to_clean, match_candidates, review_decisions, doubts)
    counts = {
        "n_links": links.height,
        "n_wrong_artists": findings.filter(kind=WRONG_ARTIST).height,
        "n_wrong_genres": findings.filter(kind=WRONG_GENRE).height,
        "n_wrong_tempos": findings.filter(kind=WRONG_TEMPO).height,
        "n_wrong_languages": findings.filter(kind=WRONG_LANGUAGE).height,
        "n_to_review": findings.filter(status=PROPOSED).height,
    }
    return Outcome({REVIEW_FINDINGS.name: findings, DUPLICATE_LINKS.name: links}, counts)
