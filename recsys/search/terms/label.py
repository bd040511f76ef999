"""Label by name or words of it (the last may be cut short), up to the next comma; or independent and major labels."""

import re

from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, literal, rule
from recsys.search.grammar import Node, text_of
from recsys.search.names import has_name

EXAMPLES = ("label Lodestar Records", "label: Marigold", "independent label", "major label")
GRAMMAR = rule("label", 45, r'label\s*:?\s+(?:"[^"]*"|[^,;"]+)', r"(?:independent|indie|major)[\s-]+labels?\b")


def condition(node: Node, _catalogue: Catalogue) -> Condition:
    """Return the condition of a label."""
    text = text_of(node)
    if found := re.match(r"(independent|indie|major)[\s-]", text, re.IGNORECASE):
        kind = "major" if found[1].lower() == "major" else "independent"
        return Condition(
            text=f"{kind} label",
            where=f"t.label_type = {literal(kind)}",
            values={"label_name": "t.label_name"},
            reason=lambda row: f"{kind} label" + (f" {row['label_name']}" if row["label_name"] else ""),
        )
    name = re.sub(r"^label\s*:?\s+", "", text, flags=re.IGNORECASE).strip('" ')
    return has_name("label", name)
