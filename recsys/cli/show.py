"""
What the command line prints: tables, the progress of a run, and the summary at its end.

Titles, names and paths are printed as they are: brackets and colons in them are no markup.
"""

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text

from recsys.errors import InputError, SetupError
from recsys.feedback.loop import last_week
from recsys.home import Home
from recsys.ingest.run import IngestReport
from recsys.pipeline import summary as making
from recsys.pipeline.doctor import Finding
from recsys.pipeline.history import past_runs, steps_done
from recsys.pipeline.plan import results
from recsys.pipeline.run import Event, Run
from recsys.recipe import FLOOR
from recsys.releases import registry
from recsys.rerank.ablation import PRICE
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

if TYPE_CHECKING:
    from recsys.audio.training.train import ModelCard
    from recsys.demo import WorldSummary
    from recsys.experiments.comparison import Comparison
    from recsys.experiments.tuning import Tuned
    from recsys.library.scan import ScanReport
    from recsys.matching.report import Found
    from recsys.published.explain import Explanation

GAP = 2  # characters between two columns
LONGEST_WORD = 40  # characters; what is longer (an address, a hash) may be cut
_CONTROLS = {code: "\ufffd" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}  # a terminal obeys
out = Console(highlight=False, markup=False, emoji=False)
note = Console(stderr=True, highlight=False, markup=False, emoji=False)


def frame(rows: pl.DataFrame) -> None:
    """
    Print a frame as a table: numbers right, missing values as a dash.

    Long texts wrap between words. No id, number or heading is cut to fit the screen: a table of many columns is wider.
    """
    cells = [list(map(cell, row)) for row in rows.iter_rows()]
    texts = [[name, *column] for name, *column in zip(rows.columns, *cells, strict=True)]
    widths = _widths(texts, out.width)
    table = Table(header_style="bold", box=None, pad_edge=False, width=sum(widths) + GAP * (len(widths) - 1))
    for (name, dtype), width in zip(rows.schema.items(), widths, strict=True):
        table.add_column(name, justify="right" if dtype.is_numeric() else "left", overflow="fold", width=width)
    for row in cells:
        table.add_row(*row)
    out.print(table, crop=False)


def _widths(texts: list[list[str]], available: int) -> list[int]:
    """Return the width of each column's cells: the widest give way, but never below their longest word."""
    widths = [
        min(available, max(cell_len(line) for text in column for line in text.splitlines() or [""])) for column in texts
    ]
    least = [
        min(LONGEST_WORD, max(cell_len(word) for text in column for word in text.split() or [""])) for column in texts
    ]
    for _ in range(max(0, sum(widths) + GAP * (len(widths) - 1) - available)):
        spare = [width if width > low else 0 for width, low in zip(widths, least, strict=True)]
        if any(spare):
            widths[spare.index(max(spare))] -= 1
    return widths


def cell(value: object) -> str:
    """Write one value as a person would."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return _number(Decimal(f"{value:.4g}"))
        case int() | Decimal():
            return _number(Decimal(value))
        case list():
            return ", ".join(map(str, value)).translate(_CONTROLS)
        case _:
            return str(value).translate(_CONTROLS)


def _number(value: Decimal) -> str:
    """Write all digits, without an exponent; below 10,000 (years, decades) without separators."""
    return f"{value:,f}" if value.adjusted() >= 4 else f"{value:f}"


def answer(rows: pl.DataFrame, form: str, path: Path | None) -> None:
    """
    Give an analyst's answer as a table, or as CSV, JSON Lines or Parquet to a file or the screen.

    CSV has lists and structs as JSON text.

    Raises:
        InputError: The form cannot hold a column of the answer.
    """
    if form == "table":
        frame(rows)
        note.print(f"{rows.height:,} rows", style="dim")
        return
    writers: dict[str, Callable[[Any], object]] = {
        "csv": lambda to: _flat(rows).write_csv(to),
        "json": rows.write_ndjson,
        "parquet": rows.write_parquet,
    }
    try:
        writers[form](path or sys.stdout.buffer)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as wrong:
        reason = str(wrong).partition("\n")[0]
        raise InputError(f"The answer cannot be written as {form}: {reason}. Cast the column to text") from wrong


def _flat(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(_json_text(name) for name, dtype in rows.schema.items() if dtype.is_nested())


def _json_text(name: str) -> pl.Expr:
    text = pl.struct(v=name).struct.json_encode().str.strip_prefix('{"v":').str.strip_suffix("}")
    return pl.when(pl.col(name).is_not_null()).then(text).alias(name)


@contextmanager
def ingest_progress(n_bytes: int) -> Iterator[Callable[[Path, int], None]]:
    """Show a bar that fills with the bytes taken in."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=note, transient=True) as bar:
        task = bar.add_task("ingest", total=n_bytes)

        def advance(path: Path, done: int) -> None:
            bar.update(task, advance=done, description=path.name)

        yield advance


