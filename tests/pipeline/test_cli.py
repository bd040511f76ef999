"""The command line as a person uses it: each command, its answer, its exit code, its words when something is wrong."""

import ast
import csv
import inspect
import io
import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from recsys.cli import main
from recsys.home import Home
from recsys.pipeline.run import Run
from recsys.products.base import product_names
from recsys.published.explain import explain
from recsys.warehouse.sqlfile import read_layers

from ..nights import World, result_table

ROOT = Path(__file__).parents[2]


def call(home: Home, *words: str) -> Result:
    """Call the command line in this process."""
    return CliRunner().invoke(main, ["--home", str(home.path), *words])


def test_help_names_every_command() -> None:
    """Each with what it does; bench/start.py times it."""
    shown = CliRunner().invoke(main, ["--help"]).output

    assert all(f"  {name} " in shown for name in main.commands)


def test_every_command_is_in_the_documents() -> None:
    """A command that nobody can find does not exist."""
    text = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))

    assert [name for name in main.commands if f"recsys {name}" not in text] == []


def test_commands_are_at_most_ten_lines() -> None:
    """A command reads its options, calls one function and shows the answer."""
    functions = {name: command.callback for name, command in main.commands.items() if command.callback is not None}

    code = {name: _body_lines(function) for name, function in functions.items()}

    assert {name: n for name, n in code.items() if n > 10} == {}


def _body_lines(function: Callable[..., object]) -> int:
    source = inspect.getsource(inspect.unwrap(function))
    (definition,) = ast.parse(source).body
    assert isinstance(definition, ast.FunctionDef)
    after_docstring = source.splitlines()[definition.body[0].end_lineno :]
    return len([line for line in after_docstring if line.strip()])


def test_an_analyst_gets_tables_csv_json_and_parquet(finished: Run, tmp_path: Path) -> None:
    """One question, four forms, the same rows."""
    question = (
        "select track_id, genres, n_plays from marts.track_features join marts.track_daily using (track_id) limit 5"
    )

    table = call(finished.home, "sql", question)
    as_csv = call(finished.home, "sql", question, "--csv")
    as_json = call(finished.home, "sql", question, "--json")
    call(finished.home, "sql", question, "--parquet", "--out", str(tmp_path / "answer.parquet"))

    assert "5 rows" in table.output
    assert len(list(csv.DictReader(io.StringIO(as_csv.stdout)))) == 5
    assert len([json.loads(line) for line in as_json.stdout.splitlines()]) == 5
    assert pl.read_parquet(tmp_path / "answer.parquet").columns == ["track_id", "genres", "n_plays"]


def test_csv_takes_lists_structs_and_intervals(finished: Run) -> None:
    """Lists and structs as JSON text, intervals as text; nothing missing becomes a word."""
    question = "select [1, 2] as l, {'a': 1, 'b': ['x|y']} as s, interval 3 day as i, null::int[] as n"

    shown = call(finished.home, "sql", question, "--csv").stdout

    assert list(csv.DictReader(io.StringIO(shown))) == [
        {"l": "[1,2]", "s": '{"a":1,"b":["x|y"]}', "i": "3 days", "n": ""}
    ]


def test_titles_are_printed_as_they_are(finished: Run) -> None:
    """Brackets are no markup, colons no emoji."""
    shown = call(finished.home, "sql", "select 'Song [live] x' as a, 'a [/b] c' as b, ':smile:' as c")

    assert shown.exit_code == 0
    for title in ("Song [live] x", "a [/b] c", ":smile:"):
        assert title in shown.stdout


def test_a_wrong_query_exits_2_with_the_reason(finished: Run) -> None:
    """The message alone, no stack trace."""
    wrong = call(finished.home, "sql", "select nothing from nowhere")

    assert wrong.exit_code == 2
    assert wrong.stderr.startswith("InputError: The query failed")
    assert "Traceback" not in wrong.stderr


def test_describe_tells_grain_columns_units_and_lineage(finished: Run) -> None:
    """What the header says, without opening the file."""
    shown = call(finished.home, "describe", "track_daily").output

    for word in ("track_id, listen_date", "ms_played", "ms", "marts.interactions_daily", "read by"):
        assert word in shown


def test_a_misspelt_table_gets_a_hint(finished: Run) -> None:
    """The nearest right name is offered."""
    wrong = call(finished.home, "describe", "track_dayly")

    assert wrong.exit_code == 2
    assert "Did you mean 'marts.track_daily'" in wrong.stderr


