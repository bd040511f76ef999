"""The pages Overview and Artist offer their report as PDF, with the figures that they show."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import streamlit as st

from recsys.home import Home
from recsys.releases import registry
from recsys.reports.wording import file_stem
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

from ..reports.pdf_text import read_pdf
from .conftest import Open, failures


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], bytes]]:
    """The PDF downloads of the pages opened since: name of the file -> function that writes it."""
    found: dict[str, Callable[[], bytes]] = {}
    original = st.download_button

    def recorded(label: str, content: Any, name: str, *args: Any, **options: Any) -> bool:
        if name.endswith(".pdf"):
            found[name] = content
        return original(label, content, name, *args, **options)

    monkeypatch.setattr(st, "download_button", recorded)
    return found


@pytest.mark.parametrize("name", ["overview", "artist"])
def test_a_labels_report_has_the_figures_of_the_page(
    open_page: Open, offered: dict[str, Callable[[], bytes]], label_id: str, name: str
) -> None:
    """Plays, skips or their share, and their change; the file's name ends in the last day."""
    page = open_page(name, label=label_id)

    assert failures(page) == []
    file, write = list(offered.items())[-1]  # the start page was opened first
    text = read_pdf(write()).text
    assert file.endswith("-2026-06-30.pdf")
    metrics = [metric for metric in page.metric if metric.value.removeprefix("under ") != "20"]
    assert len(metrics) >= 3
    for metric in metrics:
        assert f"{metric.label} {metric.value} {metric.delta}".removesuffix(" None").rstrip() in text


def test_an_operator_is_offered_the_report_of_what_is_chosen(
    open_page: Open, offered: dict[str, Callable[[], bytes]], published_home: Home, label_id: str
) -> None:
    """The catalogue or a label, but no report where only a genre is shown, whose figures the report does not have."""
    with Warehouse.open(registry.label_warehouse(published_home, label_id)) as warehouse:
        name = warehouse.query(internal_sql("label_of_file")).item()

    page = open_page("overview")
    assert list(offered) == ["All-labels-2026-06-30.pdf"]
    assert f"Plays {page.metric[0].value} {page.metric[0].delta}" in read_pdf(offered.popitem()[1]()).text
    label, genre = page.selectbox[1:3]
    label.set_value(name).run()
    assert [file.removesuffix(".pdf") for file in offered] == [file_stem(name, date(2026, 6, 30))]
    offered.clear()
    genre.set_value(genre.options[1]).run()
    assert offered == {}
