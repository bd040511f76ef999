"""
The grammar of the search: the terms of `recsys/search/terms`, put together and parsed with lark (LALR).

    search     = terms, in any order; commas, semicolons and words such as `and`, `with`, `songs` may stand between them
    term       = a term, `not` and a term, or terms joined by `or`
    a word in quotes is searched for in names, whatever it means otherwise
"""

from functools import cache, lru_cache

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from recsys.errors import InputError
from recsys.installation.plugins import plugin, plugin_names
from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, any_of, distinct, opposite
from recsys.search.places import alternatives

Node = Tree[Token]
TERMS = "recsys.search.terms"
MAX_CHARACTERS, MAX_CONDITIONS = 1_000, 30  # of a search; each free word counts as a condition
BASE = r"""
start: (clause | _SEPARATOR | _SYMBOLS | _FILLER)*
clause: _unit (_OR _unit)*
_unit: negated | _term
negated: NOT _term
_term: {terms}
_SEPARATOR.99: /[,;]/
_OR.70: /or(?=\s+\S)/i
NOT.10: /(?:not|no|without|except)(?=\s+\S)|-(?=[a-z])/i
_SYMBOLS.6: /(?<![^\s,;])[^\w\s,;"“”]+(?![^\s,;])/
_FILLER.5: /(?:and|with|but|songs?|tracks?|music|something|some|please|find|artists?|released)(?!\w)/i
        | /(?:a|an|the|in|from|of|for)(?!\w)/i
%ignore /\s+/
"""
N_PARSERS = 4  # vocabularies whose parsers are kept
_NEVER = "/\\x00/"  # a terminal without texts


@cache
def terms() -> tuple[str, ...]:
    """Return the names of the terms: the files of the folder."""
    return tuple(plugin_names(TERMS))


def parse(text: str, catalogue: Catalogue) -> list[Condition]:
    """
    Return the conditions of a text, in its order.

    Args:
        text: The search.
        catalogue: What the terms may ask about the catalogue.

    Raises:
        InputError: The text is empty, too long, or has a `not` or `or` without a term; or a term refuses its value.
    """
    plain = _plain(text)
    if len(plain) > MAX_CHARACTERS:
        raise InputError(f"The search has {len(plain):,} characters, expected at most {MAX_CHARACTERS:,}. Shorten it")
    try:
        tree = parser(catalogue).parse(plain)
    except UnexpectedInput as unexpected:
        position = max(getattr(unexpected, "pos_in_stream", 0) or 0, 0)
        raise InputError(
            f"The search cannot be read at character {position + 1}: a term is expected after 'not', 'or' and 'like'. "
            "Put words that are part of a name into quotes"
        ) from unexpected
    clauses = [child for child in tree.children if isinstance(child, Tree)]
    if not clauses:
        raise InputError("The search is empty. Write what you look for, such as: calm piano, 70-90 bpm, minor")
    n_conditions = sum(token.type != "NOT" for token in tree.scan_values(lambda _value: True))
    if n_conditions > MAX_CONDITIONS:
        raise InputError(f"The search has {n_conditions} conditions, expected at most {MAX_CONDITIONS}. Shorten it")
    return distinct([_of_clause(clause, catalogue) for clause in clauses])


def is_of_names(text: str, catalogue: Catalogue) -> bool:
    """Return whether a text is words alone, to be searched for in names: no other terms, no quotes, no `or`."""
    try:
        tree = parser(catalogue).parse(_plain(text)[:MAX_CHARACTERS])
    except UnexpectedInput:
        return False
    names = {str(node.data) for node in tree.iter_subtrees()} - {"start", "clause", "words"}
    has_or = any(len(clause.children) > 1 for clause in tree.find_data("clause"))
    return not names and not has_or and '"' not in text


def _plain(text: str) -> str:
    """Return a text with single spaces, without what SQL cannot have: NUL and halves of surrogate pairs."""
    return " ".join(text.encode(errors="replace").decode().replace("\0", " ").split())


def parser(catalogue: Catalogue) -> Lark:
    """Return the parser for the vocabulary of a catalogue."""
    words = {name: texts for term in terms() for name, texts in _vocabulary(term, catalogue).items()}
    return _parser(tuple(sorted((name, alternatives_of(texts)) for name, texts in words.items())))


@lru_cache(maxsize=N_PARSERS)
def _parser(vocabulary: tuple[tuple[str, str], ...]) -> Lark:
    rules = [plugin(TERMS, term).GRAMMAR for term in terms()]
    own = [f"{name}: /(?:{pattern})(?!\\w)/i" if pattern else f"{name}: {_NEVER}" for name, pattern in vocabulary]
    return Lark(BASE.replace("{terms}", " | ".join(terms())) + "\n".join([*rules, *own]), parser="lalr")


def alternatives_of(texts: list[str]) -> str:
    """Return a regular expression of texts for a terminal of the grammar."""
    return alternatives(texts).replace("/", r"\/")


def _vocabulary(term: str, catalogue: Catalogue) -> dict[str, list[str]]:
    module = plugin(TERMS, term)
    return dict(module.vocabulary(catalogue)) if hasattr(module, "vocabulary") else {}


def _of_clause(clause: Node, catalogue: Catalogue) -> Condition:
    return any_of([_of_unit(unit, catalogue) for unit in clause.children if isinstance(unit, Tree)])


def _of_unit(unit: Node, catalogue: Catalogue) -> Condition:
    if unit.data != "negated":
        return _of_term(unit, catalogue)
    (term,) = unit.find_pred(lambda node: str(node.data) in terms())
    return opposite(_of_term(term, catalogue))


def _of_term(node: Node, catalogue: Catalogue) -> Condition:
    condition: Condition = plugin(TERMS, str(node.data)).condition(node, catalogue)
    return condition


def text_of(node: Node) -> str:
    """Return the text of a node's tokens, separated by spaces."""
    return " ".join(str(token) for token in node.scan_values(lambda _value: True))