def test_a_named_query_takes_parameters(finished: Run) -> None:
    """As many rows as asked for; an unknown parameter is refused."""
    asked = call(finished.home, "query", "top_tracks", "--param", "n=3", "--csv")
    wrong = call(finished.home, "query", "top_tracks", "--param", "m=3")

    assert len(asked.stdout.splitlines()) == 4
    assert wrong.exit_code == 2
    assert "has no parameter 'm'" in wrong.stderr


def test_a_parameter_needs_its_value(finished: Run) -> None:
    """What was expected is said."""
    wrong = call(finished.home, "query", "top_tracks", "--param", "n")

    assert wrong.exit_code == 2
    assert "--param is 'n'; expected NAME=VALUE" in wrong.stderr


def test_a_day_that_does_not_exist_is_not_the_last_day(finished: Run) -> None:
    """Only an empty as_of is the last one."""
    wrong = call(finished.home, "query", "breaking_out", "--param", "as_of=2026-13-45")
    empty = call(finished.home, "query", "breaking_out", "--param", "as_of=")

    assert wrong.exit_code == 2
    assert "2026-13-45" in wrong.stderr
    assert empty.exit_code == 0


def test_query_without_a_name_lists_the_queries(tmp_path: Path) -> None:
    """With what they answer and their parameters, as one writes them; no warehouse is needed."""
    shown = call(Home(tmp_path / "none"), "query", "--json")

    listed = {row["name"]: row for row in map(json.loads, shown.stdout.splitlines())}
    assert listed["top_tracks"]["description"] == "The most played recordings of the last days."
    assert "n=20: how many recordings" in listed["top_tracks"]["parameters"].splitlines()
    assert listed["recommended_to"]["parameters"].endswith("(needed)")


def test_duplicates_are_not_refused_rows(finished: Run) -> None:
    """They say nothing new, and nothing is wrong with them."""
    outcomes = "select distinct outcome from marts.data_quality"

    all_of_them = call(finished.home, "sql", outcomes, "--csv").stdout
    refused = call(finished.home, "query", "refused_rows", "--csv").stdout

    assert "duplicate" in all_of_them
    assert "duplicate" not in refused
    assert "malformed_row" in refused


def test_find_knows_tracks_artists_and_listeners(finished: Run) -> None:
    """By name or id."""
    with_names = pl.read_parquet(finished.home.path / "marts/current/artist_profile.parquet").drop_nulls("name")
    artist = with_names.sort("n_plays", descending=True).row(0, named=True)

    shown = call(finished.home, "find", artist["name"], "--csv").stdout

    assert artist["artist_id"] in shown


def test_explain_says_which_tracks_speak_for_a_recommended_one(finished: Run) -> None:
    """The track that the export names as the reason is among those that say most; its share is above zero."""
    row = result_table(finished, "recommendations").filter(pl.col("reason_track_id").is_not_null()).row(0, named=True)

    shown = call(finished.home, "explain", row["user_id"], row["track_id"])

    assert shown.exit_code == 0, shown.output
    assert f"rank {row['rank']}, {row['reason']}" in shown.output
    said = explain(finished.home, row["user_id"], row["track_id"]).contributions
    assert said.filter(track_id=row["reason_track_id"])["share"].item() > 0
    assert said["share"].abs().sum() == pytest.approx(1, abs=1e-5)
    assert f"of {len(said)} tracks" in shown.output


def test_products_are_listed_and_shown_with_names(finished: Run) -> None:
    """Each was exported with rows; a list has names beside its ids, and an unknown key says what to do."""
    listed = call(finished.home, "product", "--csv").output
    tables = {name: pl.read_parquet(finished.export / f"{name}.parquet") for name in product_names()}

    assert all(f"{name}," in listed and table.height for name, table in tables.items())
    for name, table in tables.items():
        shown = pl.read_csv(call(finished.home, "product", name, table[0, 0], "--csv").output.encode())
        assert shown.columns[0] == "rank"
        assert shown["artist_name"].null_count() < shown.height
    assert "has no list for user_id 'nobody'" in call(finished.home, "product", "discovery", "nobody").output
    assert "release_radar" in call(finished.home, "product", "release_rador", "x").output


