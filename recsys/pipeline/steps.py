"""
What the steps of a run do, in the order in which they stand in `nightly.STEPS`.

Each takes the run, leaves its result whole under the run's paths, and returns what it counted. No step reads what a
later one writes. Running them one by one from the command line or all of them at night is the same thing.
"""

from dataclasses import asdict, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from recsys import columns, files
from recsys.analytics.chart_breakouts import chart_breakouts
from recsys.analytics.communities import TRACKS, communities
from recsys.analytics.forecast import artist_forecasts
from recsys.arrays import F64
from recsys.errors import InputError, Refused
from recsys.evaluate.fairness import fairness_report
from recsys.evaluate.groups import report_by_group
from recsys.evaluate.ranking import ndcg_at_k
from recsys.evaluate.report import judged_users, report, values_per_user
from recsys.evaluate.significance import Interval, difference_interval, paired_p_value
from recsys.feedback.exploration import explore, learned, log_of
from recsys.installation import extras
from recsys.lake.store import Lake
from recsys.library.files import recordings
from recsys.matching.history import Checked
from recsys.pipeline import export, indexes
from recsys.pipeline.run import Event, Run
from recsys.products.base import Shelf, maker, product_names, worded
from recsys.recipe import FLOOR
from recsys.recommenders.base import Recommender, recommender_class
from recsys.recommenders.parts.filters import Filters
from recsys.releases import gate, registry
from recsys.releases.registry import Release
from recsys.reports.morning.write import folder_of, write_reports
from recsys.rerank.ablation import ALL, before_and_after, prices
from recsys.rerank.base import GROUPS_SQL, About
from recsys.rerank.lists import full_lists
from recsys.rerank.rules.exposure import Exposure
from recsys.warehouse.build import RESULTS, Sources, rebuild_results
from recsys.warehouse.build import build as build_warehouse
from recsys.warehouse.labels import write_labels
from recsys.warehouse.publish import write_marts
from recsys.warehouse.query import Warehouse

CHAMPION = "champion"
LISTENERS_SQL = "select user_id, country, age_band from marts.listener_profile order by user_id"
# A stub cannot be shown to anybody; where no catalogue was ever delivered, everything is a stub and may be.
CATALOGUE_SQL = """
select track_id, title, artist_id, artist_name, release_date, available_in, withdrawn_at, tempo_bpm, energy
from marts.track_features
where (is_known or not exists (select 1 from marts.track_features where is_known))
    and (release_date is null or release_date <= $served_on)
"""
FEEDBACK_SQL = "select features, reward from marts.feedback where is_complete order by run_id, user_id, rank"
ARTIST_DAYS_SQL = "select artist_id, listen_date, n_plays from marts.artist_daily"
CHARTS_SQL = "select chart, song_id, lead_artist, chart_date, week_no, rank from marts.chart_weekly"
ARTISTS_SQL = "select artist_id, name from marts.artist_profile order by artist_id"
PLAYLISTS_SQL = "select playlist_id, position, track_id from marts.playlist_tracks order by playlist_id, position"
LAST_SQL = """
select build.as_of, (select count(distinct user_id) from marts.recommendations) as n_listeners from meta.build as build
"""
ROWS_SQL = "select name, n_rows from meta.tables"
PLAYS_SQL = """
select listen_date, sum(n_plays)::bigint as n_plays from marts.track_daily
where listen_date > $as_of::date - 28 group by listen_date having sum(n_plays) > 0
"""


def build(run: Run, backfill: tuple[date, date] | None = None) -> Event:
    """Build the marts from the lake and hold every one of them against its contract."""
    if not Lake(run.home).batches():
        raise InputError(f"The lake of {run.home.path} is empty. Bring files in: recsys ingest FILES")
    release = registry.current(run.home)
    sources = Sources(
        Lake(run.home),
        run.as_of,
        results=_results_of(release),
        previous=release.warehouse if release else None,
        backfill=backfill,
    )
    built = build_warehouse(
        run.built,
        sources,
        progress=lambda name, rows, seconds: run.log(event="table", table=name, rows=rows, seconds=round(seconds, 3)),
    )
    return {"tables": {table.name: table.n_rows for table in built}}


