"""SQL: questions to the file that one may read, saved ones and one's own, with the data dictionary."""

import streamlit as st

from dashboards import data, filters, parts
from dashboards.markdown import say

PAGE = {"title": "SQL", "section": "Find", "order": 120, "for_labels": True}

FIRST = "select *\nfrom marts.artist_profile\norder by n_plays desc nulls last\nlimit 20"
REMEDY = (
    "These are DuckDB's words. The tables and columns that there are stand below; a text stands in 'single quotes'."
)

parts.header(
    "SQL",
    "Questions to the file that you may read, saved ones or your own. It is opened for reading only: nothing can be "
    f"written, no other file or address reached. A question is stopped after {data.LIMIT_S} seconds.",
)
saved = data.saved_queries()
name = filters.choose("Question", {"": "your own"} | {each: each.replace("_", " ") for each in saved}, "saved")
if name:
    question = saved[name]
    parts.paragraph(question.description)
    with filters.row():
        given = {
            each: filters.text(
                each.replace("_", " "),
                f"{name}_{each}",
                placeholder=doc.meaning,
                given=doc.default or "",
                help=doc.meaning,
            )
            for each, doc in question.params.items()
        }
    with parts.folded("Its SQL"):
        st.code(question.query, language="sql")
    missing = [each for each, doc in question.params.items() if doc.default is None and not given[each].strip()]
    if missing:
        parts.empty(f"It needs {missing[0]}.", f"That is: {question.params[missing[0]].meaning}.")
        answer = None
    else:
        answer = parts.attempt(lambda: data.run_query(name, **given), REMEDY)
else:
    text = filters.code("Query", FIRST, "sql")
    answer = parts.attempt(lambda: data.sql(text), REMEDY)
if answer is not None:
    parts.table(answer, of="", key="answer", title=f"{answer.height:,} rows")
    if not parts.is_of_listening(answer.columns):
        parts.not_whole()  # a total may have any name here
    if answer.height == data.N_ROWS:
        parts.remark(f"Only the first {data.N_ROWS:,} rows are shown and downloaded. Add up in SQL, or add a where.")

parts.heading("What there is")
tables = data.dictionary()
parts.table(tables, of="", key="dictionary", title="Tables", names={"name": "table", "n_rows": "rows"})
table = filters.choose("Describe", {each: each for each in tables["name"]}, "describe")
about, columns = data.described(table)
parts.paragraph(about["description"])
parts.told(
    [
        say("A row for each: **{grain}**", grain=about["grain"] or "none"),
        f"Made of: {', '.join(about['reads'] or ['nothing'])}",
        f"Read by: {', '.join(about['read_by'] or ['nothing'])}",
    ]
)
parts.table(columns, of="", key="columns", title="Columns")
