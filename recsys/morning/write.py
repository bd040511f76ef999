"""
The morning step of a night: reports for the operator and every label, from what was just published.

They lie in `<home>/reports/morning/<last day>/`: `index.html` and `index.md` for the operator, a folder a label in
`labels/`, named as the label's file is.
"""

from pathlib import Path

from recsys import extras, files, registry
from recsys.home import Home
from recsys.morning.findings import sections
from recsys.morning.page import Report, html, markdown
from recsys.recipe import MorningSettings
from recsys.run import Event, Run
from recsys.warehouse.query import Warehouse

OPERATOR = "Operator"
LABEL_SQL = "select coalesce(name, label_id) as name from meta.label"


def morning(run: Run) -> Event:
    """Write every report of the current release, replacing those of the same day at once."""
    release = registry.current(run.home)
    lacking = extras.lacking("matplotlib")
    if release is None or lacking:
        run.log(event="warning", text=f"no morning report. {lacking or 'It needs a release'}")
        return {"n_reports": 0}
    folder = folder_of(run)
    beside = folder.with_name(f".{folder.name}.partial")
    files.remove(beside)
    links = [
        (_write(beside / "labels" / path.stem, path, run.recipe.morning, []), f"labels/{path.stem}/index")
        for path in release.warehouses()[1:]
    ]
    _write(beside, release.warehouse, run.recipe.morning, sorted(links))
    files.place_folder(beside, folder)
    return {"n_reports": len(links) + 1, "folder": str(folder)}


def folder_of(run: Run) -> Path:
    """Return where the reports of a run's date lie."""
    return reports_of(run.home) / str(run.as_of)


def reports_of(home: Home) -> Path:
    """Return where the morning reports of all dates lie."""
    return home.path / "reports" / "morning"


def _write(folder: Path, warehouse: Path, settings: MorningSettings, links: list[tuple[str, str]]) -> str:
    """Write one reader's report from the file that the reader may open; return the reader's name."""
    from recsys.morning.plots import picture  # noqa: PLC0415 - the other steps need no plots

    with Warehouse.open(warehouse) as opened:
        last_day = opened.frame("select as_of from meta.build").item()
        tables = opened.frame("select table_name from information_schema.tables where table_schema = 'meta'")
        is_label = "label" in tables["table_name"].to_list()
        reader = opened.frame(LABEL_SQL).item() if is_label else OPERATOR
        told = sections(opened, settings, is_label=is_label)
    drawn = {section.key: png for section in told if (png := picture(section, last_day)) is not None}
    report = Report(reader, last_day, told, drawn, links, is_label)
    folder.mkdir(parents=True, exist_ok=True)
    files.write_text(folder / "index.md", markdown(report))
    files.write_text(folder / "index.html", html(report))
    for key, png in drawn.items():
        (folder / f"{key}.png").write_bytes(png)
    return str(reader)
