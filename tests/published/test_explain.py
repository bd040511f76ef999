"""Why a track has its place in a list, or none, is said in plain words."""

from pathlib import Path

import polars as pl
import pytest

from recsys.home import Home
from recsys.published.explain import CANDIDATES, Explanation, _candidate_rank
from recsys.releases import registry
from recsys.releases.release import Release


def explanation(rank: int | None, candidate_rank: int | None, *, is_explored: bool = False) -> Explanation:
    """A track in a list of twenty, or beside it."""
    return Explanation("Song by Ada", rank, None, is_explored, 20, candidate_rank, pl.DataFrame())


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
def test_the_way_from_the_models_rank_to_the_place_is_said(
    rank: int | None, candidate_rank: int | None, expected: str
) -> None:
    """Whether rerank rules or exploration moved the track, and from which rank."""
    assert explanation(rank, candidate_rank).placement.startswith(expected)


@pytest.mark.parametrize("candidate_rank", [57, None])
def test_a_track_that_exploration_drew_says_so(candidate_rank: int | None) -> None:
    """With the model's rank where the run kept it."""
    placement = explanation(20, candidate_rank, is_explored=True).placement

    assert placement.startswith("Exploration drew it, to learn whether the listener likes it. ")
    assert ("The model ranked it 57" in placement) == (candidate_rank is not None)
    assert "rerank" not in placement


def test_the_models_rank_is_read_where_the_export_kept_it(tmp_path: Path) -> None:
    """A home without a release, an export without candidates and a track outside them have none."""
    home = Home(tmp_path / "home")
    release = Release(tmp_path / "w.duckdb", tmp_path / "marts", export=tmp_path / "export")
    release.warehouse.touch()
    for folder in (release.marts, tmp_path / "export"):
        folder.mkdir()
    assert _candidate_rank(home, "ann", "t1") is None

    registry.publish(home, "r1", release)
    assert _candidate_rank(home, "ann", "t1") is None

    kept = pl.DataFrame({"user_id": ["ann", "ann", "bob"], "track_id": ["t1", "t2", "t2"], "rank": [1, 2, 1]})
    kept.write_parquet(tmp_path / "export" / CANDIDATES)
    assert [_candidate_rank(home, "ann", track_id) for track_id in ("t1", "t2", "t3")] == [1, 2, None]
