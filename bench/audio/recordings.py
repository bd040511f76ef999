"""
The real recordings by which matching is trained and judged, split by package: packages share artists, cuts share songs.

A package goes to the part that lacks the largest share of its tracks, in an order drawn from the packages' names; noise
is split likewise by the recording it was cut from.
"""

import csv
from collections import defaultdict
from hashlib import sha256
from pathlib import Path

SHARES = {"train": 0.6, "calibration": 0.075, "calibration strangers": 0.075, "queried": 0.125, "strangers": 0.125}
NOISE_SHARES = {"train": 0.6, "calibration": 0.15, "test": 0.25}


def recordings(audio: Path) -> dict[str, list[Path]]:
    """Return the files of music by part, sorted; `audio` is the folder of manifest.csv."""
    packages = defaultdict(list)
    with (audio / "manifest.csv").open(encoding="utf-8") as manifest:
        for row in csv.DictReader(manifest):
            packages[row["package"]].append(audio / row["file"])
    return _dealt(packages, SHARES)


def noises(audio: Path) -> dict[str, list[Path]]:
    """Return the clips of noise by part, sorted; clips of one source stay together."""
    sources = defaultdict(list)
    for path in (audio / "noise").iterdir():
        sources[path.stem.split("__")[1].split("-")[1]].append(path)
    return _dealt(sources, NOISE_SHARES)


def _dealt(groups: dict[str, list[Path]], shares: dict[str, float]) -> dict[str, list[Path]]:
    parts: dict[str, list[Path]] = {part: [] for part in shares}
    n = sum(map(len, groups.values()))
    for name in sorted(groups, key=lambda name: sha256(name.encode()).hexdigest()):
        poorest = max(parts, key=lambda part: shares[part] - len(parts[part]) / n)
        parts[poorest].extend(groups[name])
    return {part: sorted(paths) for part, paths in parts.items()}
