"""Clusters of points that lie around directions which are known, and their names."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from recsys.arrays import F32
from recsys.cli import main
from recsys.errors import InputError
from recsys.home import Home
from recsys.lake.contract import CONTRACTS
from recsys.lake.store import Lake
from recsys.pipeline.run import Run
from recsys.tags.cluster_catalogue import FOUND
from recsys.tags.clusters import CLUSTERS, Clusters, cluster, cluster_tags, default_number, describe

ALL = np.ones(60, np.bool_)


def points(*sizes: int, noise: float = 0.1) -> F32:
    """Return points around as many axes, of any length, in turn."""
    rng = np.random.default_rng(0)
    axis = np.repeat(np.arange(len(sizes)), sizes)
    found = np.eye(8)[axis] + noise * rng.normal(size=(len(axis), 8))
    return (found * rng.uniform(0.1, 10, size=(len(axis), 1))).astype(np.float32)


def ids(n: int) -> pl.Series:
    """Return the names of n recordings."""
    return pl.Series([f"t{row:02d}" for row in range(n)])


def tags(*rows: tuple[str, str, float]) -> pl.DataFrame:
    """Return tags with confidences."""
    return pl.DataFrame(rows, {"track_id": pl.String, "tag": pl.String, "confidence": pl.Float64}, orient="row")


def test_directions_are_found_whatever_the_length_of_a_vector() -> None:
    """Clusters are numbered from the largest, and the same call gives the same clusters."""
    vectors = points(10, 30, 20)

    found, again = cluster(vectors, ALL, n_clusters=3), cluster(vectors, ALL, n_clusters=3)

    assert found.of_row.tolist() == [2] * 10 + [0] * 30 + [1] * 20
    assert (found.cosine > 0.8).all()
    assert np.array_equal(found.of_row, again.of_row)
    assert np.array_equal(found.cosine, again.cosine)


def test_recordings_that_may_not_be_learned_from_are_assigned() -> None:
    """A direction that only they have makes no cluster; a vector of zeros or with a gap is in none."""
    vectors = points(30, 20, 10)
    vectors[0], vectors[1, 3] = 0, np.nan
    may_learn = np.arange(60) < 50

    found = cluster(vectors, may_learn, n_clusters=2)

    assert found.n == 2
    assert found.of_row[:2].tolist() == [-1, -1]
    assert found.of_row[2:50].tolist() == [0] * 28 + [1] * 20
    assert set(found.of_row[50:]) <= {0, 1}
    assert np.isnan(found.cosine[:2]).all()
    assert np.isfinite(found.cosine[2:]).all()


@pytest.mark.parametrize(
    ("vectors", "n_clusters", "sizes"),
    [
        (points(1), None, [1]),
        (points(1, 1, 1), 10, [1, 1, 1]),
        (np.ones((5, 8), np.float32), 3, [5]),
        (np.ones((5, 8), np.float32) * np.arange(1, 6, dtype=np.float32)[:, None], 3, [5]),
        (np.concatenate([np.ones((4, 8)), -np.ones((2, 8))]).astype(np.float32), 5, [4, 2]),
        (points(30, 30), 1, [60]),
    ],
    ids=["one", "fewer than clusters", "all equal", "one direction", "two vectors", "one cluster"],
)
def test_few_or_equal_recordings(vectors: F32, n_clusters: int | None, sizes: list[int]) -> None:
    """There are as many clusters as different vectors, at most."""
    found = cluster(vectors, np.ones(len(vectors), np.bool_), n_clusters=n_clusters)

    assert np.bincount(found.of_row).tolist() == sizes


@pytest.mark.parametrize(
    "vectors",
    [np.zeros((0, 8)), np.zeros((3, 0)), np.zeros((3, 8)), points(3)],
    ids=["no recordings", "no dimensions", "zeros", "no consent"],
)
def test_nothing_to_learn_from(vectors: F32) -> None:
    """The message says how many embeddings there are, and what to do."""
    n = 3 if vectors.any() else 0

    with pytest.raises(InputError, match=f"found {n} recordings with an embedding, of which 0 may be learned from"):
        cluster(vectors.astype(np.float32), np.zeros(len(vectors), np.bool_))


def test_the_default_number_grows_with_the_catalogue() -> None:
    """Sqrt(n / 2), within limits."""
    assert [default_number(n) for n in (1, 8, 200, 3_200, 10**6)] == [2, 2, 10, 40, 40]


def test_names_come_from_tags_that_stand_out() -> None:
    """By lift; faint tags, those that are as frequent everywhere, and genders name nothing."""
    found = Clusters(np.array([0, 0, 0, 1, 1, -1]), np.array([0.7, 0.9, 0.8, 0.6, 0.6, np.nan]))
    given = tags(
        *((f"t{row:02d}", "calm", 0.6) for row in range(3)),  # .6 in cluster 1, .36 in all
        ("t00", "piano", 0.9),  # .3, .18
        ("t01", "faint", 0.29),  # .097
        *((f"t{row:02d}", "pop", 0.5) for row in range(5)),
        ("t03", "rock", 0.4),  # .2, .08
        ("t04", "female vocalists", 0.9),
        ("t05", "rock", 1.0),  # in no cluster
        ("gone", "rock", 1.0),
    )

    described = describe(found, ids(6), given)

    assert described.select("cluster", "name", "n_tracks", "tags").rows() == [
        (1, "cluster 01: calm, piano", 3, ["calm", "piano"]),
        (2, "cluster 02: rock", 2, ["rock"]),
    ]
    assert described["lifts"].to_list() == [pytest.approx([0.6 / 0.36, 0.3 / 0.18]), pytest.approx([0.2 / 0.08])]
    assert described["central_tracks"].to_list() == [["t01", "t02", "t00"], ["t03", "t04"]]


def test_clusters_without_tags_have_a_number() -> None:
    """As have catalogues whose sound was delivered without tags."""
    described = describe(Clusters(np.array([1, 0, 0]), np.array([0.5, 0.5, 0.5])), ids(3), tags())

    assert described["name"].to_list() == ["cluster 01", "cluster 02"]
    assert described["tags"].to_list() == [[], []]


def test_recordings_get_the_name_of_their_cluster_as_a_tag() -> None:
    """The cosine is the confidence; the opposite direction has none. Recordings without an embedding have no tag."""
    found = Clusters(np.array([1, -1, 0]), np.array([0.5, np.nan, -0.2]))

    described = describe(found, ids(3), tags(("t00", "calm", 0.9), ("t02", "calm", 0.1)))

    rows = cluster_tags(found, ids(3), described)

    assert rows.rows() == [
        ("t00", "clusters", "cluster 02: calm", "other", 0.5),
        ("t02", "clusters", "cluster 01", "other", 0.0),
    ]


def test_the_command_writes_clusters_to_the_lake(
    finished: Run, copy_of: Callable[[Home], Home], tmp_path: Path
) -> None:
    """Once: a second call takes the tags of the first back."""
    home = copy_of(finished.home)
    run = ["--home", str(home.path), "tags", "clusters", "--with-unknown"]

    first = CliRunner().invoke(main, [*run, "--out", str(tmp_path / "found.csv")])
    second = CliRunner().invoke(main, [*run, "--n", "3"])

    assert (first.exit_code, second.exit_code) == (0, 0)
    found = pl.read_parquet(home.tags / CLUSTERS / FOUND)
    written = Lake(home).latest(CONTRACTS["audio_tags"]).filter(tagger=CLUSTERS).collect()
    assert pl.read_csv(tmp_path / "found.csv").height > found.height == 3
    assert dict(written.group_by("tag").len().iter_rows()) == dict(found.select("name", "n_tracks").iter_rows())
    assert found["central_titles"].list.len().to_list() == [3, 3, 3]
