"""
Write the morning reports of the release just published: one for the operator and one per label.

They are in `<home>/reports/morning/<last day>/`: `index.html` and `index.md` for the operator, and one folder per label
in `labels/`, with the name of the label's file.
"""

from datetime import date
from pathlib import Path

from recsys import files
from recsys.home import Home
from recsys.reports.morning.findings import sections
from recsys.reports.morning.page import Report, html, markdown
from recsys.reports.morning.settings import MorningSettings
from recsys.reports.wording import ledger_note
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

OPERATOR = "Operator"


def write_reports(folder: Path, operator: Path, labels: list[Path], settings: MorningSettings, *, since: date) -> int:
    """
    Write the reports of the operator and all labels; they atomically replace earlier reports of the same day.

    Args:
        folder: Output folder.
        operator: The published warehouse.
        labels: The warehouse files of the labels.
        settings: Which findings are included.
        since: First day of ingest whose refused rows and unreadable files are included; older ones were reported.

    Returns:
        Number of reports.
    """
    with files.new_folder(folder) as beside:
        links = [
            (_write(beside / "labels" / path.stem, path, settings, since, []), f"labels/{path.stem}/index")
            for path in labels
        ]
        _write(beside, operator, settings, since, sorted(links))
    return len(links) + 1


def folder_of(home: Home, as_of: date) -> Path:
    """Return the folder of the morning reports of a date."""
    return reports_of(home) / str(as_of)


def reports_of(home: Home) -> Path:
    """Return the folder of the morning reports of all dates."""
    return home.path / "reports" / "morning"


def _write(folder: Path, warehouse: Path, settings: MorningSettings, since: date, links: list[tuple[str, str]]) -> str:
    """Write one reader's report from the reader's own warehouse file; return the reader's name."""
    from recsys.reports.morning.plots import picture  # noqa: PLC0415 - the other steps need no plots

    with Warehouse.open(warehouse) as opened:
        last_day = opened.query(internal_sql("as_of")).item()
        is_label = ("meta", "label") in opened.query(internal_sql("stored_tables")).rows()
        reader = opened.query(internal_sql("label_of_file")).item() if is_label else OPERATOR
        note = ledger_note(opened.query(internal_sql("least_listeners")).item()) if is_label else ""
        found = sections(opened, settings, since=since, is_label=is_label)
    drawn = {section.key: png for section in found if (png := picture(section, last_day)) is not None}
    report = Report(reader, last_day, found, drawn, links, note)
    folder.mkdir(parents=True, exist_ok=True)
    files.write_text(folder / "index.md", markdown(report))
    files.write_text(folder / "index.html", html(report))
    for key, png in drawn.items():
        (folder / f"{key}.png").write_bytes(png)
    return str(reader)
