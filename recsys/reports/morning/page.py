"""A morning report as Markdown, and as one HTML page with its images embedded, so that it can be mailed."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import date
from html import escape

from recsys.reports.markdown import escaped
from recsys.reports.morning.findings import Section

ROUNDED = "Counts are rounded down to tens. Values from fewer than ten listeners are suppressed."
STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.7rem; line-height: 1.2; margin-bottom: .3rem }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem }
h2 small { font-weight: 400 }
li { margin: .3rem 0 }
img { max-width: 100%; height: auto; background: #fff; border-radius: 4px; margin-top: .5rem }
.quiet, small { opacity: .75 }
"""


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
        is_label: Whether it is a label's report, with rounded counts.
    """

    reader: str
    last_day: date
    sections: list[Section]
    pictures: dict[str, bytes]
    links: list[tuple[str, str]]
    is_label: bool

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
    if report.is_label:
        lines += [f"*{ROUNDED}*", ""]
    if report.links:
        lines += ["## Labels", "", *(f"- [{escaped(name)}]({address}.md)" for name, address in report.links), ""]
    return "\n".join(lines)


def html(report: Report) -> str:
    """Return a report as one self-contained HTML page."""
    body = "".join(_section(section, report.pictures.get(section.key)) for section in report.sections)
    links = "".join(f'<li><a href="{escape(address)}.html">{escape(name)}</a></li>' for name, address in report.links)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(report.title)}</title><style>{STYLE}</style></head><body>
<h1>{escape(report.title)}</h1>
<p class="quiet">{escape(report.lead)}</p>
{body}{f"<h2>Labels</h2><ul>{links}</ul>" if links else ""}
{f"<p><small>{ROUNDED}</small></p>" if report.is_label else ""}
</body></html>
"""


def _section(section: Section, picture: bytes | None) -> str:
    items = "".join(f"<li>{escape(finding.text)}</li>" for finding in section.findings)
    drawn = ""
    if picture:
        source = b64encode(picture).decode()
        drawn = f'<img src="data:image/png;base64,{source}" alt="{escape(section.title)}: {escape(section.unit)}">'
    listed = f"<ul>{items}</ul>" if items else f"<p>{escape(section.nothing)}</p>"
    return f"<h2>{escape(section.title)}</h2>{listed}{drawn}"