def test_a_feedback_loop_is_simulated_and_reported(finished: Run, tmp_path: Path) -> None:
    """Every rule of the recipe is a remedy; the page and its numbers are where they were asked for."""
    words = ["--weeks", "2", "--listeners", "60", "--recommender", "popular", "--out", str(tmp_path)]

    shown = call(finished.home, "simulate", *words)

    assert shown.exit_code == 0, shown.output
    weeks = pl.read_csv(tmp_path / "weeks.csv")
    rules = list(finished.recipe.rerank)
    expected = ["no remedy", *rules, "all rules", "exploration", "rules and exploration"]
    assert weeks["remedy"].unique(maintain_order=True).to_list() == expected
    assert weeks["week"].unique().to_list() == [1, 2]
    assert "<h2>Week 2</h2>" in (tmp_path / "index.html").read_text()


def test_explain_refuses_what_nobody_knows(finished: Run) -> None:
    """A listener or a track that does not exist."""
    user_id, track_id = result_table(finished, "recommendations").select("user_id", "track_id").row(0)

    assert "no listener is called" in call(finished.home, "explain", "nobody", track_id).output
    assert "no track is called" in call(finished.home, "explain", user_id, "nothing").output


def test_runs_shows_verdict_and_current_release(finished: Run) -> None:
    """What happened, how good it was, what is published."""
    shown = call(finished.home, "runs").output

    assert "published" in shown
    assert f"Current: {finished.run_id}" in shown


def test_runs_shows_the_quality_of_what_is_exported(finished: Run, copy_of: Callable[[Home], Home]) -> None:
    """Not of the best beside it, and not stopped by the torn last line that a killed run leaves in its log."""
    home = copy_of(finished.home)
    folder = home.runs / finished.run_id
    metrics = pl.read_parquet(folder / "run_metrics.parquet").with_columns(
        value=pl.when(recommender="popular").then(0.875).otherwise(0.125)
    )
    metrics.write_parquet(folder / "run_metrics.parquet")
    with (folder / "log.jsonl").open("a") as log:
        log.write('{"at": "2026-07-01T03:1')

    shown = call(home, "runs")

    assert shown.exit_code == 0, shown.output
    row = next(line for line in shown.stdout.splitlines() if line.startswith(finished.run_id))
    assert row.split()[2:5] == ["published", "als", "0.125"]


def test_runs_says_why_a_run_was_refused(tmp_path: Path) -> None:
    """One line a refused run, with every reason of the gate."""
    home = Home(tmp_path)
    folder = home.runs / "2026-06-30-abcdef01"
    folder.mkdir(parents=True)
    (folder / "log.jsonl").write_text('{"event": "start", "step": "build"}\n')
    (folder / "verdict.json").write_text('{"passed": false, "reasons": ["too few [rows]", "worse than popular"]}')

    shown = call(home, "runs").stdout

    assert "2026-06-30-abcdef01 was refused: too few [rows]; worse than popular" in shown


def test_a_finished_run_that_is_not_current_is_not_called_published(
    finished: Run, world: World, copy_of: Callable[[Home], Home]
) -> None:
    """After a rollback the same night says so, and how to get it back."""
    home = copy_of(finished.home)
    (home.path / "releases/earlier").mkdir()
    home.current.unlink()
    home.current.symlink_to("releases/earlier")
    told = ["--date", str(world.last_day), "--recipe", str(world.recipe)]

    shown = call(home, "nightly", "--inbox", str(world.raw), *told)

    assert shown.exit_code == 0, shown.output
    assert (
        f"finished but not current. To bring it back: recsys --home {home.path} rollback {finished.run_id}"
        in shown.stdout
    )
    assert "is published" not in shown.output


def test_doctor_finds_a_whole_home_fit_and_an_empty_one_wanting(finished: Run, tmp_path: Path) -> None:
    """Exit 0 where all is well, 3 and a remedy where not."""
    well, wanting = call(finished.home, "doctor"), call(Home(tmp_path / "none"), "doctor")

    assert well.exit_code == 0, well.output
    assert wanting.exit_code == 3
    assert "-> recsys ingest" in wanting.output


def test_doctor_notices_a_readable_key(finished: Run, copy_of: Callable[[Home], Home]) -> None:
    """A listener key that others can read is a finding with its remedy."""
    home = copy_of(finished.home)
    home.key_file.chmod(0o644)

    shown = call(home, "doctor")

    assert shown.exit_code == 3
    assert "chmod 600" in shown.output


def test_an_empty_home_says_what_to_do(tmp_path: Path) -> None:
    """Every reader's first mistake gets its way out."""
    asked = call(Home(tmp_path / "none"), "sql", "select 1")

    assert asked.exit_code == 3
    assert "recsys ingest FILES" in asked.stderr


