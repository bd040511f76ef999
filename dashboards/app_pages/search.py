"""Search: recordings and artists by name or id."""

import streamlit as st

from dashboards import data, filters, parts

PAGE = {"title": "Search", "section": "Find", "order": 80, "for_labels": True}

parts.header("Search", "Recordings and artists whose name, label or id holds every word.")
with filters.row():
    words = filters.text("Words", "q", placeholder="love 2024")
    chosen = filters.narrowing()
if not words.strip():
    parts.empty("Nothing is asked yet.", "Type a word of a title, an artist's name, a label or an id.")
    st.stop()
found = data.run_query("search_catalogue", words=words, **chosen)
if found.is_empty():
    parts.empty(f"Nothing holds all of “{words}”.", "Try fewer words, or take a filter back.")
    st.stop()
parts.table(found, of="track_features", key="search", title=f"{found.height} found, the most played first")
