"""Search: recordings by terms such as tags, tempo and key, and recordings and artists by name, label or id."""

import streamlit as st

from dashboards import data, filters, parts
from dashboards.markdown import Markdown

PAGE = {"title": "Search", "section": "Find", "order": 80, "for_labels": True}

ORDER = {True: ", most played first", False: " by name"}
N_SHOWN, N_CLOSE = 100, 20  # results, and recordings that miss one term
TERMS = Markdown(
    "Separate terms with commas. **Sound**: calm, piano, 70-90 bpm, slow, A minor, minor, quiet, high energy, "
    "instrumental. **Release**: 1990s, since 2020, label NAME, independent label, 3:00 to 3:30, clean. **People and "
    "places**: artist NAME, from Brazil, in French, available in Japan. **Similar sound**: like TRACK ID, like “Title” "
    "by ARTIST but slower. Write not before a term to exclude it, and or between terms that may replace each other. "
    "Other words are searched for in names; put a word in quotes if it is part of a name but means something else here."
)
IDS = ("track_id", "artist_id", "label_id")
FACTS = ("fit", "label_name", "release_date", "tempo_bpm", "key", "mode", *IDS)
FOUND = ("rank", "title", "artist_name", "why", *FACTS)
CLOSE = ("title", "artist_name", "misses", "why", *FACTS)
NAMES = {"artist_name": "artist", "label_name": "label", "tempo_bpm": "tempo", "release_date": "released"}
REMEDY = "Put words that are part of a name into quotes, or remove a term."


def by_name(words: str, chosen: dict[str, str]) -> bool:
    """Show recordings and artists whose names contain every word; return whether there are any."""
    results = data.run_query("search_catalogue" if data.is_operator() else "search_names", words=words, **chosen)
    if results.is_empty():
        return False
    n_found = results["n_found"][0]
    parts.table(
        results.drop("n_found"),
        mart="track_features",
        key="search",
        title=f"{n_found:,} {'result' if n_found == 1 else 'results'}{ORDER[data.is_operator()]}",
    )
    parts.cut_note(results.height, n_found, "Add a word, or choose a filter.")
    return True


def by_terms(text: str) -> None:
    """Show recordings that satisfy the terms, and why; or which term to drop; and recordings that miss one."""
    results = parts.attempt(lambda: data.search(text, n=N_SHOWN), REMEDY)
    if results is None:
        return
    parts.caption(f"Understood as: {'; '.join(results.understood)}.")
    n_shown = min(results.n_found, N_SHOWN)
    found, close = results.rows.head(n_shown), results.rows.slice(n_shown, N_CLOSE)
    if n_shown:
        title = "1 result" if n_shown == 1 else f"{results.n_found:,} results, best first"
        parts.table(found.select(FOUND), mart="track_features", key="found", title=title, names=NAMES)
        parts.report_downloads(data.playlist_writer(text, found), ["xspf"], "playlist", "Download playlist")
        parts.cut_note(n_shown, results.n_found, "Add a term.")
    else:
        advice = " ".join(one if one.endswith("?") else f"{one}." for one in results.advice)
        parts.empty_state(f"No results for “{text}”: no recording satisfies all terms.", advice)
    if not close.is_empty():
        title = "Recordings that miss one term"
        parts.table(close.select(CLOSE), mart="track_features", key="close", title=title, names=NAMES)


parts.header("Search", "Recordings by what they are and how they sound; recordings and artists by name, label or id.")
row = filters.row()
with row:
    words = filters.text_input("Search for", "q", placeholder="calm piano, 70-90 bpm, minor")
is_of_names = not words.strip() or parts.attempt(lambda: data.is_search_of_names(words))
has_terms = is_of_names is not None  # otherwise the catalogue cannot be read, and names are searched alone
with row:
    kinds = () if data.is_operator() else ("genre",)
    chosen = filters.catalogue_filters(*kinds) if is_of_names or not has_terms else {}
with parts.expander("What can be searched for"):
    parts.paragraph(TERMS)
if not words.strip():
    parts.empty_state("Nothing to search for yet.", "Type what you look for: tags, a tempo, part of a title or a name.")
    st.stop()
if has_terms and not is_of_names:
    by_terms(words)
    by_name(words, {})  # such as Quiet Mirror
elif not by_name(words, chosen):
    if has_terms and not any(chosen.values()):
        by_terms(words)  # without accents, and with suggestions
    else:
        parts.empty_state(f"No results for “{words}”.", "Try fewer words, or remove a filter.")
