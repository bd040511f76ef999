"""
What `recsys dashboard` runs, the frame around every page: who is looking, the menu, and what went wrong.

A page asks, draws and stops; what it cannot be given is said here, in words.
"""

import streamlit as st

from dashboards import access, data, parts
from dashboards.menu import menu
from recsys.errors import RecsysError

st.set_page_config(page_title="recsys", page_icon=str(data.MARK), layout="wide")
try:
    viewer = access.enter()
    page = st.navigation(menu(is_label=viewer.label_id is not None), expanded=True)
    parts.signature(viewer.name)
    page.run()
except RecsysError as wrong:
    parts.failed(wrong)
