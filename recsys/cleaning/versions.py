"""
Words that mark a version of a recording (live, remix, remaster, instrumental ...), in the languages of deliveries.

This is the one place for them. A text that contains one of them, in brackets or after a dash, describes a version, and
recordings of different versions are never linked as duplicates by a rule. To add a word, add it to its line.
"""

import re

from recsys.cleaning.text import fold

WORDS = {
    "live": (
        "live|in concert|concert|concierto|konzert|livemitschnitt|en vivo|en directo|ao vivo|en concert|en public|"
        "dal vivo|canl\u0131|på scen|uživo|na żywo|živě|élőben|концерт|живой|живое|наживо|ライブ|ライヴ|라이브|现场|"
        "現場|演唱会"
    ),
    "remix": (
        "remix|remixed|rmx|mix|remezcla|remixé|rework|reworked|flip|bootleg|mashup|dub|vip|refix|ремикс|микс|リミックス|리믹스|"
        "混音"
    ),
    "remaster": (
        "remaster|remasters|remastered|remastering|remasterizado|remasterizada|remasterisé|remasterisée|remasterisiert|"
        "remasterizzato|remasterizzata|remasterizat|ремастер|ремастеринг|リマスター|리마스터|重制|重製"
    ),
    "instrumental": (
        "instrumental|instrumentals|instrumentale|instrumentaal|strumentale|enstrümantal|inst|off vocal|no vocals|"
        "инструментал|инструментальная|минус|インストゥルメンタル|インスト|인스트루멘탈|연주곡|伴奏|纯音乐"
    ),
    "acoustic": (
        "acoustic|acústico|acústica|acoustique|akustik|akustisch|akustický|acustico|acustica|unplugged|stripped|"
        "акустика|акустическая|アコースティック|어쿠스틱|原声"
    ),
    "edit": "edit|radio|single version|short version|shortened|kurzversion|versión corta|version courte|радио",
    "extended": "extended|long version|club|12 inch|maxi|versión larga|version longue|langversion|расширенная",
    "karaoke": (
        "karaoke|backing track|sing along|in the style of|made famous by|originally performed by|tribute|караоке|"
        "カラオケ|노래방|卡拉ok"
    ),
    "demo": "demo|demos|démo|maqueta|maquette|outtake|take|alternate|alternative|rehearsal|демо|デモ|데모|样带",
    "cover": "cover|covers|versión de|reprise de|кавер|カバー|커버|翻唱",
    "a cappella": "a cappella|acappella|acapella|vocals only|акапелла|アカペラ|아카펠라|清唱",
    "changed": "sped up|slowed|nightcore|8d|reverb|chopped|screwed|instrumental mix",
    "clean": "clean|censored|edited|zensiert|censurado|censurée",
    "other": (
        "version|versión|versão|versione|versie|versjon|wersja|verze|версия|バージョン|버전|版|session|sessions|sesión|"
        "sessão|séance|orchestral|symphonic|piano|mono|stereo|rerecorded|re recorded|reprise|bonus beats|commentary|"
        "interlude|spanish|english|deutsch|français"
    ),
}
# Not a version: the recording as it is on the album.
NEUTRAL_WORDS = (
    "album version|original version|original mix|original|lp version|explicit|explicit version|bonus track|bonus|"
    "deluxe|deluxe edition|single|official audio|official video|audio|versión original|"
    "versão original|version originale|"
    "originalversion|versione originale|versión álbum|version album|album|main version"
)
FILLER_WORDS = (
    "version|versión|versão|versione|edition|edición|the|digital|digitally|mix|en"  # say nothing beside others
)


def _folded(words: str) -> frozenset[str]:
    return frozenset(fold(word) for word in words.split("|"))


def _pattern(words: str) -> str:
    """Return an alternation of folded words; words of scripts without spaces match inside of a text too."""
    folded = sorted(_folded(words), key=lambda word: (-len(word), word))
    return "|".join(re.escape(word) if ord(word[0]) >= 0x3040 else rf"\b{re.escape(word)}\b" for word in folded)


_KINDS = re.compile("|".join(f"(?P<k{n}>{_pattern(words)})" for n, words in enumerate(WORDS.values())))
_NAMES = tuple(WORDS)
_NEUTRAL, _FILLER = _folded(NEUTRAL_WORDS), _folded(FILLER_WORDS)


def version_of(text: str) -> str | None:
    """
    Read the description of a version.

    Args:
        text: A folded text in brackets, or after a dash.

    Returns:
        Its kinds and other words, sorted, so that equal versions are equal texts; '' for the recording as it is on the
        album; None if the text describes no version.

    >>> version_of("2011 remaster") == version_of("digitally remastered 2011")
    True
    >>> version_of("album version"), version_of("i cant get no"), version_of("live at the apollo")
    ('', None, 'apollo at live')
    """
    if text in _NEUTRAL:
        return ""
    if not _KINDS.search(text):
        return None
    kinds = {_NAMES[int(str(found.lastgroup)[1:])] for found in _KINDS.finditer(text)}
    rest = set(_KINDS.sub(" ", text).split()) | {found[0] for found in _KINDS.finditer(text) if _is_other(found)}
    return " ".join(sorted({kind for kind in kinds if kind != "other"} | (rest - _FILLER) or {"other"}))


def _is_other(found: re.Match[str]) -> bool:
    """Return whether a found word itself tells which version it is, as "piano" does."""
    return _NAMES[int(str(found.lastgroup)[1:])] in {"other", "changed"}