def epoch(event: Event) -> None:
    """Print how an epoch of training went."""
    note.print(f"epoch {event['epoch']}: loss {event['loss']:.3f}, nearest is the other piece {event['score']:.1%}")


def trained(card: "ModelCard", folder: Path) -> None:
    """Print what an encoder learned from, and how to use it."""
    out.print(f"Heard {card.n_heard:,} recordings; {card.n_unreadable:,} more cannot be decoded")
    out.print(f"Consent: {card.n_granted:,} granted, {card.n_unknown:,} unknown, {card.n_denied:,} denied")
    named = json.dumps(str(folder), ensure_ascii=False)
    out.print(f"Take it by the recipe ([audio] encoder = {named}), then scan again: {card.version}", soft_wrap=True)


def scanned(report: "ScanReport") -> None:
    """Print what a scan heard, and of which files it heard nothing or not all."""
    counts = {"analysed": report.n_analysed, "known": report.n_known, "same as another": report.n_copied}
    out.print(f"{report.n_files:,} files: " + ", ".join(f"{n:,} {what}" for what, n in counts.items()))
    for problem in report.problems():
        out.print(f"  {problem}", soft_wrap=True)
    if report.n_analysed or report.n_copied:
        out.print("The tables know it after the next build: recsys build")


def ingested(report: IngestReport) -> None:
    """Print what an ingest did, a line a file and table."""
    batches = [
        {"file": batch.source_file, "table": batch.table, "accepted": batch.n_accepted}
        | {"quarantined": batch.n_quarantined, "duplicate": batch.n_duplicate}
        for batch in report.batches
    ]
    if batches:
        frame(pl.DataFrame(batches))
    if report.known_files:
        out.print(f"{len(report.known_files):,} files were in the lake already: nothing to do for them")
    for _path, reason in report.unreadable:
        note.print(f"Not taken in: {reason}", soft_wrap=True)
    if any(batch["quarantined"] for batch in batches):
        note.print("Why rows were refused: recsys build, then recsys query refused_rows", style="dim")


def event(happened: Event, *, counts: bool = True) -> None:
    """Print one event of a run as a line; `counts`: what a step counted too."""
    match happened["event"]:
        case "start" if note.is_terminal:
            note.print(f"  {happened['step']} ...", end="\r")  # the next line takes its place
        case "done":
            said = ", ".join(f"{name.removeprefix('n_')} {cell(value)}" for name, value in _plain(happened))
            line = f"  {happened['step']:<10}{happened['seconds']:8.1f} s"
            note.print(f"{line}   {said}" if counts else line, soft_wrap=True)
        case "failed":
            note.print(f"  {happened['step']:<10} stopped")
        case "trial":
            shown = "{recommender:<12} trial {trial} of {of}: nDCG {value:.4f}, best {best:.4f}"
            note.print(f"  {shown.format(**happened)}")
        case "fitted":
            cost = f"{happened['train_cpu_seconds']:.1f} CPU-s, {happened['listeners_per_second']:,.0f} listeners/s"
            note.print(f"  {happened['recommender']:<12} fitted: {cost}")
        case "week":
            note.print(f"  {happened['remedy']:<22} week {happened['week']} of {happened['of']}")
        case "warning":
            note.print(f"  warning: {happened['text']}", soft_wrap=True)
        case "nothing to do" if happened["is_current"]:
            note.print(f"The run {happened['run']} is finished and is current. Nothing to do")


def _plain(happened: Event) -> Iterator[tuple[str, object]]:
    hidden = {"at", "run", "event", "step", "seconds", "folder", "warehouse", "marts", "against", "p_values"}
    shown = ((name, len(value) if isinstance(value, dict) else value) for name, value in happened.items())
    return ((name, value) for name, value in shown if name not in hidden and isinstance(value, (int, str)))


