"""
Notices about conflicts and matches, and what became of them: an append-only log in the home.

    <home>/notices/log.jsonl        one event per line: issued, accepted, rejected or withdrawn
    <home>/notices/00001/           notice.html and notice.pdf, as they were issued

Each event has the SHA-256 of the line before it, and an issued one those of its files, so that a changed page or line
is noticed, except a change of the last line or the loss of the last ones. A later answer replaces an earlier one;
nothing follows a withdrawal.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import msgspec
import polars as pl

from recsys import files
from recsys.errors import InputError, UnknownIds
from recsys.home import Home
from recsys.rights.check import KINDS
from recsys.state.actions import COMMAND_LINE, Actor, logged
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse, run_query

MATCH = "match"  # a notice about uses that matching found, without a conflict
ISSUED, ACCEPTED, REJECTED, WITHDRAWN = "issued", "accepted", "rejected", "withdrawn"
ANSWERS = (ACCEPTED, REJECTED)
WITH_USES = (MATCH, "matched_audio")  # kinds of which uses that matching found are evidence
OF_LISTENING = "unlicensed_use"  # the kind that is itself a figure of listening, and is for the operator alone
_FIRST = ""  # the checksum before the first event
_RESTORE = "Restore the folder notices/ of the home from a backup"


@dataclass(frozen=True)
class Evidence:
    """
    What the warehouse knows of a conflict or match.

    Attributes:
        kind: A kind of conflict, or MATCH.
        subject: What it concerns.
        conflicts: Its conflicts that are open, as `check.conflicts` lists them.
        claims: Who claims what of its works (see `claims_of`).
        uses: Of matches, the uses that matching found in the subject (`sql/internal/matches_of_source.sql`).
    """

    kind: str
    subject: str
    conflicts: pl.DataFrame
    claims: pl.DataFrame
    uses: pl.DataFrame

    @classmethod
    def read(cls, warehouse: Warehouse, kind: str, subject: str, source: str = "") -> "Evidence":
        """
        Read what is known.

        Args:
            warehouse: The operator's warehouse.
            kind: A kind of conflict, or MATCH.
            subject: What it concerns.
            source: Who states it, where several sources have the same number for different things.

        Raises:
            InputError: The kind is unknown or a figure of listening, or several sources have the subject.
            UnknownIds: There is no such conflict or match.
        """
        if kind not in {MATCH, *KINDS}:
            raise InputError(f"{kind} is no kind of conflict. Kinds: {', '.join([MATCH, *sorted(KINDS)])}")
        if kind == OF_LISTENING:
            raise InputError(f"{kind} is a figure of listening, which no notice has. See recsys rights check")
        every = warehouse.query(internal_sql("rights_conflicts"), {"ended": "false"}).filter(kind=kind)
        found = every.filter(pl.col("subject") == subject, pl.lit(not source) | (pl.col("source") == source))
        if found["source"].n_unique() > 1:
            raise InputError(f"Several sources have this subject. Name one: --source {found['source'].sort()[0]}")
        uses = warehouse.query(internal_sql("matches_of_source"), {"source": subject})
        uses = uses if kind in WITH_USES else uses.clear()
        if (uses if kind == MATCH else found).is_empty():
            raise UnknownIds.of("match" if kind == MATCH else kind, [subject], every["subject"], "the warehouse")
        return cls(kind, subject, found, claims_of(warehouse, found, subject), uses)


def claims_of(warehouse: Warehouse, found: pl.DataFrame, subject: str) -> pl.DataFrame:
    """
    Return who claims what of a conflict's works: what sources state, or of matched recordings the owners of both.

    Args:
        warehouse: The operator's warehouse.
        found: The conflicts of the subject.
        subject: What they concern.

    Returns:
        The columns of `recsys query rights_claims`; without such recordings `source` is who states the claim, of owners
        it is one of those who do, and `registered_on` is null.
    """
    if tracks := found["other_track_id"].drop_nulls().unique().sort().to_list():
        return pl.concat(run_query(warehouse, "rights_owners", {"track": track}) for track in (subject, *tracks))
    return run_query(
        warehouse, "rights_claims", {"subject": subject, "source": next(iter(found["source"]), None) or ""}
    )


@dataclass(frozen=True)
class Event:
    """
    An entry of the log.

    Attributes:
        notice: Number of the notice, such as 00001.
        event: issued, accepted, rejected or withdrawn.
        happened_at: When, with time zone, ISO 8601.
        by: Who wrote it down.
        kind, subject: What the notice is about.
        recipient: To whom it was issued.
        note: What it asks for; of others, what was answered.
        files: Of an issued notice, name -> SHA-256 of its files.
        previous: SHA-256 of the line before it.
    """

    notice: str
    event: str
    happened_at: str
    by: str
    kind: str
    subject: str
    recipient: str
    note: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    previous: str = _FIRST


class Notices:
    """The notices of a home; the caller of a method that writes must hold the home's lock."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.folder = home.path / "notices"
        self._log = self.folder / "log.jsonl"

    def events(self) -> list[Event]:
        """Return all events, the oldest first; raises InputError if the log or a file was changed."""
        events = [event for event, _ in self._read()]
        for event in events:
            if event.event == ISSUED and files.changed_file(self.folder / event.notice, event.files):
                raise InputError(f"The files of notice {event.notice} differ from those that were issued. {_RESTORE}")
        return events

    def _read(self) -> Iterator[tuple[Event, str]]:
        """Yield each event with the SHA-256 of its line."""
        lines, previous = self._log.read_bytes().splitlines() if self._log.exists() else [], _FIRST
        for number, line in enumerate(lines, start=1):
            try:
                event = msgspec.json.decode(line, type=Event)
            except msgspec.MsgspecError:
                raise InputError(f"Line {number} of {self._log} cannot be read. {_RESTORE}") from None
            if event.previous != previous:
                raise InputError(f"Line {number} of {self._log} does not follow the line before it. {_RESTORE}")
            previous = sha256(line).hexdigest()
            yield event, previous

    def next_number(self) -> str:
        """Return the number of the next notice."""
        return f"{sum(event.event == ISSUED for event in self.events()) + 1:05d}"

    def issue(self, event: Event, contents: Mapping[str, bytes]) -> Path:
        """Write the files of a notice and log that it was issued; return their folder."""
        folder = self.folder / event.notice
        if folder.exists():
            raise InputError(f"The folder of notice {event.notice} exists, but the log lacks the notice. {_RESTORE}")
        issued_at, actor = datetime.fromisoformat(event.happened_at), Actor(event.by or COMMAND_LINE)
        with logged(self.home, actor, "rights notice issued", event.notice, issued_at):
            with files.new_folder(folder) as made:
                for name, content in contents.items():
                    (made / name).write_bytes(content)
            sums = {name: files.sha256_of(folder / name) for name in contents}
            self._append(Event(**asdict(event) | {"files": sums}))
        return folder

    def follow(self, notice: str, outcome: str, *, answered_at: datetime, by: str, note: str) -> Event:
        """
        Log an answer to a notice, or its withdrawal.

        Raises:
            UnknownIds: There is no such notice.
            InputError: It was withdrawn.
        """
        of_notice = [event for event in self.events() if event.notice == notice]
        if not of_notice:
            raise UnknownIds.of("notice", [notice], [event.notice for event in self.events()], "this home")
        if of_notice[-1].event == WITHDRAWN:
            raise InputError(f"Notice {notice} was withdrawn. Issue a new one: recsys rights notice issue")
        changes = {"event": outcome, "happened_at": answered_at.isoformat(), "by": by, "note": note, "files": {}}
        event = Event(**asdict(of_notice[0]) | changes)
        with logged(self.home, Actor(by or COMMAND_LINE), f"rights notice {outcome}", notice, answered_at):
            self._append(event)
        return event

    def _append(self, event: Event) -> None:
        *_, previous = (_FIRST, *(line for _, line in self._read()))
        line = msgspec.json.encode(Event(**asdict(event) | {"previous": previous}))
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            log.write(line + b"\n")
        files.sync(self._log)

    def table(self) -> pl.DataFrame:
        """Return the notices with their last event (status, since, note), kind, subject, recipient and issued_at."""
        last = {event.notice: event for event in self.events()}
        issued = {event.notice: event.happened_at for event in self.events() if event.event == ISSUED}
        rows = [
            (number, it.event, it.happened_at[:10], it.kind, it.subject, it.recipient, issued[number], it.note)
            for number, it in last.items()
        ]
        names = ("notice", "status", "since", "kind", "subject", "recipient", "issued_at", "note")
        return pl.DataFrame(rows, dict.fromkeys(names, pl.String), orient="row")