def _results_of(release: Release | None) -> dict[str, Path]:
    """What the current release's run made, for the tables to keep until this run has made its own."""
    paths = {} if release is None else {name: release.marts / f"{name}.parquet" for name in RESULTS}
    return {name: path for name, path in paths.items() if path.exists()}


def train(run: Run) -> Event:
    """Fit tonight's recommenders, and the champion where it is another, on the training window."""
    n_judged = len(judged_users(run.split))
    if not n_judged:
        first = run.as_of - timedelta(days=run.recipe.evaluation.test_days - 1)
        raise InputError(
            f"No listener known before {first} played anything new from then to {run.as_of}: nothing to judge a "
            "model by. Is the date right (--date)? recsys sql 'select max(listen_date) from marts.track_daily'"
        )
    about = About.of_groups(run.split.train, _groups(run))
    for group in (group for stage in run.recipe.rerank.values() for group in stage.named):
        about.members(group)  # a misspelt one is refused now, and not after an hour of training
    files.remove(run.trial)
    contenders = _contenders(run)
    for name, model in contenders.items():
        run.log(event="fit", recommender=name)
        model.fit(run.split.train, validation=run.validation).save(run.trial / name)
    return {
        "recommenders": sorted(contenders),
        "champion": rival(run),
        "n_pairs": run.split.train.matrix.nnz,
        "n_listeners": len(run.split.train.users),
        "n_tracks": len(run.split.train.tracks),
    }


def rival(run: Run) -> str | None:
    """Name the run whose model is in charge, None before the first: the champion that a night is held against."""
    in_charge = registry.champion(run.home)
    return None if in_charge is None else str(in_charge["run"])


def _contenders(run: Run) -> dict[str, Recommender[Any]]:
    """Return the recommenders to fit, unfitted: the recipe's, and the champion unless its recipe is tonight's."""
    models = {name: recommender_class(name)(run.recipe.configs[name]) for name in run.recipe.names}
    in_charge = registry.champion(run.home)
    if in_charge is None:
        return models
    model_class = recommender_class(in_charge["name"])
    try:
        config = model_class.config_class(**in_charge["config"])
    except TypeError as changed:  # its settings are those of another version: it cannot be fitted any more
        run.log(event="warning", text=f"the champion cannot be fitted beside tonight's: {changed}")
        return models
    if (in_charge["name"], config) == (run.recipe.recommender, run.recipe.configs[run.recipe.recommender]):
        run.log(event="fit", recommender=CHAMPION, same_as=run.recipe.recommender)
        return models
    return models | {CHAMPION: model_class(config)}


def evaluate(run: Run) -> Event:
    """Judge every fitted recommender on the test window, all of them on the same listeners."""
    k, seed = run.recipe.evaluation.k, run.recipe.evaluation.seed
    judged = run.split.train.users.ids(judged_users(run.split))
    filters = Filters.of(run.split.train)
    models = {folder.name: Recommender.load(folder) for folder in sorted(run.trial.iterdir())}
    rankings = {name: model.recommend(judged, k, filters=filters) for name, model in models.items()}
    own, values = run.recipe.recommender, _ndcg(rankings, run)
    rivals = [name for name in (CHAMPION, FLOOR) if name in values and name != own]
    candidates = models[own].recommend(judged, max(k, run.recipe.export.candidates), filters=filters)
    groups = _groups(run)
    after = before_and_after(own, candidates, run.recipe.rerank, About.of_groups(run.split.train, groups), k)
    metrics = report(rankings | after, run.split, k=k), prices(after, own, run.split, k=k)
    _write(_of_run(pl.concat(metrics), run, columns.RUN_METRICS), run.metrics)
    shown = {name: ranking for name, ranking in after.items() if name in (own, f"{own}+{ALL}")}
    by_group = report_by_group(shown, run.split, k=k), fairness_report(shown, run.split, groups, k=k)
    _write(_of_run(pl.concat(by_group), run, columns.RUN_GROUP_METRICS), run.group_metrics)
    return {
        "n_judged": len(judged),
        "n_cold_listeners": run.split.n_cold_users,
        "n_cold_tracks": run.split.n_cold_tracks,
        "against": {name: list(difference_interval(values[own], values[name], seed=seed)) for name in rivals},
        "p_values": {name: paired_p_value(values[own], values[name]) for name in rivals},
    }


