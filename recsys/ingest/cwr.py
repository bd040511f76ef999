"""
Records of a Common Works Registration file (CWR 2.1, 2.2) as rows of works, shares, recordings and acknowledgements.

A transaction (NWR, REV, ISW, EXC, also one that is returned after an ACK) states a work for the sender of the file;
its time of registration is the creation of the file, and a later transaction of a file is newer by one microsecond.
Works have the numbers of their submitter, so the submitter to which a society sends a file is part of the source.

    SPU, OPU, SWR, OWR    owners: a claim of the kind ownership per right, in the whole world
    SPT, OPT, SWT, OWT    who collects in which territories, for the owner before them: claims of the kind collection
    REC                   the ISRC of a recording
    ACK                   what became of a registration at a society

Other records (titles, performers, links of writers and publishers ...) are read over. A line with another type, or one
that is shorter than its last required field, is malformed, and so is a group or file whose totals (GRT, TRL) are not
those of its records.

Source: CISAC, CWR Functional and Technical Specifications 2.1 and 2.2.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias

from recsys.ingest.json_records import Scalar, frame
from recsys.ingest.source import Chunk
from recsys.ingest.territories import by_territory
from recsys.lake.contract import CONTRACTS, RIGHTS, WORLD

Shares: TypeAlias = tuple[str | None, ...]  # one text per right, in the order of RIGHTS; None where there is none
_NO_SHARES: Shares = (None,) * len(RIGHTS)
CHUNK_ROWS = 200_000
_TRANSACTIONS = ("NWR", "REV", "ISW", "EXC")
_WRITERS, _PUBLISHERS = ("SWR", "OWR"), ("SPU", "OPU")
_READ_OVER = frozenset(
    {"AGR", "TER", "IPA", "NPA", "NPN", "NWN", "PWR", "ALT", "NAT", "EWT", "VER", "PER", "NPR", "ORN", "INS", "IND"}
    | {"COM", "NET", "NCT", "NVT", "NOW", "ARI", "XRF", "MSG"}
)
_ROLES = {"AM": "administrator", "PA": "administrator", "SE": "sub_publisher", "ES": "sub_publisher"}
TABLES = ("works", "work_shares", "work_recordings", "work_acknowledgements")
_NAMES = {table: CONTRACTS[table].names for table in TABLES}


class _Place(NamedTuple):
    """Where a record has its fields: start and end, from 0."""

    party_id: tuple[int, int]
    name: tuple[tuple[int, int], ...]
    ipi: tuple[int, int]
    ipi_base: tuple[int, int]
    shares: tuple[tuple[int, int], ...]


_OWNER = {
    "U": _Place((21, 30), ((30, 75),), (87, 98), (139, 152), ((115, 120), (123, 128), (131, 136))),
    "R": _Place((19, 28), ((73, 103), (28, 73)), (115, 126), (154, 167), ((129, 134), (137, 142), (145, 150))),
}  # of a publisher, of a writer
_COLLECTED = {"P": ((34, 39), (39, 44), (44, 49)), "W": ((28, 33), (33, 38), (38, 43))}
_INCLUDED_AT = {"P": 49, "W": 43}


@dataclass
class _Owner:
    """An owner of the current transaction, and the steps of the territories in which somebody collects for it."""

    values: dict[str, Scalar]
    first_line: int = 0
    first_no: str = ""
    steps: list[tuple[bool, str, Shares]] = field(default_factory=list)


@dataclass
class CwrRecords:
    """
    The rows of a file, made record by record; `chunks` hands them over.

    Attributes:
        submitter: Whose numbers of works a society's file has; None of a file that a submitter sends.
        malformed: Lines that are no records, since the last chunks.
        is_complete: Whether the last record was read.
    """

    submitter: str | None = None
    malformed: list[int] = field(default_factory=list)
    is_complete: bool = False
    _source: str = "cwr:"
    _created_at: str = ""
    _rows: dict[str, list[list[Scalar]]] = field(default_factory=lambda: defaultdict(list))
    _lines: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _work: dict[str, Scalar] = field(default_factory=dict)
    _owner: _Owner | None = None
    _n_transactions: int = 0
    _n_records: list[int] = field(default_factory=lambda: [0, 0])  # of the file, of the group
    _group_start: int = 0

    def take(self, line: int, record: str) -> None:
        """Add a record."""
        kind = record[:3]
        self._n_records = [n + 1 for n in self._n_records]
        read = _READERS.get(kind)
        if read is None and kind in _READ_OVER:
            return
        try:
            is_read = read is not None and read(self, line, record)
        except IndexError:  # the record ends before the field
            is_read = False
        if not is_read:
            self.malformed.append(line)

    def chunks(self, *, at_least: int = 0) -> Iterator[Chunk]:
        """Hand over the rows and malformed lines as chunks, if there are so many."""
        if sum(map(len, self._lines.values())) + len(self.malformed) < at_least:
            return
        for table in dict.fromkeys(["works", *self._rows]):
            malformed = self.malformed if table == "works" else []
            yield Chunk(table, frame(self._lines[table], self._rows[table], _NAMES[table]), malformed)
        self._rows.clear()
        self._lines.clear()
        self.malformed = []

    def _add(self, table: str, line: int, values: dict[str, Scalar]) -> None:
        self._rows[table].append([values.get(name) for name in _NAMES[table]])
        self._lines[table].append(line)

    def header(self, _line: int, record: str) -> bool:
        """Read HDR: the sender and the time of creation; a file begins, which has no end yet."""
        self.is_complete = False
        sender = record[3:14].strip()
        self._source = f"cwr:{sender}/{self.submitter}" if self.submitter else f"cwr:{sender}"
        day, time = record[64:72], record[72:78]
        self._created_at = f"{day[:4]}-{day[4:6]}-{day[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}"
        return len(record) >= 86  # the last required field, the day of transmission

    def group(self, _line: int, _record: str) -> bool:
        """Read GRH: a group of transactions begins."""
        self._n_records[1], self._group_start = 1, self._n_transactions
        return True

    def group_trailer(self, _line: int, record: str) -> bool:
        """Read GRT: compare the totals of the group."""
        n_transactions = self._n_transactions - self._group_start
        return (record[8:16], record[16:24]) == (f"{n_transactions:08d}", f"{self._n_records[1]:08d}")

    def trailer(self, _line: int, record: str) -> bool:
        """Read TRL: compare the totals of the file."""
        self._close_owner()
        self.is_complete = True
        return (record[8:16], record[16:24]) == (f"{self._n_transactions:08d}", f"{self._n_records[0]:08d}")

    def work(self, line: int, record: str) -> bool:
        """Read a registration: its work."""
        self._begin(record)
        self._work = {
            "source": self._source,
            "work_id": _text(record, 81, 95),
            "registered_at": _later(self._created_at, self._n_transactions),
        }
        self._add("works", line, self._work | {"title": _text(record, 19, 79), "iswc": _text(record, 95, 106)})
        return len(record) >= 106

    def acknowledgement(self, line: int, record: str) -> bool:
        """Read ACK: what became of a registration."""
        self._begin(record)
        day = record[149:157]
        values: dict[str, Scalar] = {
            "source": self._source,
            "work_id": _text(record, 109, 129),
            "acknowledged_at": f"{day[:4]}-{day[4:6]}-{day[6:]}",
            "work_number": _text(record, 129, 149),
            "status": _text(record, 157, 159),
        }
        self._add("work_acknowledgements", line, values)
        return len(record) >= 159

    def owner(self, line: int, record: str) -> bool:
        """Read a writer or publisher: their claims, one per right with a share."""
        self._close_owner()
        place, is_writer = _OWNER[record[2]], record[2] == "R"
        values = self._work | {
            "party_id": _text(record, *place.party_id) or _digits(record, *place.ipi) or _full_name(record, place),
            "party_name": _full_name(record, place),
            "ipi": _digits(record, *place.ipi),
            "ipi_base": _text(record, *place.ipi_base),
            "role": "writer" if is_writer else _ROLES.get(record[76:78].strip(), "publisher"),
        }
        self._owner = _Owner(values)
        shares = tuple(_share(record, *where) for where in place.shares)
        self._add_shares(line, values | {"claim_no": record[11:19], "kind": "ownership"}, shares)
        return len(record) >= place.ipi[1] and bool(self._work)

    def collector(self, line: int, record: str) -> bool:
        """Read a territory in which an owner's share is collected, or not."""
        owner, place = self._owner, _INCLUDED_AT[record[1]]
        if owner is None or record[place] not in "IE":
            return False
        if not owner.steps:
            owner.first_line, owner.first_no = line, record[11:19]
        shares = tuple(_share(record, *where) for where in _COLLECTED[record[1]])
        owner.steps.append((record[place] == "I", record[place + 1 : place + 5], shares))
        return True

    def recording(self, line: int, record: str) -> bool:
        """Read REC: its ISRC, if it has one."""
        if isrc := _text(record, 249, 261):
            self._add("work_recordings", line, self._work | {"isrc": isrc})
        return bool(self._work)

    def _begin(self, record: str) -> None:
        """Begin a transaction; records of a transaction after its acknowledgement belong to the same one."""
        self._close_owner()
        if record[11:19] == "00000000":
            self._n_transactions += 1
            self._work = {}

    def _close_owner(self) -> None:
        """Add what the current owner collects, now that all its territories are known."""
        owner, self._owner = self._owner, None
        if owner and owner.steps:
            values = owner.values | {"claim_no": owner.first_no, "kind": "collection"}
            for territory, shares in by_territory(owner.steps, _NO_SHARES).items():
                named = None if territory == WORLD else territory
                self._add_shares(owner.first_line, values | {"territory": named}, shares, is_exact=named is not None)

    def _add_shares(self, line: int, values: dict[str, Scalar], shares: Shares, *, is_exact: bool = False) -> None:
        """Add a row per right that has a share; of a country that is an exception from the world, also without one."""
        for right, share in zip(RIGHTS, shares, strict=True):
            if share is not None or is_exact:
                self._add("work_shares", line, values | {"right_type": right, "share": share or "0"})