def summary(run: Run, *, verbose: bool = False) -> None:
    """
    Say what a finished run made, how good it is and what to try next; or that another release is current.

    Args:
        run: The run.
        verbose: Whether to list the size of every table too.
    """
    if registry.current_name(run.home) != run.run_id:
        remedy = f"To bring it back: {command_line(run.home, ['rollback', run.run_id])}"
        out.print(f"The run {run.run_id} is finished but not current. {remedy}", soft_wrap=True)
        return
    with Warehouse.open(run.home.published_warehouse()) as warehouse:
        tables, sampled = warehouse.frame(internal_sql("mart_sizes")), making.samples(warehouse)
        commands = making.next_commands(warehouse, sampled)
    out.print(Text.assemble("\n", (f"Run {run.run_id}", "bold"), " is published.\n"))
    _areas(making.areas(steps_done(run.folder), tables, run.recipe.export.k))
    if verbose:
        out.print()
        frame(tables)
    out.print()
    quality(run)
    for sample in sampled:
        _sample(sample)
    _title("Where things lie")
    for name, path in making.locations(run).items():
        out.print(f"  {name:<10} {_relative(path)}", soft_wrap=True)
    _title("Try next")
    for words in commands:
        out.print(f"  {cell(command_line(run.home, words))}", soft_wrap=True)


def _title(text: str) -> None:
    out.print(Text(f"\n{text}", "bold"))


def _areas(lines: list[making.Area]) -> None:
    """Print a line per area, its time at the right, and the time of all."""
    table = Table.grid(Column(), Column(ratio=1), Column(justify="right", min_width=9), padding=(0, GAP, 0, 0))
    for area in lines:
        table.add_row(area.name, area.made, "" if area.seconds is None else f"{area.seconds:,.1f} s")
    table.add_row("All", "", f"{sum(area.seconds or 0 for area in lines):,.1f} s")
    out.print(table)


def _sample(sample: making.Sample) -> None:
    """Print the head of a listener's list: title - artist, and below it why."""
    out.print(Text.assemble("\nListener ", (sample.user_id, "bold"), f": {sample.about}"))
    table = Table.grid(Column(justify="right", width=4), Column(), padding=(0, GAP, 0, 0))
    for row in sample.tracks.iter_rows(named=True):
        name = " - ".join(filter(None, (row["title"], row["artist_name"])))
        table.add_row(str(row["rank"]), Text(cell(f"{name}\n{row['reason']}")))
    out.print(table)


METRICS = {  # metric -> its heading, and what it means, for a mean over listeners
    "ndcg": ("nDCG@{k}", "how high up the tracks stand that were played next; 1 is best"),
    "recall": ("recall@{k}", "share of the tracks played next that are among the {k}"),
    "hit_rate": ("hits@{k}", "share of listeners who played at least one of the {k} next"),
}
EFFECTS = {  # metric -> its heading, and what it means
    "intra_list_diversity": ("diversity", "how unlike a list's tracks are; 0 all alike, 1 nothing shared"),
    "miscalibration": ("genre gap", "distance to the listener's own mix of genres; 0 is the same"),
    "popularity_lift": ("lift", "how much better known than the listener's own tracks; 1 is twice"),
    "exposure_gini": ("Gini", "how unevenly tracks are shown; near 1 only a few of them are"),
}


def quality(run: Run) -> None:
    """Print how good each recommender was, beside the popularity floor, and which would be a better choice."""
    metrics = pl.read_parquet(results()["run_metrics"].path(run))
    ours, is_model = run.recipe.recommender, ~pl.col("recommender").str.contains("+", literal=True)
    found = metrics.filter(is_model, metric="ndcg").sort("value", descending=True)
    k, n_users = found["k"][0], found["n_users"][0]
    out.print(f"Judged on {n_users:,} listeners, on days that no model was trained on:")
    frame(_qualities(metrics, found, ours))
    _meanings({name: meaning for name, meaning in METRICS.items() if name in metrics["metric"]}, k)
    high = found.row(by_predicate=pl.col("recommender") == ours, named=True)["high"]
    better = found.filter(pl.col("recommender").is_in(run.recipe.names), pl.col("low") > high)["recommender"]
    if len(better):
        would = f'recommender = "{better[0]}" in recipe.toml would export it'
        out.print(f"{better[0]} found significantly more on these days: {would}", soft_wrap=True)
    if PRICE in metrics["metric"]:
        out.print("\nWhat the rules for lists change, each alone and all together (rerank):")
        frame(_rules(metrics, ours))
        _meanings(EFFECTS, k)


def _qualities(metrics: pl.DataFrame, found: pl.DataFrame, ours: str) -> pl.DataFrame:
    """Lay out the metrics of each recommender in `found`, and what it is here."""
    marks = {ours: "exported", FLOOR: "popularity floor", "champion": "in charge before"}
    k = found["k"][0]
    wide = metrics.pivot("metric", index="recommender", values="value")
    others = [name for name in METRICS if name in wide.columns and name != "ndcg"]
    return found.join(wide, on="recommender", maintain_order="left").select(
        "recommender",
        pl.col("value").round(4).alias(METRICS["ndcg"][0].format(k=k)),
        pl.format("{} to {}", pl.col("low").round(4), pl.col("high").round(4)).alias("95 % interval"),
        *(pl.col(name).round(4).alias(METRICS[name][0].format(k=k)) for name in others),
        pl.col("recommender").replace_strict(marks, default="").alias(""),
    )


