"""Archives: what is inside is read; bombs, links, archives in archives and other surprises are refused."""

import gzip
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from recsys.errors import UnreadableSource
from recsys.home import Home
from recsys.ingest import archive
from recsys.ingest.run import ingest, source_files
from recsys.lake.store import Lake

from .conftest import LISTENS, TODAY, Inbox, zstd

ONE = LISTENS + "ann,t1,2026-01-01T10:00:00Z,1000,,,\n" + "ann,,2026-01-01T10:00:00Z,1000,,,\n"
TWO = "track_id,title,artist_id\nt1,One,ar1\nt1,Other,ar1\n"


def zipped(files: Mapping[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as target:
        for name, content in files.items():
            target.writestr(name, content)
    return packed.getvalue()


def tarred(files: dict[str, str], *special: tarfile.TarInfo) -> bytes:
    """Return a tar archive with files and then special members."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as target:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content.encode())
            target.addfile(member, io.BytesIO(content.encode()))
        for member in special:
            target.addfile(member)
    return packed.getvalue()


FILES = {"a/listens.csv": ONE, "b/tracks.csv": TWO}


@pytest.mark.parametrize(
    "content",
    [
        zipped(FILES),
        zipped(FILES, zipfile.ZIP_STORED),
        tarred(FILES),
        gzip.compress(tarred(FILES)),
        zstd(tarred(FILES)),
    ],
    ids=["zip", "stored", "tar", "tar.gz", "tar.zst"],
)
def test_the_members_of_an_archive_are_read(inbox: Inbox, content: bytes) -> None:
    """An archive is one source; refused rows are reported with the member and their line in it."""
    report = inbox.take("all.archive", content)

    assert {batch.table: batch.n_accepted for batch in report.batches} == {"listens": 1, "tracks": 1}
    assert inbox.refused() == [
        ("missing_value", "track_id", "all.archive/a/listens.csv", 3),
        ("conflicting_row", None, "all.archive/b/tracks.csv", 3),
    ]
    assert ingest(inbox.home, [inbox.folder], today=TODAY).known_files == [inbox.folder / "all.archive"]


def test_other_files_in_an_archive_are_skipped_and_listed(inbox: Inbox) -> None:
    """The known files beside documents and other tables are read; hidden files are not listed."""
    others: dict[str, str | bytes] = {
        "ReadMe.pdf": b"%PDF\x00",
        "Userdata.json": '{"username": "ann"}',
        "x.csv": "a,b\n1,2\n",
        "__MACOSX/._a": "",
    }
    report = inbox.take("my_data.zip", zipped({**others, **FILES}))

    assert not report.unreadable
    assert [name for _, name in report.skipped] == ["ReadMe.pdf", "Userdata.json", "x.csv"]
    assert inbox.rows("listens").height == 1


def test_a_damaged_member_refuses_the_archive(inbox: Inbox) -> None:
    """A source is ingested as a whole or not at all."""
    content = bytearray(zipped(FILES, zipfile.ZIP_STORED))
    content[content.index(b"t1,One") + 3] ^= 1

    assert "cannot be read to its end" in inbox.complaint("my.zip", bytes(content))
    assert inbox.rows("listens").is_empty()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zipped({"inner.zip": zipped(FILES)}), "contains an archive"),
        (zipped({"inner.csv": gzip.compress(ONE.encode())}), "contains an archive"),
        (zipped({"inner": tarred(FILES)}), "contains an archive"),
        (gzip.compress(gzip.compress(ONE.encode())), "contains an archive"),
        (gzip.compress(zipped(FILES)), "contains an archive"),
        (zipped({"xl/workbook.xml": "<x/>"}), "is a workbook"),
        (zipped({"a.pdf": "no table"}), "none has a known format"),
        (zipped({}), "none has a known format"),
        (zipped(FILES)[:-30], "cannot be read to its end"),
    ],
    ids=["zip", "gzip", "tar", "gzip twice", "gzip of zip", "workbook", "document", "empty", "cut off"],
)
def test_an_archive_that_cannot_be_read_is_refused(inbox: Inbox, content: bytes, message: str) -> None:
    """The message says what to do."""
    assert message in inbox.complaint("my.zip", content)


def test_an_encrypted_archive_is_refused(inbox: Inbox) -> None:
    """The flag is in the directory of the archive."""
    content = bytearray(zipped({"a.csv": ONE}))
    content[content.index(b"PK\x01\x02") + 8] |= 1

    assert "is encrypted" in inbox.complaint("my.zip", bytes(content))


def test_links_and_devices_in_an_archive_are_not_read(inbox: Inbox) -> None:
    """Neither symbolic nor hard links, nor pipes; names that leave the folder are only names."""
    special = [tarfile.TarInfo(name) for name in ("link", "hard", "pipe")]
    for member, kind in zip(special, (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE), strict=True):
        member.type, member.linkname = kind, "/etc/passwd"
    report = inbox.take("all.tar", tarred({"../../evil.csv": ONE}, *special))
    link = zipfile.ZipInfo("link.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        target.writestr(link, "/etc/passwd,x")

    assert report.skipped == []
    assert not list(inbox.folder.parent.rglob("evil.csv"))
    assert "archive of 0 files" in inbox.complaint("link.zip", packed.getvalue())


@pytest.mark.parametrize(
    "content",
    [gzip.compress(LISTENS.encode() + b" " * 400_000), zstd(LISTENS + " " * 400_000), zipped({"a.csv": " " * 400_000})],
    ids=["gzip", "zstd", "zip"],
)
def test_a_bomb_is_refused_at_the_limit(inbox: Inbox, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """A file may unpack to many times its size only up to a limit; reading stops there."""
    monkeypatch.setattr(archive, "FREE_BYTES", 100_000)

    assert "unpacks to more than" in inbox.complaint("bomb", content)


def test_an_archive_of_too_many_members_is_refused(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each member costs time."""
    monkeypatch.setattr(archive, "MAX_MEMBERS", 3)

    assert "more than 3 members" in inbox.complaint("many.zip", zipped({f"{n}.txt": "" for n in range(4)}))


def test_links_and_devices_in_a_folder_are_not_read(tmp_path: Path) -> None:
    """A link could point to any file of the machine, and a pipe would never end; a named link is read."""
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.csv").write_text(ONE)
    (tmp_path / "in" / "link.csv").symlink_to(tmp_path / "secret.csv")
    (tmp_path / "in" / "folder").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "in" / "pipe.csv")

    assert source_files([tmp_path / "in"]) == []
    assert source_files([tmp_path / "in" / "link.csv"]) == [tmp_path / "in" / "link.csv"]
    with pytest.raises(UnreadableSource, match="device or pipe"):
        source_files([tmp_path / "in" / "pipe.csv"])
    report = ingest(Home(tmp_path / "home"), [tmp_path / "in"], today=TODAY)
    assert (report.batches, [warning.split("in has ")[1][:7] for warning in report.warnings]) == ([], ["2 links"])


def test_nothing_of_an_archive_stays_on_disk(inbox: Inbox) -> None:
    """The lake has its batches only."""
    inbox.take("my.zip", zipped(FILES))

    assert Lake(inbox.home).verify() > 0
    assert sorted(path.name for path in inbox.folder.iterdir()) == ["my.zip"]


def test_members_outside_of_the_archive_are_read_and_written_nowhere(inbox: Inbox) -> None:
    """Only their content is read, so that their paths do no harm; a row of such a member is not lost."""
    before = set(inbox.folder.parent.rglob("*"))
    inbox.take("plays.zip", zipped({"../../evil.csv": ONE, "/evil.csv": ONE.replace("t1", "t2")}))

    written = {path.relative_to(inbox.folder.parent).parts[0] for path in set(inbox.folder.parent.rglob("*")) - before}
    assert written <= {"in", "home"}
    assert not (inbox.folder.parent.parent / "evil.csv").exists()
    assert sorted(set(inbox.rows("listens")["track_id"])) == ["t1", "t2"]
