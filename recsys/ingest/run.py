"""
Ingest source files into the lake.

One source file is read at a time, in bounded memory; `recsys.ingest.batches` makes its batches.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

from recsys.errors import InputError, UnreadableSource
from recsys.files import is_audio, is_hidden, remove
from recsys.home import Home
from recsys.ingest.batches import Delivery, staged_batches, unreadable
from recsys.ingest.copies import archive_of, delete_old_copies, keep_copy
from recsys.ingest.deliveries import Deliveries, Status
from recsys.ingest.dialect import UTF_8, Dialect
from recsys.ingest.drift import compare
from recsys.ingest.lyrics import LYRICS
from recsys.ingest.mapping import Mapping, saved
from recsys.ingest.pseudonym import check_listener_key, listener_key, make_listener_key
from recsys.ingest.replay import replay_future
from recsys.ingest.settings import IngestSettings
from recsys.ingest.source import Chunk, Source, refuse_unknown_format, shown
from recsys.lake.contract import CONTRACTS
from recsys.lake.store import Batch, Lake

Progress = Callable[[Path, int], None]
_DEFAULT = IngestSettings()
_IN_AUDIO = "lyrics_in_audio"


@dataclass(frozen=True)
class IngestReport:
    """
    The result of one ingest.

    Attributes:
        batches: The batches written.
        known_files: Files that were skipped, because an earlier ingest had their bytes.
        known_batches: The batches with the rows of these files.
        undone_files: Files that were found in a folder and skipped, because they were taken back.
        entered: Batches of rows that had been refused as future, and whose day has come.
        unreadable: Files that could not be read, each with a message that says why and what to do.
        skipped: Files in archives that no format recognised: the archive and the name in it.
        warnings: Links in folders, which are not followed, and new columns of known sources.
    """

    batches: list[Batch] = field(default_factory=list)
    known_files: list[Path] = field(default_factory=list)
    known_batches: list[Batch] = field(default_factory=list)
    undone_files: list[Path] = field(default_factory=list)
    unreadable: list[tuple[Path, str]] = field(default_factory=list)
    entered: list[Batch] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add_skipped(self, path: Path, batches: list[Batch]) -> None:
        """Add a file that was skipped, with the batches that have its rows; without any, it was taken back."""
        (self.known_files if batches else self.undone_files).append(path)
        self.known_batches.extend(batches)

    def problem(self, n_files: int) -> str:
        """Say how many of the given files could not be read, or had no row that was not refused; empty if none."""
        parts = [
            f"{len(self.unreadable)} of {n_files} files could not be read" if self.unreadable else "",
            f"of {len(self.refused_files)} of {n_files} files every row was refused" if self.refused_files else "",
        ]
        stated = ", and ".join(filter(None, parts))
        return f"{stated[0].upper()}{stated[1:]}; the others were ingested" if stated else ""

    @property
    def refused_files(self) -> list[str]:
        """Names of the ingested files of which every row was refused."""
        counts: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
        names = {}
        for batch in self.batches:
            source = (batch.source_sha256, batch.delivery)
            names[source] = batch.source_file
            counts[source][0] += batch.n_read
            counts[source][1] += batch.n_quarantined
        return [names[source] for source, (n_read, n_refused) in counts.items() if 0 < n_read == n_refused]


def source_files(paths: Iterable[Path], format_name: str = "auto") -> list[Path]:
    """
    List source files; folders are searched recursively in order of names, without audio files and hidden files.

    Of a folder, the format `lyrics_in_audio` reads the audio files instead of all others. Links and devices in a folder
    are not followed or read.
    """
    files: list[Path] = []
    wants_audio = format_name == _IN_AUDIO
    for path in paths:
        if not path.exists():
            raise UnreadableSource(f"{path} does not exist. Give existing files, or folders that contain them")
        if not path.is_dir() and not path.is_file():
            raise UnreadableSource(f"{path} is a device or pipe. Give existing files, or folders that contain them")
        inside = sorted(file for file in path.rglob("*") if _is_plain(file)) if path.is_dir() else [path]
        files += [file for file in inside if file == path or _is_source(file, path, wants_audio=wants_audio)]
    return files


def _unfollowed_links(paths: Iterable[Path]) -> Iterator[str]:
    """Yield a warning for each folder that has links in it."""
    for folder in filter(Path.is_dir, paths):
        if n_links := sum(path.is_symlink() for path in folder.rglob("*")):
            yield f"{folder} has {n_links:,} links, which are not followed. Put the files themselves there"


def _is_source(file: Path, folder: Path, *, wants_audio: bool) -> bool:
    return is_audio(file) == wants_audio and not is_hidden(file, folder)


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def ingest(
    home: Home,
    paths: Iterable[Path],
    *,
    today: date,
    table: str | None = None,
    format_name: str = "auto",
    user: str | None = None,
    mapping: Mapping | None = None,
    dialect: Dialect = UTF_8,
    accept_schema: bool = False,
    licence: str | None = None,
    settings: IngestSettings = _DEFAULT,
    progress: Progress = lambda _path, _n_bytes: None,
) -> IngestReport:
    """
    Ingest source files into the lake; a file that was ingested before is skipped (see `Deliveries`).

    Old versions of a reference table may stay in a folder beside the newest. A file that cannot be read is recorded in
    the batch log and the quarantine (`unreadable_file`) and tried again each time; the others are ingested. Rows of the
    quarantine that were in the future enter when their day has come.

    Args:
        home: The home; the caller must hold its lock (`home.locked`).
        paths: Files and folders. A file that is named, not found in a folder, is ingested again after it was taken back
            or replaced.
        today: The day of ingest in the market time zone; later instants are refused as future.
        table: The raw table, for files whose columns do not identify it.
        format_name: A format's name, or "auto".
        user: The account of personal exports that do not name it; None for `Source.account`.
        mapping: A mapping to read files by (with the format "mapped"); None to use those of the home.
        dialect: What the caller states about the texts of the files.
        accept_schema: Whether to accept files that lack columns of earlier deliveries (see `recsys.ingest.drift`).
        licence: Licence of lyrics in files that state none.
        settings: When a file is refused as a whole, and what is kept.
        progress: Called with each file and its size in bytes when the file is done.

    Returns:
        The batches written, the files ingested before and the files that cannot be read.

    Raises:
        InputError: The table, format or a path does not exist.
        SetupError: The key of a home with listeners is missing, unsafe or another one, or the archive is in the home.
    """
    _refuse_unknown(table, format_name)
    lake, named = Lake(home), list(paths)
    lake.recover()
    archive = archive_of(home, settings)
    report = IngestReport(entered=replay_future(lake, today, settings), warnings=[*_unfollowed_links(named)])
    key, mappings = _key_of(home, lake), (mapping,) if mapping else saved(home)
    make = partial(Source, user=user, mappings=mappings, dialect=dialect, keeping=settings.keeping(licence))
    sources = [make(path) for path in source_files(named, format_name)]
    known = Deliveries(lake.batch_log(), (source.sha256 for source in sources))
    intake = _Intake(lake, known, key, today, settings, archive, accept_schema, report)
    for source in sources:
        intake.take(source, source.chunks(format_name, table), is_named=source.path in named)
        progress(source.path, source.n_bytes)
    if archive:
        delete_old_copies(archive, today, settings.archive_days)
    return report


def _refuse_unknown(table: str | None, format_name: str) -> None:
    if table is not None and table not in CONTRACTS:
        raise InputError(f"There is no raw table {table!r}; known: {', '.join(CONTRACTS)}")
    refuse_unknown_format(format_name)


@dataclass(frozen=True)
class _Intake:
    """What the files of one ingest share."""

    lake: Lake
    known: Deliveries
    key: bytes
    today: date
    settings: IngestSettings
    archive: Path | None
    accept_schema: bool
    report: IngestReport

    def take(self, source: Source, chunks: Iterable[Chunk], *, is_named: bool) -> None:
        """Ingest a file, unless it is in the lake or was taken back."""
        if self.known.status(source.path, source.sha256, is_named=is_named) is not Status.NEW:
            self.report.add_skipped(source.path, self.known.batches_of(source.sha256))
            return
        delivery = Delivery(source, self.known.number(source.sha256), self.today, self.settings.max_refused)
        batches = self._try(delivery, chunks)
        self.known.add(batches)
        if self.archive and batches and not any(batch.table == LYRICS for batch in batches):
            keep_copy(self.archive, source.path, source.sha256, self.today)

    def _try(self, delivery: Delivery, chunks: Iterable[Chunk]) -> list[Batch]:
        """Ingest a file and report its batches; one that cannot be read is recorded and reported, and has none."""
        source, folder = delivery.source, self.lake.new_staging(delivery.id)
        try:
            entries = staged_batches(self.lake, delivery, chunks, self.key, folder)
            warnings = compare(source.path, entries, self.lake.batches(), accept_schema=self.accept_schema)
        except UnreadableSource as why:
            remove(folder)
            self.report.unreadable.append((source.path, str(why)))
            _record_unreadable(self.lake, source, self.today)
            return []
        written = self.lake.commit_staged(folder, entries)
        self.report.batches.extend(written)
        self.report.warnings.extend(warnings)
        self.report.skipped.extend((source.path, shown(name)) for name in source.skipped)
        return written


def _key_of(home: Home, lake: Lake) -> bytes:
    """Return the listener key; a home that never had listeners gets one."""
    is_new = not any(CONTRACTS[entry.table].has_listeners for entry in lake.batch_log() if entry.table in CONTRACTS)
    if is_new:
        make_listener_key(home.key_file)
    key = listener_key(home.key_file)
    check_listener_key(key, home.key_fingerprint, is_new=is_new)
    return key


def _record_unreadable(lake: Lake, source: Source, today: date) -> None:
    """Record an unreadable file, unless it was recorded before."""
    record = unreadable(lake, source, today)
    if record.entry.batch not in {batch.batch for batch in lake.batch_log()}:
        lake.commit(record.entry.batch, [record])
