"""
Speech for training and evaluating matching, made by eSpeak NG (Debian: espeak-ng).

Training, calibration and test have different languages, voices and sentences. A voice may read sentences of another
language, with the sounds of its own: how speech covers music does not depend on what is said. Files are written before
training, which reads them as it reads recorded noise, so that eSpeak NG is needed for benchmarks only.
"""

import shutil
import subprocess
from pathlib import Path

import numpy as np

from bench.options import Missing

SEED = 7
N_SENTENCES = 3  # per file
SPEEDS_WPM, PITCHES = (125, 200), (20, 81)  # lowest, and highest + 1; eSpeak NG's own units
LANGUAGES = {
    "train": [
        "en-gb",
        "en-us",
        "en-029",
        "es",
        "es-419",
        "fr-fr",
        "de",
        "nl",
        "af",
        "ca",
        "ro",
        "pl",
        "cs",
        "hu",
        "tr",
        "id",
        "sw",
        "hr",
        "sq",
        "eo",
        "lv",
        "cy",
        "vi",
        "mt",
    ],
    "calibration": ["en-gb-scotland", "it", "pt-br", "sv", "fi", "et", "ms", "sk"],
    "test": ["en-us-nyc", "en-gb-x-rp", "pt", "da", "nb", "sl", "lt", "fr-be", "eu", "ga", "is"],
}
VOICES = {
    "train": [
        "m1",
        "m2",
        "m3",
        "f1",
        "f2",
        "f3",
        "Alicia",
        "Andrea",
        "Andy",
        "Denis",
        "Gene",
        "Lee",
        "Michael",
        "aunty",
        "belinda",
        "john",
        "linda",
        "max",
        "paul",
        "rob",
    ],
    "calibration": ["m4", "m5", "f4", "Annie", "Hugo", "Mike", "david"],
    "test": ["m6", "m7", "m8", "f5", "Diogo", "Jacky", "antonio", "edward", "robert", "steph"],
}
SENTENCES = {
    "train": (
        "Welcome back to the show, we have a lot to talk about this morning.",
        "In this video I will show you how to fix a bicycle with three simple tools.",
        "Traffic is slow on the ring road, and rain will reach the coast before noon.",
        "She counted the boats in the harbour twice, and still one of them was missing.",
        "If you like what you hear, tell a friend; if you do not, tell me.",
        "The kitchen opens at seven, the bar at eight, and the band plays from nine.",
        "Heute sprechen wir über den neuen Markt am Fluss und über frisches Brot.",
        "Bitte steigen Sie am nächsten Bahnhof um und achten Sie auf die Stufe.",
        "Aujourd'hui nous visitons un petit village où chaque maison a sa couleur.",
        "N'oubliez pas de fermer la porte quand vous quittez la salle ce soir.",
        "El partido terminó sin goles, pero nadie quería marcharse del estadio.",
        "Mañana habrá sol en el norte y viento fuerte en toda la costa del sur.",
        "Dziś rano na rynku było cicho, tylko piekarz otwierał swoje drzwi.",
        "We kunnen pas vertrekken als de laatste fietser de brug over is.",
    ),
    "calibration": (
        "Our guest tonight has spent ten years mapping caves that nobody had entered before.",
        "Add the flour slowly, keep stirring, and do not worry about small lumps.",
        "Il treno per la montagna parte dal terzo binario con venti minuti di ritardo.",
        "A loja da esquina vende jornais, selos e um café muito bom.",
        "Två hundar sprang över isen medan barnen letade efter sina vantar.",
    ),
    "test": (
        "Ladies and gentlemen, the captain expects a smooth flight and an early arrival.",
        "Today's question comes from a listener who keeps bees on the roof of her school.",
        "First we look at the numbers, then at the people behind them.",
        "Hoje o museu fica aberto até às dez e a entrada é gratuita.",
        "Vi skal gå en tur langs stranden og se på de gamle fyrtårnene.",
        "Le marché ferme bientôt, mais le poissonnier chante encore.",
    ),
}


def is_installed() -> bool:
    """Check whether `espeak-ng` is on the PATH."""
    return shutil.which("espeak-ng") is not None


def make_speech(folder: Path, part: str, n: int) -> list[Path]:
    """
    Write files of speech, each some sentences in one voice, and return their paths; files that exist stay as they are.

    Args:
        folder: Where the files are written; it is created.
        part: Part of the data: "train", "calibration" or "test".
        n: Number of files.

    Raises:
        Missing: `espeak-ng` is not installed.
        subprocess.CalledProcessError: `espeak-ng` failed.
    """
    if not is_installed():
        raise Missing("espeak-ng is not on the PATH. Install it (Debian: espeak-ng), and run again")
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([SEED, *part.encode()])
    paths = []
    for number in range(n):
        path = folder / f"{part} {number:03}.wav"
        voice = f"{LANGUAGES[part][number % len(LANGUAGES[part])]}+{rng.choice(VOICES[part])}"
        speed, pitch = rng.integers(*SPEEDS_WPM), rng.integers(*PITCHES)
        text = " ".join(rng.choice(SENTENCES[part], N_SENTENCES, replace=False))
        if not path.exists():
            options = ["-v", voice, "-s", str(speed), "-p", str(pitch), "-w", str(path)]
            command = ["espeak-ng", *options, text]
            subprocess.run(command, check=True, capture_output=True)
        paths.append(path)
    return paths
