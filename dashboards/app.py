"""
The Streamlit app that `recsys dashboard` runs: the frame around every page.

It identifies the viewer, builds the menu, runs the chosen page, and shows every expected error as a message instead of
a traceback.
"""

import sys

import streamlit as st

from recsys.errors import RecsysError
from recsys.installation.extras import explain_missing
from recsys.installation.paths import ROOT

if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # makes `dashboards` importable from any working directory, and from a wheel

from dashboards import access, data, parts, saved_views
from dashboards.menu import menu

st.set_page_config(page_title=parts.PRODUCT, page_icon=str(data.MARK), layout="wide")
try:
    viewer = access.require_viewer()
    page = st.navigation(menu(is_label=viewer.label_id is not None), expanded=True)
    st.set_page_config(page_title=f"{page.title} · {parts.PRODUCT}")
    parts.search_box()
    parts.sidebar_footer(viewer.name)
    parts.adjust_look()
    saved_views.sidebar(page.url_path)
    with explain_missing():
        page.run()
except RecsysError as error:
    parts.show_error(error)
