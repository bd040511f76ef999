"""
The Python API: `recsys.open(path)` returns an `OpenHome`, whose methods are the commands of the command line.

These names, their parameters and their defaults stay as they are; `docs/reference/python.md` lists them, and a test
compares the list. Errors are those of `recsys.errors`. Libraries are imported by the method that needs them, so that
`import recsys` is fast.
"""

from recsys.api.open_home import OpenHome, opened
from recsys.api.results import Evaluation, Matches, RankedRows, TableDescription, Training

__all__ = ["Evaluation", "Matches", "OpenHome", "RankedRows", "TableDescription", "Training", "opened"]
