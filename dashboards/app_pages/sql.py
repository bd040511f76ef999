"""SQL: saved queries and queries of one's own on the viewer's warehouse file, with the data dictionary."""

import streamlit as st

from dashboards import data, filters, ledger, parts
from dashboards.markdown import fill

PAGE = {"title": "SQL", "section": "Find", "order": 120, "for_labels": True}

FIRST_QUERIES = {
    True: "select *\nfrom marts.artist_profile\norder by n_plays desc nulls last\nlimit 20",
    False: "select *\nfrom marts.label_figures\norder by to_day desc, value desc\nlimit 20",
}
REMEDY = "The message is DuckDB's. Tables and columns are listed below; put text in 'single quotes'."

parts.header(
    "SQL",
    "Saved queries, or your own, on the warehouse file that you may read. The file is opened read-only, and no other "
    f"file or address can be reached. A query is stopped after {data.LIMIT_S} seconds.",
)
saved = data.saved_queries()
name = filters.choose("Saved query", {"": "your own"} | {key: key.replace("_", " ") for key in saved}, "saved")
if name:
    query = saved[name]
    parts.paragraph(query.description)
    with filters.row():
        values = {
            parameter: filters.text_input(
                parameter.replace("_", " "),
                f"{name}_{parameter}",
                placeholder=doc.meaning,
                default=doc.default or "",
                help=doc.meaning,
            )
            for parameter, doc in query.params.items()
        }
    with parts.expander("SQL of this query"):
        st.code(query.query, language="sql")
    missing = [key for key, doc in query.params.items() if doc.default is None and not values[key].strip()]
    if missing:
        parts.empty_state(f"The query needs a value for {missing[0]}.", f"It is: {query.params[missing[0]].meaning}.")
        answer = None
    else:
        answer = parts.attempt(lambda: data.run_query(name, **values), REMEDY)
else:
    text = filters.sql_input("Query", FIRST_QUERIES[data.is_operator()], "sql")
    is_requested = filters.button("Run", "run_sql")
    answer = parts.attempt(lambda: data.rows_of_sql(text, is_requested=is_requested), REMEDY)
if answer is not None:
    parts.table(answer, mart="", key="answer", title=f"{answer.height:,} rows")
    ledger.note()
    if answer.height == data.N_ROWS:
        parts.caption(
            f"Only the first {data.N_ROWS:,} rows are shown and downloaded. Aggregate in SQL, or add a WHERE clause."
        )

parts.heading("Tables and columns")
tables = data.tables()
parts.table(tables, mart="", key="dictionary", title="Tables", names={"name": "table", "n_rows": "rows"})
table = filters.choose("Describe table", {key: key for key in tables["name"]}, "describe")
description, columns = data.describe(table)
parts.paragraph(description["description"])
parts.bullets(
    [
        fill("One row per: **{grain}**", grain=description["grain"] or "none"),
        f"Reads: {', '.join(description['reads'] or ['nothing'])}",
        f"Read by: {', '.join(description['read_by'] or ['nothing'])}",
    ]
)
parts.table(columns, mart="", key="columns", title="Columns")
