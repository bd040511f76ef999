"""SQL: one's own questions to the file that one may read, with the data dictionary and saved queries."""

import streamlit as st

from dashboards import data, parts

PAGE = {"title": "SQL", "section": "Find", "order": 120, "for_labels": True}

FIRST = "select * from marts.artist_profile order by n_plays desc nulls last limit 20"

parts.header("SQL", "One SELECT on the file that you may read. Nothing can be written, no other file opened.")
saved = {"": "your own"} | {name: name.replace("_", " ") for name in data.saved_queries()}
with parts.filters():
    name = parts.choose("Begin with", saved, "saved")
text = parts.code("Query", data.saved_queries().get(name, FIRST), f"sql_{name}")
answer = data.sql(text)
parts.table(answer, of="", key="answer", title=f"{answer.height:,} rows")
if answer.height == data.N_ROWS:
    st.caption(f"Only the first {data.N_ROWS:,} rows are shown.")

tables = data.dictionary()
parts.table(tables, of="", key="dictionary", title="Tables")
table = parts.choose("Columns of", {table: table for table in tables["name"]}, "table")
parts.table(data.columns_of(table), of="", key="columns", title="Columns")
