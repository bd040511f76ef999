"""Content: where features put a track that nobody has played, in catalogues that a reader can count."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
import scipy.sparse as sp
from lightfm import LightFM

from recsys.evaluate.ranking import judge, ndcg_at_k
from recsys.interactions import Interactions
from recsys.protocols import fixed
from recsys.recommenders.content import Content, ContentConfig, inverse, leverage
from recsys.recommenders.filters import Filters
from recsys.recommenders.tags import tag_vectors
from recsys.vocab import UnknownIds

ROOT = Path(__file__).parents[2]
