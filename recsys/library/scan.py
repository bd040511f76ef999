"""
Scan a folder of music into the lake: analyse each new file, and quarantine files that cannot be read.

A file is identified by the hash of its bytes. If this version of the analyser has already analysed a file with these
bytes and the same name, the file is skipped; with another name, the rows are copied; otherwise a worker process
analyses the file. Of the files whose features another version of the code has computed, a nightly run analyses only
some again, and the others in later runs: until then, their features remain. Results are written to the lake in atomic
batches of 64 files, so an interrupted scan continues where it stopped, and no recording is analysed twice by the same
version.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Self

import polars as pl

from recsys.audio.analyse import Analyse, Analysis
from recsys.audio.sandbox import Failure, Workers
from recsys.files import short_hash
from recsys.home import Home
from recsys.ingest.pseudonym import redacted
from recsys.lake.contract import BATCH, CONTRACTS, QUARANTINE
from recsys.lake.store import Batch, Lake, StagedBatch
from recsys.library.files import Recording, recordings
from recsys.library.music_folders import remember_folder
from recsys.library.rows import FEATURES, TABLES, Rows, rows_of, with_name
from recsys.library.settings import AudioSettings

FILES_PER_BATCH = 64
NETWORKS = slice(1, 3)  # words of the analyser's version: encoder and fingerprint network
Progress = Callable[[Path, int], None]  # a finished file and its size in bytes


@dataclass
class ScanReport:
    """
    Counts and problems of a scan.

    Attributes:
        n_files: Music files in the folder.
        n_known: Files that were analysed earlier with the same name.
        n_copied: Files with the bytes of a file with another name, analysed earlier or in this scan.
        n_analysed: Files that this scan analysed.
        n_deferred: Files that an earlier version analysed and that a later scan analyses again.
        damaged: File -> length that could not be decoded [ms]; only files that this scan analysed.
        failures: File -> reason why it could not be analysed, including failures of earlier scans.
    """

    n_files: int = 0
    n_known: int = 0
    n_copied: int = 0
    n_analysed: int = 0
    n_deferred: int = 0
    damaged: dict[str, int] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)

    def problems(self) -> list[str]:
        """Return one sentence per file that failed, then one per damaged file."""
        damaged = (
            f"{file}: {lost_ms / 1000:.1f} s of it could not be decoded" for file, lost_ms in self.damaged.items()
        )
        return [*(f"{file}: {failure.message}" for file, failure in self.failures.items()), *damaged]


@dataclass(frozen=True)
class EarlierScans:
    """
    Results of one version of the analyser that the lake already has.

    Attributes:
        lake: The lake.
        names: Name of a recording -> audio_id of its newest row.
        outdated: The same for recordings whose features another version has computed, with the same networks for
            embeddings and fingerprints.
        failures: audio_id -> reason why the file could not be analysed.
    """

    lake: Lake
    names: dict[str, str]
    outdated: dict[str, str]
    failures: dict[str, Failure]

    @classmethod
    def read(cls, lake: Lake, analyser: str) -> Self:
        """Read the results of a version of the analyser from the lake."""
        newest = lake.latest(CONTRACTS[FEATURES]).select("track_id", "audio_id", "analyser").collect()
        is_own = pl.col("analyser") == analyser
        words, networks = pl.col("analyser").str.split(" "), analyser.split(" ")[NETWORKS]
        has_own_networks = words.list.slice(NETWORKS.start, len(networks)) == pl.lit(networks)
        own, outdated = (
            dict(newest.filter(rows).select("track_id", "audio_id").iter_rows())
            for rows in (is_own, ~is_own & has_own_networks)
        )
        return cls(lake, own, outdated, _failures(lake, analyser))

    def rows_of_content(self, audio_id: str) -> Rows | None:
        """Return the rows of a file that was analysed with any name; None if it has not been analysed."""
        name = next((name for name, known in self.names.items() if known == audio_id), None)
        if name is None:
            return None
        return {
            table: self.lake.latest(CONTRACTS[table], track_id=name).drop(BATCH.names()).collect() for table in TABLES
        }


def _failures(lake: Lake, analyser: str) -> dict[str, Failure]:
    paths = sorted((lake.folder / "quarantine").rglob("*.parquet"))
    quarantined = (pl.read_parquet(path, glob=False).filter(source_table=FEATURES) for path in paths)
    refused = [
        (json.loads(payload), reason)
        for rows in quarantined
        for payload, reason in rows.drop_nulls("payload").select("payload", "reason").iter_rows()
    ]
    return {
        payload["audio_id"]: Failure(reason, payload["message"])
        for payload, reason in refused
        if payload.get("analyser") == analyser
    }


def scan(
    home: Home,
    folder: Path,
    *,
    today: date,
    settings: AudioSettings,
    progress: Progress = lambda _path, _bytes: None,
    most_again: int | None = None,
) -> ScanReport:
    """
    Analyse the new files of a music folder and write their rows to the lake.

    Args:
        home: The home; the caller must hold its lock (`locked`).
        folder: The folder to scan, with its subfolders.
        today: Date of ingest.
        settings: Encoder and resource limits.
        progress: Called with each finished file and its size in bytes, also for files that are skipped.
        most_again: Largest number of files that are analysed again because only the code of features has changed; None
            for all.

    Returns:
        Counts, damaged files and files that could not be analysed.

    Raises:
        InputError: The folder does not exist.
        SetupError: The encoder is not installed.
    """
    lake = Lake(home)
    lake.recover()
    found = recordings(folder)
    remember_folder(home, folder)
    report = ScanReport(n_files=len(found))
    if found:
        job = _Job(lake, Analyse(settings.encoder), today, report)
        waiting = job.without_deferred(job.without_known(found), most_again)
        for recording in set(found) - set(waiting):
            progress(recording.path, recording.n_bytes)
        job.analyse_files(waiting, settings, progress)
    return report


@dataclass(frozen=True)
class _Job:
    lake: Lake
    analyse: Analyse
    today: date
    report: ScanReport

    @property
    def analyser(self) -> str:
        return self.analyse.version

    @cached_property
    def earlier(self) -> EarlierScans:
        """What the lake had before this scan."""
        return EarlierScans.read(self.lake, self.analyser)

    def without_known(self, found: Sequence[Recording]) -> list[Recording]:
        """Return the files that must be analysed; for known bytes with a new name, write copies of their rows."""
        earlier = self.earlier
        waiting: list[Recording] = []
        copies: dict[Recording, Rows] = {}
        for recording in found:
            if earlier.names.get(recording.name) == recording.audio_id:
                self.report.n_known += 1
            elif recording.audio_id in earlier.failures:
                self.report.failures[recording.file] = earlier.failures[recording.audio_id]
            elif (rows := earlier.rows_of_content(recording.audio_id)) is not None:
                copies[recording] = with_name(rows, recording)
            else:
                waiting.append(recording)
        self.report.n_copied += len(copies)
        self._commit(copies, {})
        return waiting

    def without_deferred(self, waiting: Sequence[Recording], most_again: int | None) -> list[Recording]:
        """Return the files to analyse now, of which at most `most_again` have features of an earlier version."""
        outdated = self.earlier.outdated
        again = [recording for recording in waiting if outdated.get(recording.name) == recording.audio_id]
        deferred = set() if most_again is None else set(again[most_again:])
        self.report.n_deferred += len(deferred)
        return [recording for recording in waiting if recording not in deferred]

    def analyse_files(self, waiting: Sequence[Recording], settings: AudioSettings, progress: Progress) -> None:
        """Analyse files in worker processes, and write the results batch by batch."""
        if not waiting:
            return
        limits = {"limit_s": settings.limit_s, "limit_bytes": settings.limit_gb << 30}
        with Workers(replace(self.analyse), n_workers=min(settings.workers, len(waiting)), **limits) as workers:
            for batch in _batches(waiting):
                sizes = {copies[0].path: sum(copy.n_bytes for copy in copies) for copies in batch}
                results: dict[Path, Analysis | Failure] = {}
                for path, result in workers.map(list(sizes)):
                    results[path] = result
                    progress(path, sizes[path])
                self._write(batch, results)

    def _write(self, batch: Sequence[list[Recording]], results: dict[Path, Analysis | Failure]) -> None:
        """Write results to the lake; files with the same bytes get the same rows."""
        rows: dict[Recording, Rows] = {}
        failures: dict[Recording, Failure] = {}
        for first, *others in batch:
            result = results[first.path]
            if isinstance(result, Failure):
                failures |= dict.fromkeys([first, *others], result)
                continue
            own_rows = rows_of(first.audio_id, result, self.analyse)
            rows |= {copy: with_name(own_rows, copy) for copy in (first, *others)}
            self.report.n_analysed += 1
            self.report.n_copied += len(others)
            if result.lost_ms:
                self.report.damaged[first.file] = result.lost_ms
        self.report.failures |= {recording.file: failure for recording, failure in failures.items()}
        self._commit(rows, failures)

    def _commit(self, rows: dict[Recording, Rows], failures: dict[Recording, Failure]) -> None:
        if not rows and not failures:
            return
        files = [*rows, *failures]
        source = short_hash(self.analyser, *(f"{recording.name} {recording.audio_id}" for recording in files))
        first_no = self.lake.next_batch_no()
        staged = []
        for number, table in enumerate(TABLES, start=first_no):
            accepted = pl.concat([tables[table] for tables in rows.values()]) if rows else pl.DataFrame()
            refused = failures if table == FEATURES else {}
            entry = Batch(
                batch=short_hash(source, table),
                batch_no=number,
                table=table,
                source_file=_title(files),
                source_sha256=source,
                ingested_on=str(self.today),
                n_read=accepted.height + len(refused),
                n_accepted=accepted.height,
                n_quarantined=len(refused),
                n_duplicate=0,
                days=[str(self.today)] if accepted.height else [],
                members=sorted({recording.audio_id for recording in files}),
            )
            marked = accepted.with_columns(batch=pl.lit(entry.batch), batch_no=pl.lit(entry.batch_no, dtype=pl.Int64))
            parts = {str(self.today): marked} if accepted.height else {}
            staged.append(StagedBatch(entry, parts, self._quarantine(refused, entry)))
        self.lake.commit(source, staged)

    def _quarantine(self, failures: dict[Recording, Failure], entry: Batch) -> pl.DataFrame:
        """Return a quarantine row per failed file; this version of the analyser does not try these files again."""
        rows = [
            {
                "source_table": entry.table,
                "reason": failure.reason,
                "payload": json.dumps(
                    {"audio_id": recording.audio_id, "analyser": self.analyser, "message": failure.message}
                ),
                "source_file": recording.file,
                "batch": entry.batch,
            }
            for recording, failure in failures.items()
        ]
        return pl.DataFrame(rows, schema=QUARANTINE).with_columns(
            redacted(pl.col("source_file")), redacted(pl.col("payload"))
        )


def _batches(waiting: Sequence[Recording]) -> Iterator[list[list[Recording]]]:
    """Yield batches of 64 distinct contents; for each content, the list of recordings with these bytes."""
    groups: dict[str, list[Recording]] = {}
    for recording in waiting:
        groups.setdefault(recording.audio_id, []).append(recording)
    distinct = list(groups.values())
    for start in range(0, len(distinct), FILES_PER_BATCH):
        yield distinct[start : start + FILES_PER_BATCH]


def _title(files: Sequence[Recording]) -> str:
    more = f" and {len(files) - 1:,} more" if len(files) > 1 else ""
    return str(pl.select(redacted(pl.lit(files[0].file))).item()) + more
