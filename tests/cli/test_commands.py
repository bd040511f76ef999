"""The command line: what each command prints, its exit code, and its messages when something is wrong."""

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
from recsys.state.actions import actions
from recsys.warehouse.sqlfile import read_layers

from ..nights import World, result_table

ROOT = Path(__file__).parents[2]


def call(home: Home, *words: str) -> Result:
    """Call the command line in this process."""
    return CliRunner().invoke(main, ["--home", str(home.path), *words])


def test_help_names_every_command() -> None:
    """The help lists every command with its description; bench/start.py measures the time."""
    shown = CliRunner().invoke(main, ["--help"]).output

    assert all(f"  {name} " in shown for name in main.commands)


def test_every_command_is_in_the_documents() -> None:
    """Every command is named in the documents."""
    text = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))

    assert [name for name in main.commands if f"recsys {name}" not in text] == []


def test_commands_are_at_most_ten_lines() -> None:
    """No command function has more than ten lines: it reads options, calls one function and prints the result."""
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
    """The four output formats of a query have the same rows."""
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
    """CSV holds lists and structs as JSON text and intervals as text; missing values stay empty."""
    question = "select [1, 2] as l, {'a': 1, 'b': ['x|y']} as s, interval 3 day as i, null::int[] as n"

    shown = call(finished.home, "sql", question, "--csv").stdout

    assert list(csv.DictReader(io.StringIO(shown))) == [
        {"l": "[1,2]", "s": '{"a":1,"b":["x|y"]}', "i": "3 days", "n": ""}
    ]


def test_titles_are_printed_as_they_are(finished: Run) -> None:
    """Printed values are not interpreted as markup or emoji."""
    shown = call(finished.home, "sql", "select 'Song [live] x' as a, 'a [/b] c' as b, ':smile:' as c")

    assert shown.exit_code == 0
    for title in ("Song [live] x", "a [/b] c", ":smile:"):
        assert title in shown.stdout


def test_a_wrong_query_exits_2_with_the_reason(finished: Run) -> None:
    """For an expected error, only the message is printed, without a traceback."""
    wrong = call(finished.home, "sql", "select nothing from nowhere")

    assert wrong.exit_code == 2
    assert wrong.stderr.startswith("InputError: The query failed")
    assert "Traceback" not in wrong.stderr


def test_describe_tells_grain_columns_units_and_lineage(finished: Run) -> None:
    """`describe` prints what the header of the SQL file says."""
    shown = call(finished.home, "describe", "track_daily").output

    for word in ("track_id, listen_date", "ms_played", "ms", "marts.interactions_daily", "read by"):
        assert word in shown


def test_a_misspelt_table_gets_a_hint(finished: Run) -> None:
    """A misspelt table is refused, with the nearest name."""
    wrong = call(finished.home, "describe", "track_dayly")

    assert wrong.exit_code == 2
    assert "Did you mean 'marts.track_daily'" in wrong.stderr


def test_a_named_query_takes_parameters(finished: Run) -> None:
    """A query returns as many rows as its parameter says; an unknown parameter is refused."""
    listed = call(finished.home, "query", "top_tracks", "--param", "n=3", "--csv")
    wrong = call(finished.home, "query", "top_tracks", "--param", "m=3")

    assert len(listed.stdout.splitlines()) == 4
    assert wrong.exit_code == 2
    assert "has no parameter 'm'" in wrong.stderr


def test_a_parameter_needs_its_value(finished: Run) -> None:
    """A parameter without a value is refused; the message shows the expected form."""
    wrong = call(finished.home, "query", "top_tracks", "--param", "n")

    assert wrong.exit_code == 2
    assert "--param is 'n'; expected NAME=VALUE" in wrong.stderr


def test_a_day_that_does_not_exist_is_not_the_last_day(finished: Run) -> None:
    """The parameter as_of must be a date; if it is empty, it is the last day."""
    wrong = call(finished.home, "query", "breaking_out", "--param", "as_of=2026-13-45")
    empty = call(finished.home, "query", "breaking_out", "--param", "as_of=")

    assert wrong.exit_code == 2
    assert "2026-13-45" in wrong.stderr
    assert empty.exit_code == 0


