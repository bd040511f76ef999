"""Search: recordings and artists by name, label or id."""

import streamlit as st

from dashboards import data, filters, parts

PAGE = {"title": "Search", "section": "Find", "order": 80, "for_labels": True}

ORDER = {True: ", most played first", False: " by name"}

parts.header("Search", "Recordings and artists whose name, label or id contains every word.")
with filters.row():
    words = filters.text_input("Search for", "q", placeholder="love 2024")
    chosen = filters.catalogue_filters() if data.is_operator() else filters.catalogue_filters("genre")
if not words.strip():
    parts.empty_state("Nothing to search for yet.", "Type part of a title, an artist's name, a label or an id.")
    st.stop()
results = data.run_query("search_catalogue" if data.is_operator() else "search_names", words=words, **chosen)
if results.is_empty():
    parts.empty_state(f"No results for “{words}”.", "Try fewer words, or remove a filter.")
    st.stop()
n_found = results["n_found"][0]
parts.table(
    results.drop("n_found"),
    mart="track_features",
    key="search",
    title=f"{n_found:,} results{ORDER[data.is_operator()]}",
)
parts.cut_note(results.height, n_found, "Add a word, or choose a filter.")
