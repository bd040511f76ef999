"""Counts of other channels by week, on counts that can be added up by hand."""

from datetime import date

from .conftest import AS_OF, Place, rows

SIGNALS = """day,source,track_id,artist_id,metric,value
2026-01-01,radio,sig,,spins,1
2026-01-07,radio,sig,,spins,10
2026-01-08,radio,sig,,spins,100
2026-01-08,radio,,ar9,spins,5
2026-02-20,radio,sig,,spins,7
"""


def test_counts_are_summed_over_seven_days(grown: Place) -> None:
    """Of a recording, with its artist, and of an artist; later counts than the run's day are left out."""
    grown.take("sig_tracks.csv", "track_id,title,artist_id\nsig,Signal,ar8\n")
    grown.take("signals.csv", SIGNALS)
    built = grown.build("signals", as_of=AS_OF, only=["marts.signals_weekly"])

    query = "select day, track_id, artist_id, value, value_before from marts.signals_weekly order by day, track_id"
    assert rows(built, query) == [
        (date(2026, 1, 1), "sig", "ar8", 1, None),
        (date(2026, 1, 7), "sig", "ar8", 11, None),
        (date(2026, 1, 8), "sig", "ar8", 110, 1),
        (date(2026, 1, 8), None, "ar9", 5, None),
    ]