def _ndcg(rankings: dict[str, pl.DataFrame], run: Run) -> dict[str, F64]:
    k = run.recipe.evaluation.k
    return {name: values_per_user(ranking, run.split, ndcg_at_k, k=k) for name, ranking in rankings.items()}


def _of_run(table: pl.DataFrame, run: Run, wanted: tuple[columns.Column, ...]) -> pl.DataFrame:
    schema = columns.schema(wanted)
    return table.with_columns(run_id=pl.lit(run.run_id)).select(schema.names()).cast(schema)


def _groups(run: Run) -> pl.DataFrame:
    with Warehouse.open(run.built) as warehouse:
        return warehouse.frame(GROUPS_SQL)


def refit(run: Run) -> Event:
    """Fit the recommender to export on everything up to the run's date."""
    name = run.recipe.recommender
    beside = run.model.parent.with_name(f".{run.run_id}.partial")
    files.remove(beside)
    model = recommender_class(name)(run.recipe.configs[name])
    model.fit(run.taste, validation=run.split, fitted=partial(Recommender.load, run.trial / name))
    model.save(beside / name)
    files.write_json(beside / name / "provenance.json", _provenance(run))
    files.write_text(beside / name / "card.md", _card(run))
    files.place_folder(beside, run.model.parent)
    return {"recommender": name, "n_pairs": run.taste.matrix.nnz, "n_listeners": len(model.users)}


def _provenance(run: Run) -> dict[str, Any]:
    """What the model was made of: run, window, inputs, and how its recipe was judged."""
    metrics = pl.read_parquet(run.metrics).filter(recommender=run.recipe.recommender)
    return {
        "run_id": run.run_id,
        "as_of": str(run.as_of),
        "inputs": Lake(run.home).fingerprint(),
        "metrics": dict(metrics.select("metric", "value").sort("metric").iter_rows()),
    }


def _card(run: Run) -> str:
    metrics = pl.read_parquet(run.metrics).filter(recommender=run.recipe.recommender).drop_nulls("value").sort("metric")
    judged = "\n".join(f"- {row['metric']}: {row['value']:.4f}" for row in metrics.iter_rows(named=True))
    settings, evaluation = asdict(run.recipe.configs[run.recipe.recommender]), run.recipe.evaluation
    return f"""# {run.recipe.recommender}, run {run.run_id}

Learned from listening logs up to {run.as_of}: {run.taste.matrix.nnz:,} pairs of {len(run.taste.users):,} listeners
and {len(run.taste.tracks):,} tracks. Consent to audio and lyric training does not bear on it: it hears no audio and
reads no lyrics.

Settings: {", ".join(f"{name} = {value}" for name, value in settings.items())}

Judged (k = {evaluation.k}) on the last {evaluation.test_days} days, by a fit that had not seen them:

{judged}
"""