def _meanings(metrics: Mapping[str, tuple[str, str]], k: int) -> None:
    """Print what each heading means."""
    table = Table.grid(Column(), Column(), padding=(0, GAP, 0, 0))
    for heading, meaning in metrics.values():
        table.add_row(f"  {heading.format(k=k)}", meaning.format(k=k))
    out.print(table, style="dim")


def _rules(metrics: pl.DataFrame, name: str) -> pl.DataFrame:
    """Lay the lists of a recommender, without and with rules, side by side."""
    is_own = (pl.col("recommender") == name) | pl.col("recommender").str.starts_with(f"{name}+")
    wide = metrics.filter(is_own).pivot("metric", index="recommender", values=["value", "low", "high"])
    price = pl.format("{} ({} to {})", *(_percent(f"{part}_{PRICE}") for part in ("value", "low", "high")))
    return wide.sort("recommender").select(
        pl.col("recommender").str.strip_prefix(f"{name}+").alias("lists"),
        price.fill_null("").alias("nDCG given up, %"),
        *(pl.col(f"value_{metric}").round(3).alias(heading) for metric, (heading, _) in EFFECTS.items()),
    )


def _percent(column: str) -> pl.Expr:
    return (pl.col(column) * 100).round(1) + 0.0  # and never -0.0


def compared(comparison: "Comparison") -> None:
    """Print each recommender's main metrics on the test cut, best first, and what it cost."""
    k, cut = comparison.k, comparison.protocol.test
    wide = comparison.metrics().pivot("metric", index="recommender", values=["value", "low", "high"])
    paired = comparison.against(comparison.best()).select("recommender", "p_holm")
    costs = pl.DataFrame([{"recommender": name, **cost} for name, cost in comparison.costs.items()], strict=False)
    joined = wide.join(paired, on="recommender", how="left").join(costs, on="recommender")
    rows = joined.sort("value_ndcg", descending=True).select(
        "recommender",
        pl.col("value_ndcg").round(4).alias(f"nDCG@{k}"),
        pl.format("{} to {}", pl.col("low_ndcg").round(3), pl.col("high_ndcg").round(3)).alias("95 % interval"),
        pl.col("value_recall").round(4).alias(f"recall@{k}"),
        pl.col("p_holm").round(4).alias("p"),
        pl.col("train_cpu_seconds").round(1).alias("fit CPU-s"),
        pl.col("listeners_per_second").round(0).cast(pl.Int64).alias("lists/s"),
    )
    n_judged = len(comparison.rankings[comparison.best()]["user_id"].unique())
    out.print(
        f"Protocol {comparison.protocol.name}, full ranking of {len(cut.train.tracks):,} tracks for {n_judged:,} "
        f"listeners ({cut.n_cold_users:,} unknown to training are not judged). p: against the best, after Holm.",
        soft_wrap=True,
    )
    frame(rows)


def simulated(weeks: pl.DataFrame, page: Path) -> None:
    """Print how remedies compare in the last week, and where the report is."""
    table = last_week(weeks)
    plain = {name: name.removeprefix("exposure ").rpartition("=")[2].replace("_", " ") for name in table.columns}
    frame(table.rename(plain).with_columns(pl.selectors.float().round(3)))
    out.print(f"\nReport  {_relative(page)}")


def tuned(name: str, found: "Tuned") -> None:
    """Print the best settings of a search as a section of a recipe."""
    out.print(f"# nDCG {found.value:.4f} on the validation period, best of {found.n_trials} trials")
    out.print(f"[recommenders.{name}]")
    for setting, value in asdict(found.config).items():
        out.print(f"{setting} = {json.dumps(value)}")


def runs(home: Home) -> None:
    """Print every run with its verdict and quality, and which release is current."""
    found = past_runs(home)
    if found.is_empty():
        out.print("No runs yet. Begin with: recsys nightly")
        return
    frame(found.drop("reasons", "is_current").rename({"n_steps": "steps done", "ndcg": "nDCG"}))
    for run, reasons in found.filter(verdict="refused").select("run", "reasons").iter_rows():
        out.print(f"{run} was refused: {'; '.join(reasons)}", soft_wrap=True)
    on_disk = registry.release_names(home)
    out.print(f"\nCurrent: {registry.current_name(home) or 'none'}. On disk: {', '.join(on_disk) or 'none'}")


