"""
What `recsys dashboard` runs, the frame around every page: who is looking, the menu, and what went wrong.

A page asks, draws and stops; what it cannot be given is said here, in words.
"""

import sys

import streamlit as st

from recsys.errors import RecsysError
from recsys.installation.extras import explain_missing
from recsys.installation.paths import ROOT

if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # `dashboards` is found from wherever this is started, in a wheel too

from dashboards import access, data, parts
from dashboards.menu import menu

st.set_page_config(page_title="recsys", page_icon=str(data.MARK), layout="wide")
try:
    viewer = access.enter()
    page = st.navigation(menu(is_label=viewer.label_id is not None), expanded=True)
    parts.signature(viewer.name)
    with explain_missing():
        page.run()
except RecsysError as wrong:
    parts.failed(wrong)
