"""Releases are read as they were published, by any version; takedowns apply to all of their indexes."""

from dataclasses import fields
from datetime import date
from pathlib import Path
from pkgutil import resolve_name

import duckdb
import numpy as np
import pytest

from recsys.home import Home
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.releases import registry
from recsys.releases.release import Release
from recsys.releases.takedown import take_down
from recsys.search.by_text import VerseIndex
from recsys.search.vector_index import Index

TODAY = date(2026, 7, 1)
TRACKS, AUDIO = ["t1", "t2"], ["a1", "a2"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose one release has every part: two tracks, each with an embedding, a fingerprint and a verse."""
    home = Home(tmp_path / "home")
    parts = {part.name: home.path / "parts" / part.name for part in fields(Release)}
    for folder in parts.values():
        folder.mkdir(parents=True)
    parts["warehouse"] /= "r1.duckdb"
    with duckdb.connect(str(parts["warehouse"])) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.track_features as select unnest(['t1', 't2']) as track_id")
        connection.execute("create table marts.track_audio as select 't1' as track_id, 'a1' as audio_id")
    vectors = np.eye(2, 128, dtype=np.float32)
    Index.build(TRACKS, vectors, version="v1").save(parts["index"])
    verses = Index.build([f"1:{track}" for track in TRACKS], vectors, version="v1")
    VerseIndex(verses).save(parts["verses"])
    FingerprintIndex.build(AUDIO, [vectors[:1], vectors[1:]], version="v1").save(parts["fingerprints"])
    registry.publish(home, "r1", Release(**parts))
    return home


@pytest.fixture
def older(home: Home) -> Home:
    """The same home in the layout of an older version: the link of the fingerprint index is named `prints`."""
    folder = home.path / "releases" / "r1"
    (folder / "fingerprints").rename(folder / "prints")
    return home


def tables_in(folder: Path) -> Release:
    """A release with tables only, whose files exist."""
    release = Release(folder / "w.duckdb", folder / "marts")
    release.warehouse.touch()
    release.marts.mkdir(exist_ok=True)
    return release


def test_every_part_is_read_back(home: Home) -> None:
    """Each field of a release is a link in its folder, beside the checksums."""
    release = registry.read(home, "r1")

    assert None not in [getattr(release, part.name) for part in fields(Release)]
    names = {path.name for path in (home.path / "releases" / "r1").iterdir()}
    assert names == {*release.links(), registry.CHECKSUMS}
    assert all(path.exists() for path in release.links().values())


def test_a_part_that_was_not_published_is_none(tmp_path: Path) -> None:
    """A release with tables only has no model and no indexes; a required part has a path even without its link."""
    home = Home(tmp_path / "home")
    release = tables_in(tmp_path)
    registry.publish(home, "r1", release)

    assert registry.read(home, "r1") == release
    assert registry.read(home, "r1").indexes() == []
    (home.path / "releases" / "r1" / "marts").unlink()
    assert registry.read(home, "r1").marts == home.path / "releases" / "r1" / "marts"


def test_every_index_of_a_release_can_be_read_and_changed(home: Home) -> None:
    """The declared name of each index's reader leads to its class."""
    for part in registry.read(home, "r1").indexes():
        index = resolve_name(part.reader).load(part.folder)

        assert list(index.ids) == (TRACKS if part.entries == "track_id" else AUDIO)


def test_a_release_of_an_older_version_is_read(older: Home) -> None:
    """The fingerprint index is found by the link's former name, and removed when the release is pruned."""
    release = registry.read(older, "r1")

    assert release.fingerprints == older.path / "parts" / "fingerprints"
    registry.publish(older, "r2", tables_in(older.path))
    assert registry.prune(older, 1, []) == ["r1"]
    assert not release.fingerprints.exists()


@pytest.mark.parametrize("version", ["home", "older"])
def test_a_takedown_reaches_every_index(version: str, request: pytest.FixtureRequest) -> None:
    """The track is removed from the vector index, its file from the fingerprint index; old folders are deleted."""
    home: Home = request.getfixturevalue(version)
    before = registry.read(home, "r1")

    assert take_down(home, ["t1"], "court order", today=TODAY) == ["r1"]

    after = registry.read(home, "r1")
    assert [list(resolve_name(part.reader).load(part.folder).ids) for part in after.indexes()] == [
        ["t2"],
        ["a2"],
        ["t2"],
    ]
    assert not [part.folder for part in before.indexes() if part.folder.exists()]
    assert take_down(home, ["t2"], "", today=TODAY) == ["r1"]
