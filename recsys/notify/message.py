"""A message to operators."""

import unicodedata
from dataclasses import asdict, dataclass

from recsys.notify.settings import Kind

_MAX_SUBJECT = 200  # characters


@dataclass(frozen=True)
class Message:
    """
    A message; create it by `Message.of`, which cleans its texts.

    Attributes:
        kind: What it is about (see `NotifySettings.kinds`).
        subject: One line without control characters, at most 200 characters.
        text: Lines without other control characters.
    """

    kind: Kind
    subject: str
    text: str

    @classmethod
    def of(cls, kind: Kind, subject: str, text: str) -> "Message":
        """Create a message; control characters, line breaks of the subject included, become spaces."""
        lines = [_without_controls(line) for line in text.splitlines()]
        return cls(kind, _without_controls(subject)[:_MAX_SUBJECT], "\n".join(lines))

    def as_dict(self) -> dict[str, str]:
        """Return its fields; `text` begins with the subject, as chat services show only `text`."""
        return asdict(self) | {"text": f"{self.subject}\n{self.text}".strip()}


def _without_controls(text: str) -> str:
    """Replace control and formatting characters, line separators among them, by spaces."""
    return "".join(" " if unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp", "Cs"} else char for char in text)