def test_query_without_a_name_lists_the_queries(tmp_path: Path) -> None:
    """Queries are listed with descriptions and parameters, without a warehouse."""
    shown = call(Home(tmp_path / "none"), "query", "--json")

    listed = {row["name"]: row for row in map(json.loads, shown.stdout.splitlines())}
    assert listed["top_tracks"]["description"] == "Most played recordings of the last days."
    assert "n=20: recordings at most" in listed["top_tracks"]["parameters"].splitlines()
    assert listed["recommended_to"]["parameters"].endswith("(required)")


def test_duplicates_are_not_refused_rows(finished: Run) -> None:
    """Files that were ingested before are skipped, without an error."""
    outcomes = "select distinct outcome from marts.data_quality"

    all_of_them = call(finished.home, "sql", outcomes, "--csv").stdout
    refused = call(finished.home, "query", "refused_rows", "--csv").stdout

    assert "duplicate" in all_of_them
    assert "duplicate" not in refused
    assert "malformed_row" in refused


def test_find_knows_tracks_artists_and_listeners(finished: Run) -> None:
    """Tracks, artists and listeners are found by name or id."""
    with_names = pl.read_parquet(finished.home.path / "marts/current/artist_profile.parquet").drop_nulls("name")
    artist = with_names.sort("n_plays", descending=True).row(0, named=True)

    shown = call(finished.home, "find", artist["name"], "--csv").stdout

    assert artist["artist_id"] in shown


TRACK, BATCH = "<track>", "<batch>"  # stand for ids of the home
LONG = "repeat('trk_0123456789', 2) as track_id, repeat('Donaudampfschifffahrt', 9) || ' Song' as title"


@pytest.mark.parametrize(
    "words",
    [
        ["runs"],
        ["doctor"],
        ["quarantine", "list"],
        ["review", "list"],
        ["describe"],
        ["describe", "marts.track_features"],
        ["query"],
        ["metric"],
        ["metric", "skip_share", "--by", "country,week"],
        ["query", "top_tracks"],
        ["query", "refused_rows"],
        ["product"],
        ["find", "a"],
        ["quarantine", "show", BATCH],
        ["state", "log"],
        ["similar", TRACK],
        ["soundtrack", "run"],
        ["search", "calm, under 120 bpm"],
        ["product", "similar_tracks", TRACK],
        ["next", TRACK],
        ["query", "trending_artists"],
        ["sql", f"select {LONG}"],
        ["sql", f"select {LONG}, {LONG.replace(' as ', ' as other_')}"],
    ],
)
def test_tables_fit_80_columns(finished: Run, words: list[str]) -> None:
    """The ids of a table are whole, whatever the length of its names."""
    ids = {TRACK: _analysed_track(finished), BATCH: _batch_with_refused_rows(finished)}
    shown = call(finished.home, *(ids.get(word, word) for word in words))

    assert shown.exit_code == 0, shown.output
    assert [line for line in shown.stdout.splitlines() if len(line.rstrip()) > 80] == []
    if words[0] == "sql":
        assert "trk_0123456789" * 2 in shown.stdout


def _analysed_track(run: Run) -> str:
    rows = pl.read_parquet(run.home.path / "marts/current/track_vectors.parquet", columns=["track_id"])
    return str(rows["track_id"].min())


def _batch_with_refused_rows(run: Run) -> str:
    paths = list((run.home.lake / "quarantine").rglob("*.parquet"))
    return str(pl.read_parquet(paths, columns=["batch"])["batch"].min())


# Commands that print no table, or whose tables are tested with their figures (evaluate, nightly) or alone (the others).
OTHERS = {
    *("ingest", "audio", "build", "contracts", "takedown", "train", "evaluate", "tune", "simulate", "recommend"),
    *("export", "nightly", "match", "explain", "labels", "report", "rights", "notify", "erase", "access"),
    *("rollback", "prune", "dashboard", "demo", "tags", "separate", "denoise", "master", "tune-vocal", "mix"),
    *("backup", "restore"),
    "same-tune",
    "practise",
    "compose",
    *("transparency", "serve", "serve-key"),
    *("export-model", "lists"),
}


