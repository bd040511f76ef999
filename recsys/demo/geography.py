"""Countries with their UTC offsets, licence territories, and scenes of artists."""

from typing import NamedTuple

import numpy as np


class Country(NamedTuple):
    """A country, its share of the listeners and its summer UTC offsets [min]."""

    code: str
    share: float
    offsets_min: tuple[int, ...]


class Scene(NamedTuple):
    """Artists who share listeners: two genres, language of the lyrics (None: mostly instrumental), home countries."""

    genre: str
    second_genre: str
    language: str | None
    countries: tuple[str, ...]
    explicit_share: float


COUNTRIES = (
    Country("US", 0.17, (-240, -300, -360, -420)),
    Country("GB", 0.10, (60,)),
    Country("DE", 0.14, (120,)),
    Country("FR", 0.08, (120,)),
    Country("ES", 0.06, (120,)),
    Country("MX", 0.06, (-360,)),
    Country("BR", 0.08, (-180,)),
    Country("JP", 0.05, (540,)),
    Country("SE", 0.04, (120,)),
    Country("NL", 0.04, (120,)),
    Country("CA", 0.04, (-240, -420)),
    Country("AT", 0.03, (120,)),
    Country("CO", 0.03, (-300,)),
    Country("IN", 0.03, (330,)),
    Country("NG", 0.02, (60,)),
    Country("IE", 0.02, (60,)),
    Country("AU", 0.01, (600,)),
)
CODES = np.array([country.code for country in COUNTRIES])

EVERYWHERE = 0
TERRITORIES: tuple[tuple[str, ...], ...] = (
    (),  # everywhere
    ("AT", "DE"),
    ("CA", "US"),
    ("GB", "IE"),
    ("AT", "DE", "FR", "NL", "SE"),
    ("CO", "ES", "MX"),
    ("BR",),
    ("JP",),
    ("AU", "CA", "GB", "IE", "US"),
)

SCENES = (
    Scene("pop", "dance pop", "en", ("US", "GB", "CA", "SE"), 0.1),
    Scene("latin pop", "pop", "es", ("ES", "MX", "CO"), 0.1),
    Scene("reggaeton", "latin pop", "es", ("CO", "MX"), 0.4),
    Scene("hip hop", "trap", "en", ("US", "GB"), 0.6),
    Scene("hip hop", "deutschrap", "de", ("DE", "AT"), 0.6),
    Scene("hip hop", "rap français", "fr", ("FR",), 0.5),
    Scene("chanson", "pop", "fr", ("FR",), 0.02),
    Scene("indie rock", "alternative", "en", ("GB", "US", "AU"), 0.1),
    Scene("metal", "hard rock", "en", ("SE", "DE", "US"), 0.2),
    Scene("punk", "alternative", "en", ("US", "GB"), 0.4),
    Scene("folk", "singer-songwriter", "en", ("IE", "GB", "CA"), 0.02),
    Scene("country", "americana", "en", ("US", "CA"), 0.03),
    Scene("house", "dance", None, ("GB", "NL", "DE"), 0.02),
    Scene("techno", "electronic", None, ("DE", "NL"), 0.0),
    Scene("ambient", "electronic", None, ("SE", "JP", "GB"), 0.0),
    Scene("jazz", "soul jazz", None, ("US", "FR"), 0.0),
    Scene("classical", "piano", None, ("AT", "DE", "FR"), 0.0),
    Scene("soul", "r&b", "en", ("US", "GB"), 0.1),
    Scene("r&b", "pop", "en", ("US", "CA"), 0.3),
    Scene("bossa nova", "mpb", "pt", ("BR",), 0.01),
    Scene("funk carioca", "samba", "pt", ("BR",), 0.4),
    Scene("j-pop", "city pop", "ja", ("JP",), 0.01),
    Scene("schlager", "pop", "de", ("DE", "AT"), 0.0),
    Scene("afrobeats", "dancehall", "en", ("NG", "GB"), 0.1),
)


def is_available() -> np.ndarray:
    """Return whether each territory includes each country, shape (n_territories, n_countries), bool."""
    return np.array([[not codes or code in codes for code in CODES] for codes in TERRITORIES])
