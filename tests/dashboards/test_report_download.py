"""The pages Overview and Artist offer their report as PDF, with the figures that they show."""

from datetime import date

import pytest

from recsys.home import Home
from recsys.releases import registry
from recsys.reports.wording import file_stem
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

from ..reports.pdf_text import read_pdf
from .conftest import Offered, Open, failures


@pytest.mark.parametrize("name", ["overview", "artist"])
def test_a_labels_report_has_the_figures_of_the_page(
    open_page: Open, offered: Offered, label_id: str, name: str
) -> None:
    """Plays, skips or their share, and their change; the file's name ends in the last day."""
    page = open_page(name, label=label_id)

    assert failures(page) == []
    file, write = list(offered.items())[-1]  # the start page was opened first
    text = read_pdf(write()).text
    assert file.endswith("-2026-06-30.pdf")
    metrics = [metric for metric in page.metric if metric.value != "too few"]
    assert len(metrics) >= 3
    for metric in metrics:
        assert f"{metric.label} {metric.value} {metric.delta}".removesuffix(" None").rstrip() in text


def test_an_operator_is_offered_the_report_of_what_is_chosen(
    open_page: Open, offered: Offered, published_home: Home, label_id: str
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
