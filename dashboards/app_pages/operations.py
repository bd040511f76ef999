"""Operations: how the last night ended, where its time goes, disk space, what waits, and the return to a release."""

from functools import partial

import streamlit as st

from dashboards import actions, charts, data, filters, operations, parts
from dashboards.markdown import fill

PAGE = {"title": "Operations", "section": "Operations", "order": 74, "for_labels": False}

REFUSAL_NAMES = {"measure": "what was checked", "remedy": "what to do"}

parts.header("Operations", "Whether the last night went well, where its time goes, and what waits.")
runs = data.runs()
if runs.is_empty():
    parts.empty_state("There are no runs yet.", "Run: recsys nightly")
    st.stop()
times, disk, queue = operations.step_times(), operations.disk_use(), operations.queue()
last = runs.row(0, named=True)
said = (operations.last_run(last), operations.length_of(last["run"]), operations.preference(last["run"]))
parts.bullets([sentence for sentences in said for sentence in sentences])
with st.container(horizontal=True):
    finished = runs.filter(verdict="published")["seconds"]
    parts.metric("Last published run", finished[0] if len(finished) else None, unit="s", definition="Time of its steps")
    used, free = int(disk["n_bytes"].sum()) / operations.GIGABYTE, operations.free_bytes() / operations.GIGABYTE
    parts.metric("Disk used", used, unit="GB", definition="Size of all files of the home")
    parts.metric("Free space", free, unit="GB", definition="On the file system of the home")
    is_file = queue["size_mb"].is_not_null()
    parts.metric("Files waiting", int(queue.filter(is_file)["n_waiting"].sum()), definition="In inbox and uploads")
    definition = "Rows that broke their contract and were neither replayed nor dropped; an unreadable file is one row"
    parts.metric("Rows refused", int(queue.filter(~is_file)["n_waiting"].sum()), definition=definition)

refused = runs.filter(verdict="refused")
if not refused.is_empty():
    run = refused["run"][0]
    parts.table(
        operations.failures(run),
        mart="run_metrics",
        key="refusal",
        title=f"Why the gate refused {run}",
        names=REFUSAL_NAMES,
    )
    parts.caption("Nothing of a refused run is shown to anybody; the release before it stays current.")

parts.heading("Where the time goes")
if times.is_empty():
    parts.empty_state("No run has completed a step yet.", "Run: recsys nightly")
else:
    chosen = filters.choose("Run", {run: run for run in times["run"].unique().sort(descending=True)}, "run")
    steps = times.filter(run=chosen).drop("run", "as_of")
    slowest = steps.sort("seconds", descending=True).row(0, named=True)
    parts.figure(
        "Time of each step",
        steps,
        charts.bars(steps, "seconds", "step", unit="seconds, in the order of the steps"),
        alt_text=f"{slowest['step']} takes longest, {slowest['share']:.0%} of the time.",
        key="step_times",
    )
trend = operations.trend_of(times)
if trend["as_of"].n_unique() > 1:
    parts.figure(
        "The slowest steps by night",
        trend,
        charts.lines(trend, "as_of", "seconds", by="step", unit="seconds", points=True),
        alt_text="Seconds of each of the slowest steps, by the last day of data of the published runs.",
        key="step_trend",
        note="Published runs, by the last day of their data.",
    )

parts.heading("Disk")
parts.figure(
    "Size by part of the home",
    disk,
    charts.bars(disk, "size_mb", "part", unit="MB"),
    alt_text=f"{disk['part'][0]} is the largest, {disk['n_bytes'][0]:,} bytes.",
    key="disk",
    note="Old releases are removed by: recsys prune.",
)

history = operations.disk_history()
if history["as_of"].n_unique() > 1:
    shown = operations.largest_parts(history)
    parts.figure(
        "Size of the home by night",
        shown,
        charts.lines(shown, "as_of", "size_gb", by="part", unit="GB", points=True),
        alt_text=f"Gigabytes of the largest parts of the home; all: {shown.filter(part='all')['size_gb'][-1]:.2f}.",
        key="disk_history",
        note="Measured when a night has ended, by the last day of its data.",
    )

parts.heading("Queue")
if queue.is_empty():
    parts.empty_state("Nothing waits.", "New files go into the inbox.")
else:
    names = {"next_step": "next", "size_mb": "size, MB"}
    parts.table(queue, mart="source_volumes", key="queue", title="What waits", names=names, formats={"size_mb": "%.1f"})
refusals = operations.refusals()
if not refusals.is_empty():
    parts.table(
        refusals,
        mart="data_quality",
        key="refusals",
        title="Why rows were refused",
        names={"column_name": "column with the error"},
    )
    parts.caption("See the rows with their lines and values: recsys quarantine list")

parts.heading("Return to an earlier release")
current = actions.current_release()
others = [name for name in actions.releases() if name != current]
done = st.session_state.pop("rolled_back", None)
if done:
    st.success(fill("**{release}** is current.", release=done))
if current is None or not others:
    parts.empty_state("There is no other release on disk.", "Each nightly run publishes one.")
else:
    parts.caption("Tables, models, lists and label files switch at the same moment, for everybody.")
    target = filters.choose("Release", {name: name for name in others}, "release")
    if filters.button("Return to this release", "rollback"):
        st.session_state["confirming"] = (current, target)
    if st.session_state.get("confirming") == (current, target):
        question = "Everybody will see **{target}** in place of **{current}**, at once. Go ahead?"
        st.warning(fill(question, target=target, current=current))
        with filters.row():
            is_confirmed = filters.button(f"Yes, return to {target}", "confirm")
            is_cancelled = filters.button("No", "no")
        if is_confirmed or is_cancelled:
            del st.session_state["confirming"]
        if is_confirmed:
            done = parts.attempt(partial(actions.return_to, target, instead_of=current))
            st.session_state["rolled_back"] = done
        if is_cancelled or (is_confirmed and done):
            st.rerun()
log = actions.done()
if not log.is_empty():
    parts.table(log, mart="", key="actions", title="What operators did", names={"done_at": "at (UTC)"})