_Reader: TypeAlias = Callable[[CwrRecords, int, str], bool]
_READERS: dict[str, _Reader] = {
    "HDR": CwrRecords.header,
    "GRH": CwrRecords.group,
    "GRT": CwrRecords.group_trailer,
    "TRL": CwrRecords.trailer,
    "ACK": CwrRecords.acknowledgement,
    "REC": CwrRecords.recording,
    **dict.fromkeys(_TRANSACTIONS, CwrRecords.work),
    **dict.fromkeys((*_WRITERS, *_PUBLISHERS), CwrRecords.owner),
    **dict.fromkeys(("SPT", "OPT", "SWT", "OWT"), CwrRecords.collector),
}


def _later(instant: str, microseconds: int) -> str:
    """Return an instant that is later, so that a file's later transactions are newer; a text that is none as it is."""
    try:
        later = datetime.fromisoformat(instant) + timedelta(microseconds=microseconds)
    except (ValueError, OverflowError):
        return instant
    return f"{later.isoformat(timespec='microseconds')}Z"


def _text(record: str, start: int, end: int) -> str | None:
    return record[start:end].strip() or None


def _digits(record: str, start: int, end: int) -> str | None:
    """Return a number as text; None if there is none, or it is 0."""
    text = record[start:end].strip()
    return text if text.strip("0") else None


def _full_name(record: str, place: _Place) -> str | None:
    return " ".join(part for where in place.name if (part := record[slice(*where)].strip())) or None


def _share(record: str, start: int, end: int) -> str | None:
    """Return a share in per cent (`05000` is 50.00); None if there is none; another text so that it is refused."""
    text = record[start:end].strip()
    if not text.strip("0"):
        return None
    is_share = text.isascii() and text.isdigit() and len(text) == end - start
    return f"{text[:-2]}.{text[-2:]}" if is_share else f"{text} is not a share"