@pytest.mark.slow
def test_step_by_step_is_the_same_run_as_nightly(finished: Run, world: World, tmp_path: Path) -> None:
    """ingest, build, train, evaluate, recommend, export: the same run, the same lists."""
    home = Home(tmp_path / "home")
    home.path.mkdir()
    home.key_file.write_bytes(finished.home.key_file.read_bytes())
    home.key_file.chmod(0o600)
    told = ["--date", str(world.last_day), "--recipe", str(world.recipe)]

    steps = [call(home, "ingest", str(world.raw))]
    steps += [call(home, name, *told) for name in ("build", "train", "evaluate", "recommend", "export")]

    assert [step.exit_code for step in steps] == [0] * 6, [step.output for step in steps]
    lists = home.path / "exports/current/recommendations.parquet"
    assert lists.read_bytes() == (finished.export / "recommendations.parquet").read_bytes()


def test_a_step_without_the_one_before_says_which(world: World, tmp_path: Path) -> None:
    """Training needs tables: the message names the command that makes them."""
    home = Home(tmp_path / "home")
    call(home, "ingest", str(world.raw / "labels.csv"))

    early = call(home, "train", "--date", str(world.last_day))

    assert early.exit_code == 3
    assert f"recsys build --date {world.last_day}" in early.stderr


def test_a_wrong_backfill_is_refused(finished: Run, world: World) -> None:
    """The expected form is shown."""
    wrong = call(finished.home, "build", "--date", str(world.last_day), "--backfill", "yesterday")

    assert wrong.exit_code == 2
    assert "2026-01-01..2026-01-31" in wrong.stderr


def test_a_reversed_backfill_is_refused(finished: Run, world: World) -> None:
    """No day lies between a later and an earlier one."""
    wrong = call(finished.home, "build", "--date", str(world.last_day), "--backfill", "2026-02-01..2026-01-01")

    assert wrong.exit_code == 2
    assert "ends before it begins" in wrong.stderr


def test_an_inbox_that_is_named_must_exist(tmp_path: Path) -> None:
    """A mistyped folder is no quiet night."""
    wrong = call(Home(tmp_path / "home"), "nightly", "--inbox", str(tmp_path / "inbx"))

    assert wrong.exit_code == 2
    assert f"--inbox is {tmp_path / 'inbx'}, which does not exist" in wrong.stderr


def test_counts_have_a_least_value(tmp_path: Path) -> None:
    """Fewer than no releases, or no finds at all, is a mistake."""
    assert call(Home(tmp_path), "prune", "--keep", "-1").exit_code == 2
    assert call(Home(tmp_path), "find", "love", "-n", "0").exit_code == 2


def test_an_unreadable_file_is_named_and_the_others_go_in(world: World, tmp_path: Path) -> None:
    """Exit 2, since the data is not as promised."""
    (tmp_path / "notes.csv").write_text("dear,diary\nnothing,happened\n")

    shown = call(Home(tmp_path / "home"), "ingest", str(tmp_path / "notes.csv"), str(world.raw / "labels.csv"))

    assert shown.exit_code == 2
    assert "labels.csv" in shown.stdout
    assert "notes.csv" in shown.stderr
    assert "1 of 2 files could not be read" in shown.stderr


def test_rollback_and_prune_speak(finished: Run, copy_of: Callable[[Home], Home]) -> None:
    """The only release is current: rolling back to it works, pruning leaves it."""
    home = copy_of(finished.home)

    assert "is current" in call(home, "rollback", finished.run_id).output
    assert "nothing to prune" in call(home, "prune", "--keep", "0").output


def test_a_date_without_listens_says_what_is_wrong(
    finished: Run, world: World, copy_of: Callable[[Home], Home]
) -> None:
    """A night long before the log began ends with a reason, not with an empty export."""
    home = copy_of(finished.home)

    early = call(home, "nightly", "--inbox", str(world.raw), "--date", str(date(2020, 1, 1)))

    assert early.exit_code == 2
    assert "at least 1 expected" in early.stderr


def test_the_dictionary_has_every_mart_and_column_with_its_meaning(finished: Run) -> None:
    """As the headers of the SQL files say it, in their order; a meaning that holds a bar stays in its cell."""
    printed = call(finished.home, "describe", "--markdown").output
    sections = dict(part.split("\n", 1) for part in printed.split("## ")[1:])

    marts = {name: file for name, file in read_layers().items() if file.layer == "marts"}
    assert list(sections) == sorted(marts)
    for name, file in marts.items():
        rows = [line for line in sections[name].splitlines() if line.startswith("| `")]
        assert [row.split("`")[1] for row in rows] == list(file.columns)
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}
