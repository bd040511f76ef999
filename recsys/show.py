"""
What the command line prints: tables, the progress of a run, and the summary at its end.

Titles, names and paths are printed as they are: brackets and colons in them are no markup.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from recsys import registry
from recsys.demo import WorldSummary
from recsys.doctor import Finding
from recsys.errors import InputError, SetupError
from recsys.feedback.loop import last_week
from recsys.home import Home
from recsys.ingest.run import IngestReport
from recsys.morning.write import folder_of
from recsys.past_runs import past_runs
from recsys.recipe import FLOOR
from recsys.rerank.price import PRICE
from recsys.run import Event, Run
from recsys.warehouse.query import Warehouse

if TYPE_CHECKING:
    from recsys.audio.train import ModelCard
    from recsys.comparison import Comparison
    from recsys.explain import Explanation
    from recsys.matching.report import Found
    from recsys.scan.run import ScanReport
    from recsys.tune import Tuned

N_SAMPLED, N_SHOWN = 3, 3
_CONTROLS = {code: "\ufffd" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}  # a terminal obeys
out = Console(highlight=False, markup=False, emoji=False)
note = Console(stderr=True, highlight=False, markup=False, emoji=False)


def frame(rows: pl.DataFrame) -> None:
    """Print a frame as a table: numbers right, missing values as a dash."""
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name, dtype in rows.schema.items():
        table.add_column(name, justify="right" if dtype.is_numeric() else "left", overflow="fold")
    for row in rows.iter_rows():
        table.add_row(*map(cell, row))
    out.print(table)


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
    out.print(f'Take it by the recipe ([audio] encoder = "{folder}"), then scan again: {card.version}')


def scanned(report: "ScanReport") -> None:
    """Print what a scan heard, and of which files it heard nothing or not all."""
    counts = {"analysed": report.n_analysed, "known": report.n_known, "same as another": report.n_copied}
    out.print(f"{report.n_files:,} files: " + ", ".join(f"{n:,} {what}" for what, n in counts.items()))
    for file, lost_ms in report.damaged.items():
        out.print(f"  {file}: {lost_ms / 1000:.1f} s of it are lost")
    for file, failure in report.failures.items():
        out.print(f"  {file}: {failure.reason}: {failure.message}")
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
    for path, reason in report.unreadable:
        note.print(f"Not taken in: {_relative(path)}: {reason}", soft_wrap=True)
    if any(batch["quarantined"] for batch in batches):
        note.print("Why rows were refused: recsys build, then recsys query refused_rows", style="dim")


def event(happened: Event) -> None:
    """Print one event of a run as a line."""
    match happened["event"]:
        case "start":
            note.print(f"  {happened['step']:<10}", end="")
        case "done":
            counts = (f"{name.removeprefix('n_')} {cell(value)}" for name, value in _plain(happened))
            note.print(f"{happened['seconds']:8.1f} s   {', '.join(counts)}", soft_wrap=True)
        case "failed":
            note.print("  stopped")
        case "trial":
            shown = "{recommender:<12} trial {trial} of {of}: nDCG {value:.4f}, best {best:.4f}"
            note.print(f"  {shown.format(**happened)}")
        case "fitted":
            cost = f"{happened['train_cpu_seconds']:.1f} CPU-s, {happened['listeners_per_second']:,.0f} listeners/s"
            note.print(f"  {happened['recommender']:<12} fitted: {cost}")
        case "week":
            note.print(f"  {happened['remedy']:<22} week {happened['week']} of {happened['of']}")
        case "warning":
            note.print(f"\n  warning: {happened['text']}", markup=False, soft_wrap=True)
        case "nothing to do" if happened["is_current"]:
            note.print(f"The run {happened['run']} is finished and is current. Nothing to do")


def _plain(happened: Event) -> Iterator[tuple[str, object]]:
    hidden = {"at", "run", "event", "step", "seconds", "folder", "warehouse", "marts", "against", "p_values"}
    shown = ((name, len(value) if isinstance(value, dict) else value) for name, value in happened.items())
    return ((name, value) for name, value in shown if name not in hidden and isinstance(value, (int, str)))


def summary(run: Run) -> None:
    """Say what a finished run made, how good it is and what to try next; or that another release is current."""
    if registry.current_name(run.home) != run.run_id:
        remedy = f"To bring it back: recsys rollback {run.run_id}"
        out.print(f"The run {run.run_id} is finished but not current. {remedy}", soft_wrap=True)
        return
    with Warehouse.open(run.home.published_warehouse()) as warehouse:
        out.print(Text.assemble("\n", (f"Run {run.run_id}", "bold"), " is published.\n"))
        frame(
            warehouse.frame(
                "select name as table, n_rows as rows from meta.tables where name like 'marts.%' order by 1"
            )
        )
        out.print()
        quality(run)
        out.print(f"\nExport     {_relative(run.export)}")
        out.print(f"Warehouse  {_relative(run.home.warehouse)}")
        if run.outcome("morning"):
            out.print(f"Morning    {_relative(folder_of(run) / 'index.html')}")
        samples = _samples(warehouse)
    for (listener,), rows in samples.group_by(["user_id"], maintain_order=True):
        out.print(Text.assemble("\nListener ", (str(listener), "bold")))
        frame(rows.select(rank="rank", title="title", artist="artist_name", why="reason"))
    words = str(samples["artist_name"].drop_nulls().first() if samples.height else "love")
    out.print("\nTry next")
    for line in (f'find "{words}"', "query top_tracks", "describe interactions_daily", "dashboard"):
        out.print(f"  {_command(run.home)} {line}")


def quality(run: Run) -> None:
    """Print how good each recommender was, beside the popularity floor, and which would be a better choice."""
    metrics = pl.read_parquet(run.metrics)
    ours, is_model = run.recipe.recommender, ~pl.col("recommender").str.contains("+", literal=True)
    found = metrics.filter(is_model, metric="ndcg").sort("value", descending=True)
    marks = {ours: "exported", FLOOR: "the floor", "champion": "in charge before"}
    k, n_users = found["k"][0], found["n_users"][0]
    rows = found.select(
        "recommender",
        pl.col("value").round(4).alias(f"nDCG@{k}"),
        pl.format("{} to {}", pl.col("low").round(4), pl.col("high").round(4)).alias("95 % interval"),
        pl.col("recommender").replace_strict(marks, default="").alias(""),
    )
    out.print(f"Judged on {n_users:,} listeners, on days that no model was trained on:")
    frame(rows)
    high = found.row(by_predicate=pl.col("recommender") == ours, named=True)["high"]
    better = found.filter(pl.col("recommender").is_in(run.recipe.names), pl.col("low") > high)["recommender"]
    if len(better):
        would = f'recommender = "{better[0]}" in recipe.toml would export it'
        out.print(f"{better[0]} found significantly more on these days: {would}", soft_wrap=True)
    if PRICE in metrics["metric"]:
        out.print("\nWhat the rules for lists change, each alone and all together (rerank):")
        frame(_rules(metrics, ours))


def _rules(metrics: pl.DataFrame, name: str) -> pl.DataFrame:
    """Lay the lists of a recommender, without and with rules, side by side."""
    is_own = (pl.col("recommender") == name) | pl.col("recommender").str.starts_with(f"{name}+")
    wide = metrics.filter(is_own).pivot("metric", index="recommender", values=["value", "low", "high"])
    price = pl.format("{} ({} to {})", *(_percent(f"{part}_{PRICE}") for part in ("value", "low", "high")))
    shown = {
        "diversity": "intra_list_diversity",
        "off mix": "miscalibration",
        "lift": "popularity_lift",
        "Gini": "exposure_gini",
    }
    return wide.sort("recommender").select(
        pl.col("recommender").str.strip_prefix(f"{name}+").alias("lists"),
        price.fill_null("").alias("nDCG given up, %"),
        *(pl.col(f"value_{metric}").round(3).alias(header) for header, metric in shown.items()),
    )


def _percent(column: str) -> pl.Expr:
    return (pl.col(column) * 100).round(1)


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


def _samples(warehouse: Warehouse) -> pl.DataFrame:
    return warehouse.frame(
        """
        with chosen as (
            select user_id from marts.listener_profile where n_tracks >= 10 order by hash(user_id) limit $n
        )
        select user_id, rank, title, artist_name, reason
        from marts.recommendations
        inner join chosen using (user_id)
        inner join marts.track_features using (track_id)
        where rank <= $shown
        order by user_id, rank
        """,
        {"n": N_SAMPLED, "shown": N_SHOWN},
    )


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


def _command(home: Home) -> str:
    called = Path(sys.argv[0])
    program = _relative(called.absolute()) if called.name == "recsys" else "recsys"
    return f"{program} --home {_relative(home.path.absolute())}"


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


def world(made: WorldSummary) -> None:
    """Print the files of a demo world."""
    frame(pl.DataFrame({"table": list(made.rows), "rows": list(made.rows.values())}))
    out.print(f"\n{len(made.files)} files in {_relative(made.files[0].parent)}, the truth in {_relative(made.truth)}")


def looked_through(path: Path) -> None:
    """Tell that a file was looked through, where a person watches."""
    if note.is_terminal:
        note.print(f"looked through {path.name}")


def matched(found: "Found") -> None:
    """Print the cue sheets, and what could not be heard."""
    from recsys.matching.words import clock  # noqa: PLC0415 - the package of matching loads a network

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
    from recsys.matching.words import clock  # noqa: PLC0415 - likewise

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
