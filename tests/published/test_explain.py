"""Explanations of a track's rank in a list, or of its absence."""

from pathlib import Path

import polars as pl
import pytest

from recsys import files
from recsys.errors import SetupError
from recsys.home import Home
from recsys.pipeline.export import MANIFEST
from recsys.published.explain import CANDIDATES, Explanation, _candidate_rank
from recsys.releases import registry
from recsys.releases.release import Release


def explanation(
    rank: int | None, candidate_rank: int | None, *, is_explored: bool = False, challenger: str | None = None
) -> Explanation:
    """Return the explanation of a track for a listener whose list has twenty tracks."""
    return Explanation("Song by Ada", rank, None, is_explored, challenger, 20, candidate_rank, pl.DataFrame())


@pytest.mark.parametrize(
    ("rank", "candidate_rank", "expected"),
    [
        (3, 3, "The model ranked it 3 among this listener's candidates, the same as in the list."),
        (3, 12, "The model ranked it 12 among this listener's candidates; rerank rules moved it up."),
        (12, 3, "The model ranked it 3 among this listener's candidates; rerank rules or exploration moved it down."),
        (None, 57, "The model ranked it 57 among this listener's candidates; the list has 20 tracks."),
        (None, 4, "The model ranked it 4 among this listener's candidates; rerank rules or exploration left it out "),
        (None, None, "It is not among the candidates that the run kept for this listener."),
        (3, None, "It is not among the candidates that the run kept for this listener."),
    ],
)
def test_the_explanation_compares_the_rank_with_the_models_rank(
    rank: int | None, candidate_rank: int | None, expected: str
) -> None:
    """The text gives the model's rank, and says whether rerank rules or exploration moved the track."""
    assert explanation(rank, candidate_rank).rank_explanation.startswith(expected)


@pytest.mark.parametrize("candidate_rank", [57, None])
def test_a_track_of_a_challenger_says_so(candidate_rank: int | None) -> None:
    """The rank by the published model says nothing about it."""
    assert explanation(4, candidate_rank, challenger="als").rank_explanation == (
        "The recommender als chose it, which takes turns with the published one in this list."
    )


@pytest.mark.parametrize("candidate_rank", [57, None])
def test_a_track_that_exploration_drew_says_so(candidate_rank: int | None) -> None:
    """The text names exploration, and the model's rank if the run stored it."""
    rank_explanation = explanation(20, candidate_rank, is_explored=True).rank_explanation

    assert rank_explanation.startswith("Exploration drew it, to learn whether the listener likes it. ")
    assert ("The model ranked it 57" in rank_explanation) == (candidate_rank is not None)
    assert "rerank" not in rank_explanation


def test_the_models_rank_is_read_where_the_export_kept_it(tmp_path: Path) -> None:
    """The rank is None without a release, without stored candidates, or if the track is not a candidate."""
    home = Home(tmp_path / "home")
    release = Release(tmp_path / "w.duckdb", tmp_path / "marts", export=tmp_path / "export")
    release.warehouse.touch()
    for folder in (release.marts, tmp_path / "export"):
        folder.mkdir()
    assert _candidate_rank(home, "ann", "t1") is None

    registry.publish(home, "r1", release)
    assert _candidate_rank(home, "ann", "t1") is None

    kept = pl.DataFrame({"user_id": ["ann", "ann", "bob"], "track_id": ["t1", "t2", "t2"], "rank": [1, 2, 1]})
    path = tmp_path / "export" / CANDIDATES
    kept.write_parquet(path)
    files.write_json(path.with_name(MANIFEST), {"files": [{"path": CANDIDATES, "sha256": files.sha256_of(path)}]})
    assert [_candidate_rank(home, "ann", track_id) for track_id in ("t1", "t2", "t3")] == [1, 2, None]

    kept.head(1).write_parquet(path)
    with pytest.raises(SetupError, match=f"{CANDIDATES} is missing or damaged"):
        _candidate_rank(home, "ann", "t1")