def _relative(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def command_line(home: Home, words: list[str]) -> str:
    """Write a command on this home as a shell takes it, from where the reader is: names and paths quoted."""
    return shlex.join([*_program(home), *words])


def _program(home: Home) -> list[str]:
    called, found = Path(sys.argv[0]), which("recsys")
    is_found = called.name != "recsys" or (found is not None and called.exists() and called.samefile(found))
    return ["recsys" if is_found else _relative(called.absolute()), "--home", _relative(home.path.absolute())]


def about(described: pl.DataFrame) -> None:
    """Print what a table is, what tells its rows apart, and what it reads and feeds."""
    row = described.row(0, named=True)
    out.print(Text.assemble((row["name"], "bold"), f"  {row['description']}\n"))
    facts = {"grain": row["grain"] or "none", "rows": row["n_rows"], "reads": row["reads"], "read by": row["read_by"]}
    for name, value in facts.items():
        out.print(f"{name:<8} {cell(value) if value is not None else 'nothing'}")
    out.print()


def explained(explanation: "Explanation", n: int) -> None:
    """Print where a track stands for a listener and the tracks that say most, for and against."""
    place = "not in the published list" if explanation.rank is None else f"rank {explanation.rank}"
    out.print(f"{explanation.track}: {place}{f', {explanation.reason}' if explanation.reason else ''}", soft_wrap=True)
    said = explanation.contributions
    if said.is_empty():
        out.print("No track of this listener speaks for or against it: the model learns from none of their plays.")
        return
    frame(said.sort(pl.col("contribution").abs(), descending=True, maintain_order=True).head(n))
    out.print(f"{min(n, said.height):,} of {said.height:,} tracks of this listener, those that say most")


def findings(found: list[Finding]) -> int:
    """Print what the doctor found; return the exit code: 0 if all is fit, else 3."""
    for each in found:
        out.print(f"{'ok ' if each.is_fit else 'BAD'}  {each.what:<18} {each.found}")
        if not each.is_fit:
            out.print(f"     {'':<18} -> {each.remedy}")
    return 0 if all(each.is_fit for each in found) else SetupError.exit_code


def world(made: "WorldSummary") -> None:
    """Print the files of a demo world."""
    frame(pl.DataFrame({"table": list(made.rows), "rows": list(made.rows.values())}))
    raw = made.files[0].parent
    n_recordings = sum(1 for _ in (raw / "audio").glob("*.mp3"))
    out.print(f"\nIn {_relative(raw)}: {len(made.files)} files and {n_recordings} recordings")
    out.print(f"What is true of them: {_relative(made.truth)}", soft_wrap=True)


def looked_through(path: Path) -> None:
    """Tell that a file was looked through, where a person watches."""
    if note.is_terminal:
        note.print(f"looked through {path.name}")


def matched(found: "Found") -> None:
    """Print the cue sheets, and what could not be heard."""
    from recsys.reports.wording import clock

    uses = found.table
    for sheet in found.sheets:
        out.print(f"\n{sheet.path}  {clock(sheet.duration_s)}")
        own = uses.filter(file=str(sheet.path))
        if sheet.failure is not None:
            out.print(f"could not be heard: {sheet.failure.message}")
        elif own.is_empty():
            out.print("no recording of the catalogue was found in it")
        else:
            frame(own.select(*_matched()))
    out.print("\nWhat is found is that recordings sound alike, not that a right was infringed.")


def _matched() -> tuple[pl.Expr, ...]:
    from recsys.reports.wording import clock

    def span(start: str, end: str) -> pl.Expr:
        return pl.format("{}-{}", *(pl.col(each).map_elements(clock, return_dtype=pl.String) for each in (start, end)))

    owner = pl.concat_str("title", "artist_name", "label_name", separator=", ", ignore_nulls=True)
    return (
        span("starts_s", "ends_s").alias("in the file"),
        pl.format("{} ({})", owner, pl.col("track_id").fill_null("no track")).alias("recording"),
        span("reference_starts_s", "reference_ends_s").alias("in it"),
        pl.col("transformation").alias("changed"),
        pl.format("{} %", (100 * pl.col("probability")).round(1)).alias("sure"),
    )


def taken_down(releases: list[str]) -> None:
    """Say what a takedown did."""
    out.print(f"Taken out of the indexes of {len(releases)} releases: {', '.join(releases) or 'none held it'}")
    out.print("Lists leave it out from the next night on.")
