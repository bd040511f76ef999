r"""
DDEX Digital Sales Reports (flat files): sales and usages by recording, territory and period, with revenue.

Records are lines of cells separated by tabs, `|` separates repeated values, `\` escapes. Summary records (SY..) give
territory, model, use, service and net revenue; blocks describe recordings (AS01, AS02; a release by RE01) and their
sales and usages (SU01, SU02); single-record blocks (SR01, SR02) have both. Cells are those of the Basic Audio Profile,
unless a comment names them (`#SU02<tab>BlockId<tab>...`); other versions of a record are read as the first.

The revenue of a usage is its price times the sales without returns, or else its share, by usages, in the net revenue of
the summary record. Usages of one recording in one summary context are added up.

Source: DDEX, Digital Sales Report Message Suite, parts 1, 3 and 8 (https://dsr8.ddex.net).
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from recsys.errors import UnreadableSource
from recsys.ingest.encoding import text_lines, text_sample
from recsys.ingest.json_records import frame
from recsys.ingest.source import Chunk, Source

_Cells: TypeAlias = dict[str, str]  # name of a cell -> its text
_SUMMARY = (
    "SummaryRecordId DistributionChannel DistributionChannelDPID CommercialModel UseType Territory ServiceDescription "
    "Usages"
)
_RESOURCE = "BlockId ResourceReference DspResourceId ISRC Title SubTitle DisplayArtistName"
_USAGE = "BlockId SummaryRecordId SalesTransactionId TransactedRelease TransactedResource IsRoyaltyBearing "
_CELLS = {
    "HEAD": "MessageVersion Profile ProfileVersion MessageId MessageCreatedDateTime FileNumber NumberOfFiles "
    "UsageStartDate UsageEndDate SenderPartyId SenderName",
    "SY01": f"{_SUMMARY} Subscribers CurrencyOfReporting NetRevenue",
    "SY02": f"{_SUMMARY} Users CurrencyOfReporting NetRevenue",
    "SY03": _SUMMARY,
    "AS01": _RESOURCE,
    "AS02": _RESOURCE,
    "RE01": "BlockId ReleaseReference DspReleaseId",
    "SU01": f"{_USAGE} SalesUpgrade Usages Returns PriceConsumerPaidExcSalesTax",
    "SU02": f"{_USAGE} Usages PriceConsumerPaidExcSalesTax",
}
_SAME = {
    "NumberOfUsages": "Usages", "NumberOfStreams": "Usages", "TotalUsages": "Usages", "ResourceISRC": "ISRC",
    "ResourceTitle": "Title", "ResourceDisplayArtistName": "DisplayArtistName",
    "TransactedResourceReference": "TransactedResource", "TransactedReleaseReference": "TransactedRelease",
    "SummaryRecordType": "SummaryRecordId",
}  # fmt: skip
_TYPE = re.compile(r"#?(HEAD|FOOT|FHEA|FFOO|SRFO|(?:SY|AS|RE|SU|SR|MW)\d\d)(?:\.\d\d)?")
_KEY = ("service", "period_start", "period_end", "territory", "commercial_model", "use_type", "resource_id")
_COLUMNS = (*_KEY, "isrc", "title", "artist", "n_usages", "revenue", "currency", "revenue_basis")


@dataclass
class _Total:
    """Usages and revenue of one recording in one context; `line` is the first record with them."""

    line: int
    resource: _Cells
    currency: str
    basis: str | None = None
    n_usages: float = 0.0
    revenue: float = 0.0


@dataclass
class _Report:
    """What was read of a report so far."""

    names: dict[str, list[str]] = field(default_factory=lambda: {kind: names.split() for kind, names in _CELLS.items()})
    head: _Cells = field(default_factory=dict)
    summaries: dict[str, _Cells] = field(default_factory=dict)
    block: str = ""
    resources: dict[str, _Cells] = field(default_factory=dict)
    totals: dict[tuple[str, ...], _Total] = field(default_factory=dict)
    malformed: list[int] = field(default_factory=list)
    is_complete: bool = False


def recognises(source: Source) -> bool:
    """Return whether the file begins with the header record of a report, after comments."""
    lines = (line for line in text_sample(source).splitlines() if not line.startswith(b"#"))
    first = next(lines, b"").split(b"\t")
    return first[0] in {b"HEAD", b"FHEA"} and len(first) > 1


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read the report as rows of `sales`; `table` is ignored. A row's line is the first with its usages."""
    report = _Report()
    for line, record in text_lines(source):
        _read(report, line, record)
    if not report.is_complete:
        raise UnreadableSource(f"{source.path} is a sales report without its last record, FOOT. Get the file again")
    totals = report.totals.items()
    rows = [(*key, *_values(total)) for key, total in totals]
    yield Chunk("sales", frame((total.line for _, total in totals), rows, _COLUMNS), report.malformed)


