"""Settings of listener communities and track clusters: the section [communities] of a recipe."""

from dataclasses import dataclass

from recsys.settings import Count, Seed, Settings


@dataclass(frozen=True)
class CommunitySettings(Settings):
    """Maximum numbers of listener communities (`listeners`) and track clusters (`tracks`), and the seed of k-means."""

    listeners: Count = 12
    tracks: Count = 24
    seed: Seed = 7