def group(run: Run) -> Event:
    """Group listeners and tracks by who listens to what, going on from the groups of the current release."""
    known = _results_of(registry.current(run.home)).get("community_members")
    last = pl.read_parquet(known) if known else pl.DataFrame(schema=columns.schema(columns.COMMUNITY_MEMBERS))
    with Warehouse.open(run.built) as warehouse:
        artists = warehouse.frame(ARTISTS_SQL)
    groups, members = communities(run.taste, artists, run.recipe.communities, last)
    _write(groups, run.communities)
    _write(members, run.community_members)
    return {f"n_of_{kind}": n for kind, n in groups.group_by("kind").len().sort("kind").iter_rows()}


def forecast(run: Run) -> Event:
    """Say what is expected of each artist in the next 28 days."""
    with Warehouse.open(run.built) as warehouse:
        expected = artist_forecasts(warehouse.frame(ARTIST_DAYS_SQL), run.as_of)
    _write(expected, run.forecasts)
    return {"n_artists": expected["artist_id"].n_unique()}


def chart(run: Run) -> Event:
    """Say which songs outside the top ten of each chart look like reaching it."""
    with Warehouse.open(run.built) as warehouse:
        found = chart_breakouts(warehouse.frame(CHARTS_SQL))
    _write(found, run.chart_breakouts)
    return {"n_charts": found["chart"].n_unique(), "n_songs": found.height}


def recommend(run: Run) -> Event:
    """Give every listener a list, each row with its reason, and keep what else was worth a look."""
    shelf = _shelf(run)
    settings = run.recipe.export
    _write(shelf.candidates.select(columns.schema(columns.CANDIDATES).names()), run.candidates)
    ranking, n_widened = _lists(shelf, run)
    _write(_of_run(log_of(ranking, run.recipe.exploration, run.served_on), run, columns.EXPLORATIONS), run.explorations)
    lists = _labelled(worded(shelf.model.because(ranking, run.taste), shelf.catalogue), run)
    _write(lists, run.recommendations)
    products = {name: maker(name)(shelf) for name in product_names()}
    for name, table in products.items():
        _write(table, run.products / f"{name}.parquet")
    lengths = lists.group_by("user_id").len()["len"]
    return {
        "n_listeners": len(lengths),
        "n_rows": lists.height,
        "n_fallback": ranking.filter("is_fallback")["user_id"].n_unique(),
        "n_short_lists": int((lengths < settings.k).sum()),
        "n_widened": n_widened,
        "n_explored": int(lists["is_explored"].sum()),
        "n_candidates": shelf.candidates.height,
        "products": {name: table.height for name, table in products.items()},
    }


def _lists(shelf: Shelf, run: Run) -> tuple[pl.DataFrame, int]:
    """Choose each listener's list by the recipe's rules, some places by a policy; and count whose were widened."""
    k, settings = run.recipe.export.k, run.recipe.exploration
    about, stages = About.of_groups(run.taste, _groups(run)), list(run.recipe.rerank.values())
    with Warehouse.open(run.built) as warehouse:
        posterior = learned(warehouse.frame(FEEDBACK_SQL))
    long_lists, n_widened = full_lists(shelf.candidates, shelf.best, stages, about, settings.length(k))
    dice = settings.dice(run.as_of)
    return explore(long_lists, about, k, settings=settings, posterior=posterior, rng=dice), n_widened


def _shelf(run: Run) -> Shelf:
    model = Recommender.load(run.model)
    with Warehouse.open(run.built) as warehouse:
        listeners = warehouse.frame(LISTENERS_SQL)
        catalogue = warehouse.frame(CATALOGUE_SQL, {"served_on": run.served_on})
        playlists = warehouse.frame(PLAYLISTS_SQL)
    seen = run.taste if run.recipe.export.new_only else None
    filters = Filters.for_listeners(listeners, catalogue, tracks=model.tracks, as_of=run.served_on, seen=seen)
    return Shelf(
        model=model,
        taste=run.taste,
        filters=filters,
        listeners=listeners,
        catalogue=catalogue,
        playlists=playlists,
        clusters=_clusters(run),
        n_candidates=run.recipe.export.candidates,
        served_on=run.served_on,
    )


