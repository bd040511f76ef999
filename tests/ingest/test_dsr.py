"""Sales and usage reports by DDEX."""

from datetime import date
from typing import Any

import pytest

from .conftest import Inbox

HEAD = (
    "HEAD\tdsrf/1.1.2/1.6/1.0\tBasicAudioProfile\t1.2\tm1\t2026-01-20T10:00:00Z\t1\t1\t2026-01-01\t2026-01-15"
    "\tPADPIDA1\tSeed\n"
)
SUMMARIES = (
    "SY02.02\tS1\t\t\tSubscriptionModel\tOnDemandStream\tFR\tPremium\t1000\t50\tEUR\t200.0\n"
    "SY01.01\tS2\t\t\tPayAsYouGoModel\tPermanentDownload\tDE\tShop\t10\t\tEUR\t9.5\n"
)
BLOCKS = (
    "RE01\tB1\tR1\trel-1\n"
    "AS01.01\tB1\tA1\tres-1\tUSS1Z2600001|USS1Z2600002\tTitle \\| One\tLive\tAda\n"
    "AS02\tB1\tA2\tres-2\t\tTwo\t\tBix\n"
    "SU02\tB1\tS1\tx1\t\tA1\ttrue\t300\n"
    "SU02.01\tB1\tS1\tx2\t\tA1\ttrue\t200\n"
    "SU01\tB1\tS2\tx3\tR1\t\ttrue\tfalse\t3\t1\t1.5\n"
    "AS01\tB2\tA1\tres-3\tUSS1Z2600003\tThree\t\tCyd\n"
    "SU02\tB2\tS1\tx4\tR9\t\ttrue\t500\t\n"
)
FOOT = "FOOT\t13\t2\n"
FIGURES = (
    "service",
    "territory",
    "resource_id",
    "isrc",
    "title",
    "artist",
    "n_usages",
    "revenue",
    "currency",
    "revenue_basis",
)


def sales(inbox: Inbox) -> list[tuple[Any, ...]]:
    """Return the figures of all sales, ordered by recording."""
    return inbox.rows("sales").sort("resource_id").select(FIGURES).rows()


def test_usages_become_rows_per_recording_territory_and_period(inbox: Inbox) -> None:
    """Usages of a context add up; revenue is the share of net revenue, or price times sales less returns."""
    inbox.take("DSR.tsv", "#comment\n" + HEAD + SUMMARIES + BLOCKS + FOOT)

    assert sales(inbox) == [
        ("Shop", "DE", "release:rel-1", None, None, None, 3, 3.0, "EUR", "price"),
        ("Premium", "FR", "res-1", "USS1Z2600001", "Title | One", "Ada", 500, 100.0, "EUR", "share"),
        ("Premium", "FR", "res-3", "USS1Z2600003", "Three", "Cyd", 500, 100.0, "EUR", "share"),
    ]
    row = inbox.rows("sales").row(0, named=True)
    assert (row["period_start"], row["period_end"]) == (date(2026, 1, 1), date(2026, 1, 15))
    assert (row["commercial_model"], row["use_type"]) == ("SubscriptionModel", "OnDemandStream")
    assert inbox.refused() == []


def test_comments_name_the_cells(inbox: Inbox) -> None:
    """Single-record blocks, and other versions of records; a period of a month ends with its last day."""
    inbox.take(
        "DSR.tsv",
        HEAD.replace("2026-01-01\t2026-01-15", "2025-02\t2025-02")
        + "#SY03\tSummaryRecordId\tCommercialModel\tUseType\tTerritory\tUsages\n"
        + "SY03.01\tS1\tAdSupport\tStream\tFR\t10\n"
        + "#SR02\tSummaryRecordId\tDspResourceId\tResourceISRC\tResourceTitle\tNumberOfStreams\n"
        + "SR02\tS1\tres-1\t\tOne\t7\n"
        + "SRFO\t5\t1\n",
    )

    assert sales(inbox) == [("Seed", "FR", "res-1", None, "One", None, 7, None, None, "unknown")]
    assert inbox.rows("sales")["period_end"].to_list() == [date(2025, 2, 28)]


@pytest.mark.parametrize(
    "record",
    [
        "SU02\tB2\tS9\tx5\t\tA1\ttrue\t500",
        "SU02\tB2\tS1\tx5\t\tA1\ttrue\tmany",
        "SU02\tB2\tS1\tx5\t\tA1\ttrue",
        "SU02\tB9\tS1\tx5\t\tA1\ttrue\t5",
        "XX\tunknown",
        "SU02\tB2\tS1\tx5\t\tA1\ttrue\t" + "9" * 400,
        "SU02\tB2\tS1\tx5\t\tA1\ttrue\tnan",
    ],
)
def test_a_record_without_what_it_needs_is_malformed(inbox: Inbox, record: str) -> None:
    """The others are read."""
    inbox.take("DSR.tsv", HEAD + SUMMARIES + BLOCKS + record + "\n" + FOOT)

    assert len(sales(inbox)) == 3
    assert inbox.refused() == [("malformed_row", None, "DSR.tsv", 12)]


def test_a_report_without_usages_is_empty(inbox: Inbox) -> None:
    """It says that nothing was used."""
    (batch,) = inbox.take("DSR.tsv", HEAD + SUMMARIES + FOOT).batches

    assert (batch.table, batch.n_read) == ("sales", 0)


def test_a_report_that_is_cut_short_is_refused(inbox: Inbox) -> None:
    """Its usages would be too few."""
    assert "without its last record" in inbox.complaint("DSR.tsv", HEAD + SUMMARIES + BLOCKS)


def test_a_corrected_report_replaces_the_figures(inbox: Inbox) -> None:
    """Rows of the same recording, territory and period are newer versions."""
    inbox.take("DSR1.tsv", HEAD + SUMMARIES + BLOCKS + FOOT)
    report = inbox.take("DSR2.tsv", HEAD.replace("m1", "m2") + SUMMARIES + BLOCKS.replace("\t500\t", "\t400\t") + FOOT)

    assert [(batch.n_accepted, batch.n_duplicate) for batch in report.batches] == [(1, 2)]
