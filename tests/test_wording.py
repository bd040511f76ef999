"""
The project's words are the trade's words: its old names and private metaphors are refused.

The test reads names in Python, docstrings, comments, texts in Python (messages, help, page texts), SQL with its
headers, templates and the documents. Beside each refused word stands the standard term.
"""

import ast
import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("recsys", "sql", "dashboards", "tests", "bench", "docs")
SUFFIXES = {".py", ".sql", ".html", ".md", ".toml"}

# Identifier (without leading underscores) -> what to call it instead. Library names are not ours to choose: only names
# that this project defines are looked at.
NAMES = {
    **dict.fromkeys(("taste", "tastes", "Tasters"), "interactions, or listeners with the same preferences"),
    **dict.fromkeys(("Kinship", "because"), "Attribution"),
    **dict.fromkeys(("weighed", "of_mean"), "confidence, mean_normalised"),
    **dict.fromkeys(("tag_vectors", "rarity"), "tfidf_features, idf"),
    **dict.fromkeys(("standing", "spread"), "zscores, std"),
    **dict.fromkeys(("regressions", "mirror"), "ease_weights, symmetrize"),
    "Habits": "ListeningTimeProfile",
    **dict.fromkeys(("Shelf", "shelf"), "ProductInputs, catalogue_index"),
    **dict.fromkeys(("Night", "night", "nights"), "candidates, run, or as_of"),
    **dict.fromkeys(("Turn", "turn", "turns"), "RuleState, states"),
    **dict.fromkeys(("Stage", "stage", "stages"), "RerankRule, rule"),
    **dict.fromkeys(("About", "about"), "RerankContext, context, description"),
    **dict.fromkeys(("Past", "Exposed", "Judged", "Found"), "TrainingProfile, RankedLists, EvaluatedLists, Hits"),
    **dict.fromkeys(("Prints", "prints", "Near"), "FingerprintIndex, fingerprints, Neighbours"),
    **dict.fromkeys(("Hit", "Draft", "Line"), "WindowMatch, OpenMatch, TimeAlignment"),
    **dict.fromkeys(("Listen", "Heard"), "FingerprintFile, EmbedFile, Fingerprinted, EncoderOutput"),
    **dict.fromkeys(("Judge", "Checked"), "MatchClassifier, MatchHistory"),
    **dict.fromkeys(("ask", "asked", "answered"), "run_query, requested, output_options"),
    **dict.fromkeys(("told", "dated", "timed", "worded"), "messages, date_option, time_zone_option, with_reason_text"),
    **dict.fromkeys(("laid_out", "drawn_means"), "align_to_truth, bootstrap_means"),
    **dict.fromkeys(("rival", "hear", "bring_in"), "champion_run_id, scan_music, ingest_files"),
    **dict.fromkeys(("plants", "rises", "dirt"), "planted_breakouts, breakout_truth, invalid_rows"),
    **dict.fromkeys(("dice", "grounds", "kin"), "rng, reason, similar"),
    **dict.fromkeys(("wanted", "at", "each"), "what the value holds"),
}

# Pattern in text -> what to write instead. Matched without regard to case, at word boundaries.
TEXTS = {
    r"tastes?|tasters?": "interactions, preferences, what listeners like",
    r"kin|kinship": "similar tracks, attribution",
    r"shelf|shelves": "inputs, catalogue index",
    r"dice": "random generator",
    r"on (?:the )?grounds|its grounds|grounds": "reason",
    r"market's clock": "market time zone",
    r"log tables?|registers?": "event table, reference table",
    r"weighed": "weighted",
    r"rivals?": "champion, the published run",
    r"(?:is|are|was|were|been|be) told": "is reported, is passed, is stated",
    r"(?:held|laid) against": "compared with",
    r"drawn again": "resampled",
    r"asked for together|asked about": "tested together, requested",
    r"(?:none|nobody|nothing) (?:is|are) (?:there|none)": "there is no ...",
    r"(?<!there )is no (?:file|folder|share|number|date|day|id|query|table|column)": "is not a ..., there is no ...",
    r"need not mind|spoke most|speaks most|hear less|lives? with|brought in|bring in|read from their history": (
        "the field's term for what is computed"
    ),
    r"(?:plays|listens|times|seconds|milliseconds|hours|rows|tracks|listeners|lines) an? (?:day|week|month|second|hour|"
    r"listener|track|recording|user|query|row|night|minute|file|pair|label|country)": "per: plays per day",
    r"(?:one|a) (?:row|line|column|value|file|list) an? (?:day|week|month|listener|track|recording|user|query|row|"
    r"night|file|pair|label|country|value|model|artist|group|run)": "one row per ...",
    r"begin(?:s|ning)? with a point|look, do not touch|looked through|wont to|know nothing|made-up worlds?": (
        "plain English"
    ),
    r"popularity floor|rules of the house|in charge": "popularity baseline, SQL rules, the published recommender",
}
SENTENCE = re.compile("|".join(rf"(?P<t{i}>\b(?:{pattern})\b)" for i, pattern in enumerate(TEXTS)), re.IGNORECASE)


@cache
def files() -> tuple[Path, ...]:
    """List the files that people read, without this one and without recorded results."""
    found = [*ROOT.glob("*"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))]
    kept = (path for path in found if path.suffix in SUFFIXES and path != Path(__file__))
    return tuple(sorted(path for path in kept if not path.is_relative_to(ROOT / "bench" / "results")))


def room(path: Path) -> str:
    """Name the folder that a file belongs to: 'recsys/audio', 'tests/audio', 'sql', 'docs'."""
    parts = path.relative_to(ROOT).parts
    if len(parts) == 1:
        return "."
    return "/".join(parts[:2]) if parts[0] in {"recsys", "tests"} and len(parts) > 2 else parts[0]


@cache
def rooms() -> dict[str, list[Path]]:
    """Return the files by the folder that they belong to."""
    found = defaultdict(list)
    for path in files():
        found[room(path)].append(path)
    return found


ROOMS = sorted(rooms())


def names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the names that a module defines, each with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield what is written for people in a file, by line: in Python comments and strings, elsewhere everything."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in {tokenize.COMMENT, tokenize.STRING} or token.type == getattr(tokenize, "FSTRING_MIDDLE", -1):
            for n, line in enumerate(token.string.splitlines()):
                yield token.start[0] + n, line


def refused(path: Path) -> Iterator[str]:
    """Yield what is to be said otherwise in a file: where, what, and the standard term."""
    where = path.relative_to(ROOT)
    if path.suffix == ".py":
        for line, name in names(ast.parse(path.read_text(encoding="utf-8"))):
            if better := NAMES.get(name.lstrip("_")):
                yield f"{where}:{line}: name {name!r}; say: {better}"
    for line, text in texts(path):
        for found in SENTENCE.finditer(text):
            yield f"{where}:{line}: {found[0]!r}; say: {list(TEXTS.values())[int(str(found.lastgroup)[1:])]}"


@pytest.mark.parametrize("name", ROOMS)
def test_standard_terms_are_used(name: str) -> None:
    """No file of a folder has a word that the trade does not use so."""
    found = [line for path in rooms()[name] for line in refused(path)]
    assert not found, f"{len(found)} places:\n" + "\n".join(found)