def test_every_command_is_among_those_whose_tables_are_tested() -> None:
    """A new command is either printed on 80 columns above, or named as one without tables."""
    (parametrized,) = test_tables_fit_80_columns.pytestmark  # type: ignore[attr-defined]

    printed = {words[0] for words in parametrized.args[1]}

    assert printed | OTHERS == set(main.commands)
    assert printed & OTHERS == set()


def test_an_explanation_fits_80_columns(finished: Run) -> None:
    """The table of the listener's tracks; its ids are whole."""
    user_id, track_id = result_table(finished, "recommendations").select("user_id", "track_id").row(0)

    shown = call(finished.home, "explain", user_id, track_id).stdout

    table = shown[shown.index("track_id") :]
    assert [line for line in table.splitlines() if len(line.rstrip()) > 80] == []
    assert explain(finished.home, user_id, track_id).contributions["track_id"][0] in table


def test_explain_says_which_tracks_speak_for_a_recommended_one(finished: Run) -> None:
    """The track named in the exported reason is among the largest contributions, and its contribution is positive."""
    row = result_table(finished, "recommendations").filter(pl.col("reason_track_id").is_not_null()).row(0, named=True)

    shown = call(finished.home, "explain", row["user_id"], row["track_id"])

    assert shown.exit_code == 0, shown.output
    assert f"rank {row['rank']}, {row['reason']}" in shown.output
    explanation = explain(finished.home, row["user_id"], row["track_id"])
    kept = result_table(finished, "candidates").filter(user_id=row["user_id"], track_id=row["track_id"])
    assert explanation.candidate_rank == kept["rank"].item()
    assert explanation.n_listed == finished.recipe.export.k
    assert explanation.rank_explanation in shown.output
    said = explanation.contributions
    assert said.filter(track_id=row["reason_track_id"])["share"].item() > 0
    assert said["share"].abs().sum() == pytest.approx(1, abs=1e-5)
    assert f"of {len(said)} tracks" in shown.output


