"""A morning report as Markdown, and as one HTML page with its images embedded, so that it can be mailed."""

from dataclasses import dataclass
from datetime import date

from recsys.reports.html import render
from recsys.reports.markdown import escaped
from recsys.reports.morning.findings import Section


@dataclass(frozen=True)
class Report:
    """
    The report of one reader.

    Attributes:
        reader: Name of the label, or 'Operator'.
        last_day: Last day of listening that the report includes.
        sections: Sections of findings.
        pictures: Key of a section -> its plots as a PNG image.
        links: Name and relative address of the labels' reports, for the operator.
        note: What the figures of a label's report include; '' in the operator's.
    """

    reader: str
    last_day: date
    sections: list[Section]
    pictures: dict[str, bytes]
    links: list[tuple[str, str]]
    note: str

    @property
    def title(self) -> str:
        """Title of the report: reader and last day."""
        return f"{self.reader}, {self.last_day:%-d %B %Y}"

    @property
    def lead(self) -> str:
        """One line with the number of findings of each section."""
        return " · ".join(f"{section.title}: {len(section.findings)}" for section in self.sections)


def markdown(report: Report) -> str:
    """Return a report as Markdown; its images are separate files `<section>.png`."""
    lines = [f"# {escaped(report.title)}", "", report.lead, ""]
    for section in report.sections:
        lines += [f"## {section.title}", ""]
        lines += [f"- {escaped(finding.text)}" for finding in section.findings] or [section.nothing]
        if section.key in report.pictures:
            lines += ["", f"![{section.title}: {section.unit}]({section.key}.png)"]
        lines.append("")
    if report.note:
        lines += [f"*{report.note}*", ""]
    if report.links:
        lines += ["## Labels", "", *(f"- [{escaped(name)}]({address}.md)" for name, address in report.links), ""]
    return "\n".join(lines)


def html(report: Report) -> str:
    """Return a report as one self-contained HTML page."""
    return render("morning.html", report=report)
