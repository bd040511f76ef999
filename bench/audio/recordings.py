"""
The real recordings for training and evaluating matching, split into parts.

All tracks of a package stay in one part, because they often share artists and songs. In an order given by a hash of
their names, each package goes to the part furthest below its share of tracks. Noise clips are split in the same way by
the recording they come from.
"""

import csv
from collections import defaultdict
from hashlib import sha256
from pathlib import Path

SHARES = {"train": 0.6, "calibration": 0.075, "calibration strangers": 0.075, "queried": 0.125, "strangers": 0.125}
NOISE_SHARES = {"train": 0.6, "calibration": 0.15, "test": 0.25}


def recordings(audio: Path) -> dict[str, list[Path]]:
    """Return the music files by part (see SHARES), sorted; `audio` is the folder of manifest.csv."""
    packages = defaultdict(list)
    with (audio / "manifest.csv").open(encoding="utf-8") as manifest:
        for row in csv.DictReader(manifest):
            packages[row["package"]].append(audio / row["file"])
    return _split(packages, SHARES)


def noises(audio: Path) -> dict[str, list[Path]]:
    """Return the noise clips by part (see NOISE_SHARES), sorted; clips of one source stay in one part."""
    sources = defaultdict(list)
    for path in (audio / "noise").iterdir():
        sources[path.stem.split("__")[1].split("-")[1]].append(path)
    return _split(sources, NOISE_SHARES)


def _split(groups: dict[str, list[Path]], shares: dict[str, float]) -> dict[str, list[Path]]:
    parts: dict[str, list[Path]] = {part: [] for part in shares}
    n = sum(map(len, groups.values()))
    for name in sorted(groups, key=lambda name: sha256(name.encode()).hexdigest()):
        smallest = max(parts, key=lambda part: shares[part] - len(parts[part]) / n)
        parts[smallest].extend(groups[name])
    return {part: sorted(paths) for part, paths in parts.items()}