def test_lists_and_explanations_give_the_same_reason(finished: Run) -> None:
    """The first track of an explanation is the reason in the list, for recommendations of many listeners."""
    listed = result_table(finished, "recommendations").filter(~pl.col("is_explored"), pl.col("reason_kind") != "group")

    for row in listed.sort("rank", "user_id").gather_every(listed.height // 12).iter_rows(named=True):
        said = explain(finished.home, row["user_id"], row["track_id"]).contributions
        first = said.filter(pl.col("contribution") > 0).head(1)["track_id"].to_list() or [None]
        assert first == [row["reason_track_id"]]


def test_the_next_tracks_follow_the_last_one_named(finished: Run) -> None:
    """Neither of two tracks is listed, their order counts, and an unknown id is refused."""
    rows = pl.read_parquet(finished.export / "similar_tracks.parquet").sort("track_id", "rank")
    first, last = rows["track_id"].unique().sort()[[0, -1]]

    there, back = (
        pl.read_csv(call(finished.home, "next", *words, "-n", "5", "--csv").output.encode())["track_id"].to_list()
        for words in ((first, last), (last, first))
    )
    alone = pl.read_csv(call(finished.home, "next", last, "--csv").output.encode())

    assert len(there) == len(back) == 5
    assert there != back
    assert not {first, last} & {*there, *back}
    assert alone["track_id"].to_list() == rows.filter(track_id=last)["similar_track_id"].to_list()[:10]
    assert "track ids are not in" in call(finished.home, "next", "trk_x", "trk_y").output


def test_products_are_listed_and_shown_with_names(finished: Run) -> None:
    """Every product has rows in the export; lists show names and ids; an unknown key is refused with a suggestion."""
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
    """Every rule of the recipe is simulated; the page and its numbers are written to the requested folder."""
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
    """An unknown listener or track is refused."""
    user_id, track_id = result_table(finished, "recommendations").select("user_id", "track_id").row(0)

    assert "There is no listener" in call(finished.home, "explain", "nobody", track_id).output
    assert "There is no track" in call(finished.home, "explain", user_id, "nothing").output


def test_runs_shows_verdict_and_current_release(finished: Run) -> None:
    """`recsys runs` prints the steps, the metric and the verdict of each run, and which release is current."""
    shown = call(finished.home, "runs").output

    assert "published" in shown
    assert f"Current: {finished.run_id}" in shown


def test_runs_shows_the_quality_of_what_is_exported(finished: Run, copy_of: Callable[[Home], Home]) -> None:
    """The metric is that of the exported recommender; an incomplete last line of the log is skipped."""
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
    """One line per refused run, with all reasons of the gate."""
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
    """After a rollback, repeating the run says that it is not current, and how to make it current."""
    home = copy_of(finished.home)
    (home.path / "releases/earlier").mkdir()
    home.current.unlink()
    home.current.symlink_to("releases/earlier")
    options = ["--date", str(world.last_day), "--recipe", str(world.recipe)]

    shown = call(home, "nightly", "--inbox", str(world.raw), *options)

    assert shown.exit_code == 0, shown.output
    assert (
        f"finished but not current. To make it current: recsys --home {home.path} rollback {finished.run_id}"
        in shown.stdout
    )
    assert "is published" not in shown.output


def test_doctor_finds_a_whole_home_fit_and_an_empty_one_wanting(finished: Run, tmp_path: Path) -> None:
    """`doctor` exits with 0 if everything is in order, else with 3 and a fix."""
    well, wanting = call(finished.home, "doctor"), call(Home(tmp_path / "none"), "doctor")

    assert well.exit_code == 0, well.output
    assert wanting.exit_code == 3
    assert "-> recsys ingest" in wanting.output


def test_doctor_notices_a_readable_key(finished: Run, copy_of: Callable[[Home], Home]) -> None:
    """A listener key that other users can read is reported with a fix."""
    home = copy_of(finished.home)
    home.key_file.chmod(0o644)

    shown = call(home, "doctor")

    assert shown.exit_code == 3
    assert "chmod 600" in shown.output


def test_an_empty_home_says_what_to_do(tmp_path: Path) -> None:
    """The messages for typical first mistakes say what to do."""
    result = call(Home(tmp_path / "none"), "sql", "select 1")

    assert result.exit_code == 3
    assert "recsys ingest FILES" in result.stderr


@pytest.mark.slow
def test_step_by_step_is_the_same_run_as_nightly(finished: Run, world: World, tmp_path: Path) -> None:
    """ingest, build, train, evaluate, recommend and export, one by one, give the run and lists of `nightly`."""
    home = Home(tmp_path / "home")
    home.path.mkdir()
    home.key_file.write_bytes(finished.home.key_file.read_bytes())
    home.key_file.chmod(0o600)
    options = ["--date", str(world.last_day), "--recipe", str(world.recipe)]

    steps = [call(home, "ingest", str(world.raw))]
    steps += [call(home, name, *options) for name in ("build", "train", "evaluate", "recommend", "export")]

    assert [step.exit_code for step in steps] == [0] * 6, [step.output for step in steps]
    lists = home.path / "exports/current/recommendations.parquet"
    assert lists.read_bytes() == (finished.export / "recommendations.parquet").read_bytes()


def test_a_step_without_the_one_before_says_which(world: World, tmp_path: Path) -> None:
    """If training is called before the tables are built, the message names the command that builds them."""
    home = Home(tmp_path / "home")
    call(home, "ingest", str(world.raw / "labels.csv"))

    early = call(home, "train", "--date", str(world.last_day))

    assert early.exit_code == 3
    assert f"recsys build --date {world.last_day}" in early.stderr


def test_a_wrong_backfill_is_refused(finished: Run, world: World) -> None:
    """A backfill that is not a period is refused; the message shows the expected form."""
    wrong = call(finished.home, "build", "--date", str(world.last_day), "--backfill", "yesterday")

    assert wrong.exit_code == 2
    assert "2026-01-01..2026-01-31" in wrong.stderr


def test_a_reversed_backfill_is_refused(finished: Run, world: World) -> None:
    """A backfill whose first day is after its last is refused."""
    wrong = call(finished.home, "build", "--date", str(world.last_day), "--backfill", "2026-02-01..2026-01-01")

    assert wrong.exit_code == 2
    assert "expected the earlier day first" in wrong.stderr


def test_an_inbox_that_is_named_must_exist(tmp_path: Path) -> None:
    """A missing inbox folder is an error, not a run without new files."""
    wrong = call(Home(tmp_path / "home"), "nightly", "--inbox", str(tmp_path / "inbx"))

    assert wrong.exit_code == 2
    assert f"--inbox is {tmp_path / 'inbx'}, which does not exist" in wrong.stderr


def test_counts_have_a_least_value(tmp_path: Path) -> None:
    """Counts below their minimum are refused."""
    assert call(Home(tmp_path), "prune", "--keep", "-1").exit_code == 2
    assert call(Home(tmp_path), "find", "love", "-n", "0").exit_code == 2


def test_an_unreadable_file_is_named_and_the_others_go_in(world: World, tmp_path: Path) -> None:
    """A file that cannot be read gives exit code 2."""
    (tmp_path / "notes.csv").write_text("dear,diary\nnothing,happened\n")

    shown = call(Home(tmp_path / "home"), "ingest", str(tmp_path / "notes.csv"), str(world.raw / "labels.csv"))

    assert shown.exit_code == 2
    assert "labels.csv" in shown.stdout
    assert "notes.csv" in shown.stderr
    assert "1 of 2 files could not be read" in shown.stderr


def test_rollback_and_prune_speak(finished: Run, copy_of: Callable[[Home], Home]) -> None:
    """With one release, rolling back to it works, is logged as on the page, and pruning keeps it."""
    home = copy_of(finished.home)

    assert "is current" in call(home, "rollback", finished.run_id).output
    (done,) = actions(home)
    subject = f"from {finished.run_id} to {finished.run_id}"
    assert (done.actor.name, done.action, done.subject, done.outcome) == ("command line", "rollback", subject, "done")
    assert "nothing to prune" in call(home, "prune", "--keep", "0").output


def test_a_date_without_listens_says_what_is_wrong(
    finished: Run, world: World, copy_of: Callable[[Home], Home]
) -> None:
    """A run dated before the log begins ends with an error, not with an empty export."""
    home = copy_of(finished.home)

    early = call(home, "nightly", "--inbox", str(world.raw), "--date", str(date(2020, 1, 1)))

    assert early.exit_code == 2
    assert "at least 1 expected" in early.stderr


def test_the_dictionary_has_every_mart_and_column_with_its_meaning(finished: Run) -> None:
    """The data dictionary repeats the SQL headers in their order; a `|` in a meaning stays in its cell."""
    printed = call(finished.home, "describe", "--markdown").output
    sections = dict(part.split("\n", 1) for part in printed.split("## ")[1:])

    marts = {name: file for name, file in read_layers().items() if file.layer == "marts"}
    assert list(sections) == sorted(marts)
    for name, file in marts.items():
        rows = [line for line in sections[name].splitlines() if line.startswith("| `")]
        assert [row.split("`")[1] for row in rows] == list(file.columns)
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}


