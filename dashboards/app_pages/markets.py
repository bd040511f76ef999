"""Markets: in which countries an artist or a label is played, and where it is played more than other music."""

import streamlit as st

from dashboards import charts, data, filters, ledger, maps, parts, sentences

PAGE = {"title": "Markets", "section": "Music", "order": 62, "for_labels": True}

COLOURS = {"ratio": "plays compared with other music", "play_share": "share of plays"}
UNITS = {"ratio": "the country's share of these plays / its share of all plays", "play_share": "%"}
NOTES = {
    "ratio": f"Last 28 days. Grey: under {maps.LEAST_LISTENERS} listeners, too few to compare. Empty: no plays. The "
    "intervals below tell which differences may be chance.",
    "play_share": "Last 28 days. Empty: no plays.",
}
N_SHOWN = 15

if not data.is_operator():
    ledger.markets()
    st.stop()

parts.header("Markets", "In which countries an artist or a label is played, and where more than other music.")
with filters.row():
    owner, owner_id = filters.choose_owner()
    value = filters.choose("Colour countries by", COLOURS, "colour")
markets = data.run_query("market_shares", owner=owner, id=owner_id)
if markets.is_empty():
    parts.empty_state("There were no plays in the last 28 days.", "Choose another artist or label.")
    st.stop()

markets = maps.with_names(markets)
known, most = maps.with_enough_listeners(markets), maps.standing_out(maps.with_enough_listeners(markets))
if most.is_empty():
    parts.caption(
        f"In no country with {maps.LEAST_LISTENERS} listeners or more is it clearly played more than other music."
    )
else:
    parts.bullets([sentences.market_sentence(row, "all plays") for row in most.iter_rows(named=True)])

maps.figure(
    "Countries",
    maps.without_small(markets),
    value,
    share="play_share",
    key="world",
    alt_text=f"Map of the countries; most plays come from {markets['name'][0]}, {markets['play_share'][0]:.0%}.",
    note=NOTES[value],
    unit=UNITS[value],
)
if not known.is_empty():
    first = known.head(N_SHOWN)
    parts.figure(
        "Compared with other music",
        first,
        charts.intervals(first, "ratio", "name", unit=f"{UNITS['ratio']}, 95 % interval", low="low", high="high"),
        alt_text=f"In {first['name'][0]} it is played {first['ratio'][0]:.2f} times as much as other music.",
        key="ratios",
        note="Above 1, it is played more than other music in this country. If an interval does not contain 1, the "
        "difference is unlikely to be chance. The countries with most plays are shown.",
    )
parts.table(
    markets.drop("country"),
    mart="markets",
    key="markets",
    title="All countries, last 28 days",
    names={"name": "country", "play_share": "share of its plays", "home_share": "share of all plays"},
    formats={"ratio": "%.2f", "low": "%.2f", "high": "%.2f"},
)
