"""
Invented names of artists, labels, releases, tracks and playlists, built from word lists of this project.

Names are distinct, except those of playlists. Some contain commas, quotes, ampersands and non-ASCII letters, as real
names do.
"""

from itertools import product

import numpy as np


def _words(text: str) -> list[str]:
    return text.split()


FIRST = _words(
    """
    Maren Ilse Tomás Kofi Yuki Noor Bram Elif Rosalía Dario Signe Ade Ravi Chiara Lukas Inês Odette Mateus
    Keiko Anouk Joaquín Freya Obi Linnea Zoë Emeka Hana Paolo Wren Idris Maëlle Sölve Tala Rufus Amara Benoît
    Cleo Dunja Eskil Farah
    """
)
LAST = _words(
    """
    Halvorsen Quillfeather Okonjo Brandtner Villaseñor Tanabe Lindholt Marchetière Osterwald Adeyinka
    Rautavuori Pellgrave Castañeda Winterbourne Mirchandel Duvernay Aldenkamp Ferrovar Ishimori Thorneycroft
    Baptistine Kowalewicz Sørbye Vantongeren Moreira-Paz Ashgrove Steinhöfel Larkwood Nakagiri Boadu-Reyes
    Greavesly Montclarin Eikeland Sandoval-Ruiz Weatherlight Zumbrunn
    """
)
ADJECTIVES = _words(
    """
    Velvet Crooked Paper Silver Hollow Northern Electric Burning Quiet Borrowed Golden Restless Copper Distant
    Amber Frozen Tender Wild Faded Second Plastic Sleeping Crimson Lonely Marble Neon Salted Broken Gentle
    Painted
    """
)
NOUNS = _words(
    """
    Harbour Lantern Orchard Satellite Parade Mirror Engine Garden Signal Window Thunder River Kingdom Feather
    Carousel Postcard Station Meadow Compass Tiger Ribbon Avenue Whisper Comet Cathedral Bicycle Shadow Island
    Telephone Horizon
    """
)
LABEL_NOUNS = _words(
    """
    Anchorage Bellwether Cinderpath Driftglass Elmstone Foxglove Gravelpit Hearthside Inkwell Junebug
    Kettledrum Lodestar Millrace Nightjar Oakmoss Pinwheel Quarterdeck Rookery Saltmarsh Tinderbox Umbra
    Vellum Wayfarer Yarrow Zephyrine Brightwater Coldharbour Longacre Marigold Sixpence
    """
)
WORDS = {
    "en": (ADJECTIVES, NOUNS, ("{a} {n}", "The {n} Is {a}", "{n}, {a} {n}", "Your {a} {n}")),
    "es": (
        _words("Perdido Lento Azul Eterno Salvaje Dulce Oscuro Lejano Roto Dorado"),
        _words("Corazón Verano Camino Fuego Silencio Mar Sueño Jardín Recuerdo Cielo Espejo Tren Barrio Viento"),
        ("{n} {a}", "Mi {n} {a}", "Un {n} Tan {a}", "¿{n} o {n} {a}?"),
    ),
    "de": (
        _words("Leise Ferne Blaue Letzte Wilde Stille Neue Goldene Müde Helle"),
        _words("Straße Nacht Sonne Zeit Liebe Stadt Welle Uhr Brücke Sehnsucht Reise Stimme Tür Insel"),
        ("{a} {n}", "Meine {a} {n}", "Diese {n}, so {a}", "Zurück in die {a} {n}"),
    ),
    "fr": (
        _words("Perdue Lointaine Douce Bleue Dernière Fragile Ancienne Secrète Folle Légère"),
        _words("Nuit Fenêtre Chanson Lumière Ville Mer Saison Étoile Lettre Valse Pluie Mémoire Gare Rivière"),
        ("{n} {a}", "Ma {n} {a}", "L'autre {n} {a}", "Une {n} si {a}"),
    ),
    "pt": (
        _words("Distante Doce Azul Antiga Serena Perdida Brava Tranquila Dourada Pequena"),
        _words("Saudade Praia Noite Estrela Canção Rua Maré Manhã Janela Lua Chuva Vila Esquina Rosa"),
        ("{n} {a}", "Minha {n} {a}", "Na {n} {a}", "Essa {n}, Tão {a}"),
    ),
    "ja": (
        _words("Aoi Shiroi Tooi Yasashii Nagai Atsui Kuroi Akai Furui Chiisana"),
        _words("Sora Umi Kaze Hoshi Yume Machi Kisetsu Hikari Michi Namida Tsuki Hana Natsu Kage"),
        ("{a} {n}", "{n} no {n}, {a}", "{a} {n} e", "Ano {a} {n}"),
    ),
}
TITLE_STRIDE = 997  # a prime that does not divide the length of any title list, so that an artist's titles never repeat
PLAYLIST_PATTERNS = ("{a} {n} Mix", "Songs for the {n}", "{a} Mornings: {n}", 'The "{n}" List', "{n}s & {a} Nights")


def titles(language: str | None) -> np.ndarray:
    """Return all track titles of a language (English for None), distinct and in a fixed order."""
    adjectives, nouns, patterns = WORDS[language or "en"]
    return np.array([p.format(a=a, n=n) for p, a, n in product(patterns, adjectives, nouns)])


def people(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return `n` distinct names of people."""
    return rng.choice([f"{first} {last}" for first, last in product(FIRST, LAST)], n, replace=False)


def groups(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return `n` distinct names of groups."""
    patterns = ("The {a} {n}s", "{a} {n}", "{n}, {a} & Daughters", "{a} {n} Club")
    return rng.choice([p.format(a=a, n=n) for p, a, n in product(patterns, ADJECTIVES, NOUNS)], n, replace=False)


def labels(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return `n` distinct names of labels."""
    endings = ("Records", "Music Group", "Recordings", "Sound")
    return rng.choice([f"{noun} {ending}" for ending, noun in product(endings, LABEL_NOUNS)], n, replace=False)


def playlists(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return `n` playlist titles, some of them equal."""
    every = [p.format(a=a, n=n) for p, a, n in product(PLAYLIST_PATTERNS, ADJECTIVES, NOUNS)]
    return rng.choice(every, n)


def ids(prefix: str, n: int, digits: int, rng: np.random.Generator) -> np.ndarray:
    """Return `n` distinct random ids such as 'trk_40213'."""
    low = 10 ** (digits - 1)
    return np.array([f"{prefix}_{number}" for number in rng.choice(9 * low, n, replace=False) + low])
