"""Steps for analyses that are not done in SQL: communities, forecasts, predicted chart breakouts, topics of lyrics."""

from datetime import date

import polars as pl

from recsys.analytics.chart_breakouts import CHART_BREAKOUTS_COLUMNS, chart_breakouts
from recsys.analytics.communities import COMMUNITIES_COLUMNS, COMMUNITY_MEMBERS_COLUMNS, communities
from recsys.analytics.forecast import FORECASTS_COLUMNS, artist_forecasts
from recsys.analytics.topics import LYRIC_TOPICS_COLUMNS, TOPIC_WORDS_COLUMNS, TOPICS_COLUMNS, topics
from recsys.dataset.interactions import Interactions
from recsys.pipeline.results import Outcome, Result, step
from recsys.recipe import Recipe

COMMUNITIES = Result("communities", COMMUNITIES_COLUMNS)
COMMUNITY_MEMBERS = Result("community_members", COMMUNITY_MEMBERS_COLUMNS)
FORECASTS = Result("forecasts", FORECASTS_COLUMNS)
CHART_BREAKOUTS = Result("chart_breakouts", CHART_BREAKOUTS_COLUMNS)
TOPICS = Result("topics", TOPICS_COLUMNS)
TOPIC_WORDS = Result("topic_words", TOPIC_WORDS_COLUMNS)
LYRIC_TOPICS = Result("lyric_topics", LYRIC_TOPICS_COLUMNS)


@step(COMMUNITIES, COMMUNITY_MEMBERS)
def group(
    *, interactions: Interactions, artists: pl.DataFrame, last_community_members: pl.DataFrame, recipe: Recipe
) -> Outcome:
    """Cluster listeners and tracks by who plays what, starting from the clusters of the last release."""
    groups, members = communities(interactions, artists, recipe.communities, last_community_members)
    return Outcome(
        {COMMUNITIES.name: groups, COMMUNITY_MEMBERS.name: members},
        {f"n_of_{kind}": n for kind, n in groups.group_by("kind").len().sort("kind").iter_rows()},
    )


@step(FORECASTS)
def forecast(*, artist_days: pl.DataFrame, as_of: date) -> Outcome:
    """Forecast each artist's daily plays for the next 28 days."""
    expected = artist_forecasts(artist_days, as_of)
    return Outcome({FORECASTS.name: expected}, {"n_artists": expected["artist_id"].n_unique()})


@step(CHART_BREAKOUTS)
def chart(*, chart_weeks: pl.DataFrame) -> Outcome:
    """Predict which songs outside the top ten of each chart are likely to enter it."""
    found = chart_breakouts(chart_weeks)
    return Outcome({CHART_BREAKOUTS.name: found}, {"n_charts": found["chart"].n_unique(), "n_songs": found.height})


@step(TOPICS, TOPIC_WORDS, LYRIC_TOPICS)
def find_topics(*, words_of_lyrics: pl.DataFrame, last_topic_words: pl.DataFrame) -> Outcome:
    """Find the topics of lyrics from their words, starting from the topics of the last release."""
    found, words, members = topics(words_of_lyrics, last_topic_words)
    return Outcome(
        {TOPICS.name: found, TOPIC_WORDS.name: words, LYRIC_TOPICS.name: members},
        {"n_topics": found.height, "n_recordings": members.height},
    )