def _clusters(run: Run) -> pl.DataFrame:
    groups, members = (pl.read_parquet(path).filter(kind=TRACKS) for path in (run.communities, run.community_members))
    return members.join(groups, on="community").select("community", "name", track_id="member_id")


def match(run: Run) -> Event:
    """Look for recordings of the catalogue in new uploads, and in the catalogue's own new recordings."""
    index = indexes.prints_of(run, run.built)
    uploads = recordings(run.home.uploads) if run.home.uploads.exists() else []
    known = _results_of(registry.current(run.home))
    last = Checked(*(_read(known.get(name), RESULTS[name]) for name in ("match_candidates", "match_checks")))
    now = last
    if index is not None:
        from recsys.matching.nightly import checked  # noqa: PLC0415 - a night without music needs no network

        index.save(run.prints)
        now = checked(index, uploads, last, run.recipe.audio, run.recipe.matching, found_on=run.served_on)
    _write(now.candidates, run.match_candidates)
    _write(now.checks, run.match_checks)
    tonight = now.checks[last.checks.height :]
    return {
        "n_uploads": tonight.filter(source_kind="upload").height,
        "n_recordings": tonight.filter(source_kind="catalogue").height,
        "n_found": now.candidates.height - last.candidates.height,
    }


def _read(path: Path | None, wanted: tuple[columns.Column, ...]) -> pl.DataFrame:
    """Read what an earlier run made, in its columns; empty where there is none."""
    shape = pl.DataFrame(schema=columns.schema(wanted))
    return shape if path is None else pl.concat([shape, pl.read_parquet(path)], how="diagonal").select(shape.columns)


def _write(table: pl.DataFrame, path: Path) -> None:
    files.write_whole(path, lambda beside: table.write_parquet(beside, compression="zstd"))


def _labelled(lists: pl.DataFrame, run: Run) -> pl.DataFrame:
    """Say which run and which recommender made each row."""
    recommender = pl.when("is_fallback").then(pl.lit(FLOOR)).otherwise(pl.lit(run.recipe.recommender))
    reason = pl.when("is_explored").then(pl.format("worth a try, {}", "reason")).otherwise("reason")
    return _of_run(lists.with_columns(recommender=recommender, reason=reason), run, columns.RECOMMENDATIONS)


def judge(run: Run) -> Event:
    """Let the gate decide; raises Refused where tonight's release must not replace the current one."""
    evaluated, recommended, built = (run.outcome(step) or {} for step in ("evaluate", "recommend", "build"))
    with Warehouse.open(run.built) as warehouse:
        plays = warehouse.frame(PLAYS_SQL, {"as_of": run.as_of})
    evidence = gate.Evidence(
        as_of=run.as_of,
        rows=built["tables"],
        last=_last_release(run),
        against={name: Interval(*values) for name, values in evaluated["against"].items()},
        n_listeners=recommended["n_listeners"],
        plays_by_day=dict(plays.iter_rows()),
    )
    _pass(run, evidence)
    return {"passed": True}


def _last_release(run: Run) -> gate.Last | None:
    release = registry.current(run.home)
    if release is None:
        return None
    with Warehouse.open(release.warehouse) as warehouse:
        as_of, n_listeners = warehouse.frame(LAST_SQL).row(0)
        return gate.Last(as_of, dict(warehouse.frame(ROWS_SQL).iter_rows()), n_listeners)


def _pass(run: Run, evidence: gate.Evidence) -> None:
    verdict = gate.decide(evidence, run.recipe.gate)
    files.write_json(run.folder / "verdict.json", verdict.as_dict())
    if not verdict.passed:
        raise Refused(
            f"The gate refused {run.run_id}: {'; '.join(verdict.reasons)}. "
            f"The last release stays current ({registry.current_name(run.home) or 'there is none yet'})"
        )


