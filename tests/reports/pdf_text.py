"""The texts of a PDF file that `recsys.reports.one_page` wrote, read from its bytes by the rules of ISO 32000."""

import re
import zlib
from dataclasses import dataclass

OBJECT = re.compile(rb"(\d+) 0 obj\s*(.*?)endobj", re.DOTALL)
STREAM = re.compile(rb"(.*?)stream\r?\n(.*)\r?\nendstream", re.DOTALL)
LITERAL = rb"\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\)"
STRING = re.compile(rb"<[0-9A-Fa-f]+>|" + LITERAL, re.DOTALL)
RUN = re.compile(
    rb"/(f\d+) [\d.]+ Tf|(\[(?:<[0-9A-Fa-f]+>|" + LITERAL + rb"|[-\d. ])*\])TJ|(<[0-9A-Fa-f]+>|" + LITERAL + rb")Tj",
    re.DOTALL,
)
ESCAPED = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


@dataclass(frozen=True)
class Document:
    """
    A PDF file.

    Attributes:
        n_pages: Number of pages.
        texts: Runs of text in the order in which they are drawn.
        has_all_fonts: Whether each font is embedded.
    """

    n_pages: int
    texts: list[str]
    has_all_fonts: bool

    @property
    def text(self) -> str:
        """All runs of text, with one space between words and between runs."""
        return " ".join(" ".join(self.texts).split())


def read_pdf(content: bytes) -> Document:
    """Read a file without object streams whose texts have two bytes per glyph and a table of characters per font."""
    objects = {int(number): body for number, body in OBJECT.findall(content)}
    pages = [body for body in objects.values() if re.search(rb"/Type\s*/Page\b", body)]
    descriptors = [body for body in objects.values() if re.search(rb"/Type\s*/FontDescriptor\b", body)]
    fonts = {
        name: _characters(_stream(objects[int(table)]))
        for name, font in re.findall(rb"/(f\d+) (\d+) 0 R", b"".join(objects.values()))
        for table in re.findall(rb"/ToUnicode (\d+) 0 R", objects[int(font)])
    }
    drawn = b"".join(
        _stream(objects[int(number)]) for page in pages for number in re.findall(rb"/Contents (\d+) 0 R", page)
    )
    embedded = [b"/FontFile" in body for body in descriptors]
    return Document(len(pages), list(_runs(drawn, fonts)), bool(embedded) and all(embedded))


def _stream(body: bytes) -> bytes:
    found = STREAM.match(body)
    assert found is not None
    return zlib.decompress(found[2]) if b"FlateDecode" in found[1] else found[2]


def _characters(table: bytes) -> dict[int, str]:
    """Return the text of each glyph, from a table of characters."""
    pairs = re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]+)>\n", table)
    return {int(glyph, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for glyph, text in pairs}


def _runs(drawn: bytes, fonts: dict[bytes, dict[int, str]]) -> list[str]:
    runs, font = list[str](), dict[int, str]()
    for name, several, one in RUN.findall(drawn):
        if name:
            font = fonts[name]
            continue
        glyphs = b"".join(map(_bytes, STRING.findall(several or one)))
        numbers = [int.from_bytes(glyphs[start : start + 2]) for start in range(0, len(glyphs), 2)]
        runs.append("".join(font[number] for number in numbers))
    return runs


def _bytes(string: bytes) -> bytes:
    """Return the bytes of a string in hexadecimal or literal form."""
    if string.startswith(b"<"):
        return bytes.fromhex(string[1:-1].decode())
    return ESCAPED.sub(_unescaped, string[1:-1])


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return bytes([int(code, 8)]) if code[:1].isdigit() else NAMED.get(code, code)
