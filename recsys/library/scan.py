"""
Scan a folder of music into the lake: what each file sounds like, and of what cannot be read, why.

The way of a file: its bytes' hash -> (heard before: nothing to do; heard under another name: that answer again) -> a
worker process -> a batch of some sixty files in the lake, whole or not at all. So a scan that is stopped goes on where
it stopped, and no recording is analysed twice by the same analyser.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
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
from recsys.library.rows import FEATURES, TABLES, Rows, rows_of, under_name
from recsys.library.settings import AudioSettings

FILES_A_BATCH = 64
Progress = Callable[[Path, int], None]


@dataclass
class ScanReport:
    """
    What a scan did.

    Attributes:
        n_files: Files of music in the folder.
        n_known: Heard before, under the same name.
        n_copied: Heard before, or in this scan, under another name.
        n_analysed: Heard now.
        damaged: Files of which a part was lost, and its length [ms]; of this scan.
        failures: Files of which nothing could be heard, and why; those of earlier scans too.
    """

    n_files: int = 0
    n_known: int = 0
    n_copied: int = 0
    n_analysed: int = 0
    damaged: dict[str, int] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)

    def problems(self) -> list[str]:
        """Say in one sentence per file what could not be heard of it: those of which nothing could, and those cut."""
        cut = (f"{file}: {lost_ms / 1000:.1f} s of it could not be decoded" for file, lost_ms in self.damaged.items())
        return [*(f"{file}: {failure.message}" for file, failure in self.failures.items()), *cut]


@dataclass(frozen=True)
class Memory:
    """
    What one analyser has heard already.

    Attributes:
        lake: Where it stands.
        names: name -> audio_id of the newest row.
        failures: audio_id -> why nothing could be heard.
    """

    lake: Lake
    names: dict[str, str]
    failures: dict[str, Failure]

    @classmethod
    def of(cls, lake: Lake, analyser: str) -> Self:
        """Read it off the lake."""
        newest = lake.latest(CONTRACTS[FEATURES]).select("track_id", "audio_id", "analyser").collect()
        heard = newest.filter(analyser=analyser).select("track_id", "audio_id")
        return cls(lake, dict(heard.iter_rows()), _failures(lake, analyser))

    def of_content(self, audio_id: str) -> Rows | None:
        """Return the rows of a file that was heard under any name; None where it was not."""
        name = next((name for name, known in self.names.items() if known == audio_id), None)
        if name is None:
            return None
        return {table: self.lake.latest(CONTRACTS[table], of=name).drop(BATCH.names()).collect() for table in TABLES}


def _failures(lake: Lake, analyser: str) -> dict[str, Failure]:
    paths = sorted((lake.folder / "quarantine").rglob("*.parquet"))
    refused = (pl.read_parquet(path, glob=False).filter(source_table=FEATURES) for path in paths)
    told = [
        (json.loads(payload), reason)
        for rows in refused
        for payload, reason in rows.drop_nulls("payload").select("payload", "reason").iter_rows()
    ]
    return {
        each["audio_id"]: Failure(reason, each["message"]) for each, reason in told if each.get("analyser") == analyser
    }


def scan(
    home: Home, folder: Path, *, today: date, settings: AudioSettings, progress: Progress = lambda _path, _bytes: None
) -> ScanReport:
    """
    Analyse what is new in a folder of music.

    Args:
        home: The home, held by the caller (`locked`).
        folder: Searched through.
        today: The day of ingest.
        settings: Encoder and limits.
        progress: Called with each file and its size once it is done, known ones too.

    Returns:
        What was heard, what was known, and what could not be read.

    Raises:
        InputError: There is no such folder.
        SetupError: The encoder is not there.
    """
    lake = Lake(home)
    lake.recover()
    found = recordings(folder)
    remember_folder(home, folder)
    report = ScanReport(n_files=len(found))
    if found:
        job = _Job(lake, Analyse(settings.encoder), today, report)
        waiting = job.without_known(found)
        for each in set(found) - set(waiting):
            progress(each.path, each.n_bytes)
        job.hear(waiting, settings, progress)
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

    def without_known(self, found: Sequence[Recording]) -> list[Recording]:
        """Leave out what this analyser has heard, or failed to; what has another name now enters the lake again."""
        memory = Memory.of(self.lake, self.analyser)
        waiting: list[Recording] = []
        copies: dict[Recording, Rows] = {}
        for each in found:
            if memory.names.get(each.name) == each.audio_id:
                self.report.n_known += 1
            elif each.audio_id in memory.failures:
                self.report.failures[each.file] = memory.failures[each.audio_id]
            elif (rows := memory.of_content(each.audio_id)) is not None:
                copies[each] = under_name(rows, each)
            else:
                waiting.append(each)
        self.report.n_copied += len(copies)
        self._commit(copies, {})
        return waiting

    def hear(self, waiting: Sequence[Recording], settings: AudioSettings, progress: Progress) -> None:
        """Analyse files, some at a time."""
        if not waiting:
            return
        limits = {"limit_s": settings.limit_s, "limit_bytes": settings.limit_gb << 30}
        with Workers(replace(self.analyse), n_workers=min(settings.workers, len(waiting)), **limits) as workers:
            for some in _batches(waiting):
                sizes = {each[0].path: sum(one.n_bytes for one in each) for each in some}
                heard: dict[Path, Analysis | Failure] = {}
                for path, result in workers.map(list(sizes)):
                    heard[path] = result
                    progress(path, sizes[path])
                self._keep(some, heard)

    def _keep(self, some: Sequence[list[Recording]], heard: dict[Path, Analysis | Failure]) -> None:
        """Enter what was heard into the lake; files of the same bytes have the same rows."""
        rows: dict[Recording, Rows] = {}
        failures: dict[Recording, Failure] = {}
        for first, *others in some:
            result = heard[first.path]
            if isinstance(result, Failure):
                failures |= dict.fromkeys([first, *others], result)
                continue
            told = rows_of(first.audio_id, result, self.analyse)
            rows |= {each: under_name(told, each) for each in (first, *others)}
            self.report.n_analysed += 1
            self.report.n_copied += len(others)
            if result.lost_ms:
                self.report.damaged[first.file] = result.lost_ms
        self.report.failures |= {each.file: failure for each, failure in failures.items()}
        self._commit(rows, failures)

    def _commit(self, rows: dict[Recording, Rows], failures: dict[Recording, Failure]) -> None:
        if not rows and not failures:
            return
        files = [*rows, *failures]
        source = short_hash(self.analyser, *(f"{each.name} {each.audio_id}" for each in files))
        n_known = len(self.lake.batches())
        staged = []
        for at, table in enumerate(TABLES, start=1):
            accepted = pl.concat([each[table] for each in rows.values()]) if rows else pl.DataFrame()
            refused = failures if table == FEATURES else {}
            entry = Batch(
                batch=short_hash(source, table),
                batch_no=n_known + at,
                table=table,
                source_file=_title(files),
                source_sha256=source,
                ingested_on=str(self.today),
                n_read=accepted.height + len(refused),
                n_accepted=accepted.height,
                n_quarantined=len(refused),
                n_duplicate=0,
                days=[str(self.today)] if accepted.height else [],
                members=sorted({each.audio_id for each in files}),
            )
            marked = accepted.with_columns(batch=pl.lit(entry.batch), batch_no=pl.lit(entry.batch_no, dtype=pl.Int64))
            parts = {str(self.today): marked} if accepted.height else {}
            staged.append(StagedBatch(entry, parts, self._quarantine(refused, entry)))
        self.lake.commit(source, staged)

    def _quarantine(self, failures: dict[Recording, Failure], entry: Batch) -> pl.DataFrame:
        """Write down which files said nothing, and what would have to change for them to be tried again."""
        rows = [
            {
                "source_table": entry.table,
                "reason": failure.reason,
                "payload": json.dumps(
                    {"audio_id": each.audio_id, "analyser": self.analyser, "message": failure.message}
                ),
                "source_file": each.file,
                "batch": entry.batch,
            }
            for each, failure in failures.items()
        ]
        return pl.DataFrame(rows, schema=QUARANTINE).with_columns(
            redacted(pl.col("source_file")), redacted(pl.col("payload"))
        )


def _batches(waiting: Sequence[Recording]) -> Iterator[list[list[Recording]]]:
    """Yield some sixty files at a time, those of the same bytes together."""
    groups: dict[str, list[Recording]] = {}
    for each in waiting:
        groups.setdefault(each.audio_id, []).append(each)
    distinct = list(groups.values())
    for start in range(0, len(distinct), FILES_A_BATCH):
        yield distinct[start : start + FILES_A_BATCH]


def _title(files: Sequence[Recording]) -> str:
    more = f" and {len(files) - 1:,} more" if len(files) > 1 else ""
    return str(pl.select(redacted(pl.lit(files[0].file))).item()) + more