def _read(report: _Report, line: int, record: str | None) -> None:
    if record is None:
        report.malformed.append(line)
        return
    cells = record.split("\t")
    named = _TYPE.fullmatch(cells[0].strip().upper())
    if named is None:
        report.malformed += [] if cells[0].startswith("#") or not record.strip() else [line]
    elif cells[0].startswith("#"):
        report.names[named[1]] = [_SAME.get(name.strip(), name.strip()) for name in cells[1:]]
    else:
        names = report.names.get(named[1], [])
        values = {name: _unescaped(cell) for name, cell in zip(names, cells[1:], strict=False)}
        if not _take(report, named[1], values, line):
            report.malformed.append(line)


def _take(report: _Report, kind: str, cells: _Cells, line: int) -> bool:
    """Add a record to the report; returns whether it has what it needs."""
    match kind[:2]:
        case "HE" | "FH":
            report.head = cells
        case "FO" | "FF":
            report.is_complete = True
        case "SY":
            report.summaries[cells.get("SummaryRecordId", "")] = cells
        case "SR":
            report.is_complete |= kind == "SRFO"
            return kind == "SRFO" or _add(report, cells, cells, line)
        case "AS" | "RE":
            _describe(report, cells)
        case "SU":
            return _add(report, cells, _resource(report, cells), line)
    return True


def _describe(report: _Report, cells: _Cells) -> None:
    if cells.get("BlockId", "") != report.block:
        report.block, report.resources = cells.get("BlockId", ""), {}
    release = cells.get("DspReleaseId")
    known = cells if release is None else {"DspResourceId": f"release:{release}", "Title": ""}
    report.resources[cells.get("ResourceReference") or f"release:{cells.get('ReleaseReference')}"] = known


def _resource(report: _Report, usage: _Cells) -> _Cells:
    """Return the recording that was used; of a release with one recording, that recording; else the release."""
    if usage.get("BlockId", "") != report.block:
        return {}
    named = report.resources.get(usage.get("TransactedResource", ""))
    recordings = [known for name, known in report.resources.items() if not name.startswith("release:")]
    if named or len(recordings) == 1:
        return named or recordings[0]
    return report.resources.get(f"release:{usage.get('TransactedRelease')}", {})


def _add(report: _Report, usage: _Cells, resource: _Cells, line: int) -> bool:
    summary = report.summaries.get(usage.get("SummaryRecordId", ""), {})
    n_usages, resource_id = _number(usage.get("Usages")), resource.get("DspResourceId") or resource.get("ISRC")
    if n_usages is None or not resource_id or not summary:
        return False
    service = summary.get("ServiceDescription") or report.head.get("SenderName") or report.head.get("SenderPartyId", "")
    period = report.head.get("UsageStartDate", ""), _last_day(report.head.get("UsageEndDate", ""))
    context = (summary.get(name, "") for name in ("Territory", "CommercialModel", "UseType"))
    currency = summary.get("CurrencyOfReporting", "")
    total = report.totals.setdefault((service, *period, *context, resource_id), _Total(line, resource, currency))
    total.n_usages += n_usages
    revenue, basis = _revenue(usage, summary, n_usages)
    total.revenue += revenue
    total.basis = basis if total.basis in {None, basis} else "mixed"
    return True


def _revenue(usage: _Cells, summary: _Cells, n_usages: float) -> tuple[float, str | None]:
    """Return the revenue of a usage, and its basis: its price, its share in the net revenue, or None if unknown."""
    price, net = _number(usage.get("PriceConsumerPaidExcSalesTax")), _number(summary.get("NetRevenue"))
    if price:
        return price * (n_usages - (_number(usage.get("Returns")) or 0)), "price"
    all_usages = _number(summary.get("Usages"))
    return (net * n_usages / all_usages, "share") if net is not None and all_usages else (0.0, None)


def _values(total: _Total) -> tuple[str | float | None, ...]:
    known = total.resource
    revenue = total.revenue if total.basis else None
    n_usages = f"{total.n_usages:.10g}" if total.n_usages % 1 else str(int(total.n_usages))
    names = (known.get(name) or None for name in ("ISRC", "Title", "DisplayArtistName"))
    return (*names, n_usages, revenue, total.currency or None, total.basis)


def _unescaped(cell: str) -> str:
    """Return the first of repeated values, without escapes."""
    first = re.match(r"(?:\\.|[^|\\])*", cell)
    return re.sub(r"\\(.)", r"\1", first[0] if first else "").strip()


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"-?\d{1,18}(\.\d{1,18})?", text) else None


def _last_day(text: str) -> str:
    """Complete a year or month (YYYY, YYYY-MM) by its last day; other texts are kept for the contract."""
    parts = re.fullmatch(r"(\d{4})(?:-(0[1-9]|1[0-2]))?", text)
    if parts is None or parts[1] == "0000":
        return text
    month = int(parts[2] or 12)
    return f"{parts[1]}-{month:02}-{calendar.monthrange(int(parts[1]), month)[1]:02}"
