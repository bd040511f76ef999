"""
Saved views in the sidebar: the viewer's own, each a link; and the page as it is now, to save or to copy its link.

A link has the page's query parameters; the page itself checks them when it is opened.
"""

from collections.abc import Callable

import streamlit as st

from dashboards import access, data, parts
from dashboards.markdown import as_markdown
from dashboards.menu import headers
from dashboards.watching import done
from recsys.errors import RecsysError
from recsys.login import app_address
from recsys.state import views
from recsys.state.store import MAX_NAME
from recsys.state.views import View

REMEDY = "The view was not changed. Choose another name, or fewer filters."


def sidebar(page: str) -> None:
    """
    Show the saved views of the viewer, and offer to save what `page` shows now.

    Args:
        page: Path of the page in the address, which is empty for the first page.
    """
    try:
        own = views.views(access.current_home(), access.viewer().owner())
    except RecsysError as error:  # no reason to show nothing of the page itself
        with st.sidebar:
            parts.show_error(error)
        return
    with st.sidebar.expander("Saved views"):
        for view in own:
            _link(view)
        with st.popover("Save this view"):
            _save_form(page)
            st.caption("Or copy its link:")
            st.code(views.link(page, _parameters(), app_address(access.current_home())), language=None)
        if own:
            with st.popover("Rename or delete"):
                _change_form([view.name for view in own])


def _link(view: View) -> None:
    """Show a saved view as a link, if its page still exists and the viewer may open it."""
    header = headers().get(view.page)
    if header is not None and (header.for_labels or data.is_operator()):
        path, parameters = f"app_pages/{view.page}.py", dict(view.parameters)
        st.page_link(path, label=as_markdown(view.name), query_params=parameters, width="stretch")


def _save_form(page: str) -> None:
    with st.form("save_view", border=False):
        name = st.text_input("Name", max_chars=MAX_NAME, key="view_name")
        if st.form_submit_button("Save"):
            view = View(str(name or ""), page or _first_page(), _parameters())
            _change(lambda: views.save(access.current_home(), access.viewer().owner(), view))


def _parameters() -> dict[str, str | list[str]]:
    """Return the query parameters of the address; several values of one, such as of compared artists, as a list."""
    every = {key: st.query_params.get_all(key) for key in st.query_params}
    return {key: values[0] if len(values) == 1 else values for key, values in every.items()}


def _first_page() -> str:
    return next(name for name, header in headers().items() if header.for_labels or data.is_operator())


def _change_form(names: list[str]) -> None:
    with st.form("change_view", border=False):
        chosen = str(st.selectbox("View", names, key="view_to_change"))
        new_name = str(st.text_input("New name", max_chars=MAX_NAME, key="view_new_name") or "")
        home, owner = access.current_home(), access.viewer().owner()
        if st.form_submit_button("Rename"):
            _change(lambda: views.rename(home, owner, chosen, new_name))
        if st.form_submit_button("Delete"):
            _change(lambda: views.delete(home, owner, chosen))


def _change(change: Callable[[], None]) -> None:
    """Make a change and show the page anew; or show why it was not possible."""
    if done(change, REMEDY):
        st.rerun()