def test_a_mapping_that_reads_no_file_does_not_replace_the_saved_one(tmp_path: Path) -> None:
    """A slip in --map is refused, and later files are still read by the mapping of before."""
    home, first, second = Home(tmp_path / "home"), tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("account,song,time\nann,t1,2026-01-01\n")
    second.write_text("account,song,time\nann,t2,2026-01-02\n")

    read = call(home, "ingest", "--map", "user_id=account,track_id=song,listened_at=time", str(first))
    slip = call(home, "ingest", "--map", "user_id=acount,track_id=song,listened_at=time", str(second))
    later = call(home, "ingest", str(second))

    assert [read.exit_code, slip.exit_code, later.exit_code] == [0, 2, 0]
    assert "does not have all columns of the mapping" in slip.output


def test_a_mapping_of_a_file_in_the_lake_does_not_replace_the_saved_one(tmp_path: Path) -> None:
    """A slip in --map with a file that was ingested before reads nothing, says so, and changes no mapping."""
    home, first, second = Home(tmp_path / "home"), tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("account,song,time\nann,t1,2026-01-01\n")
    second.write_text("account,song,time\nann,t2,2026-01-02\n")
    call(home, "ingest", "--map", "user_id=account,track_id=song,listened_at=time", str(first))

    slip = call(home, "ingest", "--map", "user_id=acount,track_id=song,listened_at=time", str(first))
    later = call(home, "ingest", str(second))

    assert [slip.exit_code, later.exit_code] == [0, 0]
    assert "The mapping was not saved" in slip.output
    assert later.output.split("b.csv  listens")[1].split()[:3] == ["1", "0", "0"]