def write_export(run: Run) -> Event:
    """Write the lists with their manifest, and hold them against it."""
    manifest = export.write_export(run, (run.outcome("build") or {})["tables"])
    export.validate(run.export)
    return {"n_files": len(manifest["files"]), "folder": str(run.export)}


def publish(run: Run) -> Event:
    """Put the lists into the warehouse file and make everything current at once."""
    if run.run_id in registry.release_names(run.home):  # made whole by an interrupted run: only the link is left to do
        registry.point_at(run.home, run.run_id)
    else:
        results = {
            "recommendations": run.recommendations,
            "run_metrics": _of_all_runs(run, run.metrics),
            "group_metrics": _of_all_runs(run, run.group_metrics),
            "exposure_targets": _exposure_targets(run),
            "explorations": _of_all_runs(run, run.explorations, published=True),
            "communities": run.communities,
            "community_members": run.community_members,
            "match_candidates": run.match_candidates,
            "match_checks": run.match_checks,
            "forecasts": run.forecasts,
            "chart_breakouts": run.chart_breakouts,
        }
        placed = _place_tables(run, run.run_id, results)
        registry.publish(run.home, run.run_id, replace(placed, model=run.model, export=run.export))
    return {"release": run.run_id}


def publish_tables(run: Run) -> Path:
    """Make freshly built tables current, beside the lists and the model of the current release."""
    release = registry.current(run.home)
    _pass(run, gate.Evidence(run.as_of, (run.outcome("build") or {})["tables"], _last_release(run)))
    name = registry.free_name(run.home, f"{run.run_id}-tables")
    placed = _place_tables(run, name, _results_of(release))
    model, exported = (release.model, release.export) if release else (None, None)
    registry.publish(run.home, name, replace(placed, model=model, export=exported))
    return placed.warehouse


def _place_tables(run: Run, name: str, results: dict[str, Path]) -> Release:
    warehouse, marts = run.home.path / "warehouse" / f"{name}.duckdb", run.home.path / "marts" / name
    beside = warehouse.with_name(f".{name}.partial")
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    files.copy_database(run.built, beside)
    rebuild_results(beside, results)
    files.sync(beside)
    beside.replace(warehouse)
    write_marts(warehouse, marts)
    labels = warehouse.parent / "labels" / name
    write_labels(warehouse, labels)
    sounds, prints = indexes.place(run, warehouse, name)
    return Release(warehouse, marts, index=sounds, prints=prints, labels=labels)


def _of_all_runs(run: Run, table: Path, *, published: bool = False) -> Path:
    """Gather what every run has written under the same name; `published`: only those whose lists were shown."""
    history = run.folder / f"{table.stem}_of_all_runs.parquet"
    known = sorted(run.home.runs.glob(f"*/{table.name}"))
    kept = [path for path in known if not published or path == table or (path.parent / registry.PUBLISHED).exists()]
    _write(pl.read_parquet(kept).sort("run_id", maintain_order=True), history)
    return history


def _exposure_targets(run: Run) -> Path:
    """Write down what share the recipe asks for, for which group."""
    path = run.folder / "exposure_targets.parquet"
    rule = run.recipe.rerank.get("exposure")
    targets = rule.targets if isinstance(rule, Exposure) else {}
    rows = [(*group.split("=", 1), share) for group, share in targets.items()]
    _write(pl.DataFrame(rows, columns.schema(columns.EXPOSURE_TARGETS), orient="row"), path)
    return path


def morning(run: Run) -> Event:
    """Write the morning reports of the current release, for the operator and every label."""
    release = registry.current(run.home)
    lacking = extras.lacking("matplotlib")
    if release is None or lacking:
        run.log(event="warning", text=f"no morning report. {lacking or 'It needs a release'}")
        return {"n_reports": 0}
    folder = folder_of(run.home, run.as_of)
    operator, *labels = release.warehouses()
    n_reports = write_reports(folder, operator, labels, run.recipe.morning)
    return {"n_reports": n_reports, "folder": str(folder)}
