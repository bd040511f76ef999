"""
Terms of the search, one file each; a file in this folder is a term, without registration.

A term defines
- a docstring and `EXAMPLES`, texts that it reads: both are in `docs/search.md`;
- `GRAMMAR`, rules and terminals of lark's grammar language; the rule named like the file is the term;
- `condition(node, catalogue)`, which makes a `Condition` of a parsed node;
- optionally `vocabulary(catalogue)`: terminal -> the texts that it matches, where these depend on the catalogue.

Terminals with a higher priority are tried first: 60 like; 50 numbers with a unit; 45 keyword and name; 40 keywords and
places; 30 tags; 20 moods; everything else is a word.
"""
