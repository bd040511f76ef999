"""Reports of one page on the current release, for `recsys report`: what an operator sees, or what a label sees."""

from pathlib import Path

from recsys.home import Home
from recsys.releases import registry
from recsys.reports.one_page.artist import artist_page
from recsys.reports.one_page.content import OnePage
from recsys.reports.one_page.label import label_page
from recsys.warehouse.query import Warehouse


def artist_report(home: Home, artist_id: str, viewer: str | None) -> OnePage:
    """
    Return the page of an artist.

    Args:
        home: A home with a published release.
        artist_id: The artist.
        viewer: The label whose ledger the figures come from; None for an operator, who sees all.

    Raises:
        UnknownIds: The release, or the label's file, has no such artist.
        SetupError: There is no release, or it has no file for the label.
    """
    with Warehouse.open(_file(home, viewer)) as warehouse:
        return artist_page(warehouse, artist_id)


def label_report(home: Home, label_id: str, *, is_ledger: bool) -> OnePage:
    """
    Return the page of a label: all figures, or the figures of its ledger only.

    Raises:
        UnknownIds: The release has no recording or figure of the label.
        SetupError: There is no release, or it has no file for the label.
    """
    with Warehouse.open(_file(home, label_id if is_ledger else None)) as warehouse:
        return label_page(warehouse, label_id)


def _file(home: Home, viewer: str | None) -> Path:
    return home.published_warehouse() if viewer is None else registry.label_warehouse(home, viewer)
