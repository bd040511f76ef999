"""
Analyse a music catalogue and recommend from it: warehouse, recommenders, similarity, matching, nightly exports.

`recsys.open` opens a home for Python programs and notebooks; everything else of the public API is in `recsys.api`.
"""

from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recsys.api import OpenHome

__version__ = "0.1.0"
__all__ = ["open"]


def open(path: str | PathLike[str]) -> "OpenHome":  # noqa: A001 - `recsys.open` reads as what it does
    """
    Open a home: query its published release, recommend, compare music, train and evaluate.

    Args:
        path: Folder of the home.

    Raises:
        SetupError: There is no such folder, or a newer version of the program has written the home.
    """
    from recsys.api import opened  # noqa: PLC0415 - `import recsys` must be fast

    return opened(path)
