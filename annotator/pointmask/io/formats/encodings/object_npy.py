"""Read a ``.npy`` file that holds one Python object, without executing anything from the file.

NumPy stores such an object as a pickle, and a pickle can call any function. Here it may only name what NumPy
needs to rebuild arrays and scalars, and these names resolve to stand-ins that store their arguments. The
opcodes are checked first, since some of them make the unpickler allocate as much memory as the file demands.
"""

import io
import pickle
import pickletools
import re
import struct
from collections.abc import Callable
from typing import Any

from numpy.lib import format as npy_format

from pointmask.errors import PointsError


class UnsafePickleError(PointsError):
    """A pickle that would execute code."""


MAGIC = b"\x93NUMPY"
"""First bytes of every ``.npy`` file."""

_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")  # before NumPy 2, and since
_MEMO = ("PUT", "BINPUT", "LONG_BINPUT")
_FOREIGN = ("EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID", "NEXT_BUFFER", "READONLY_BUFFER")
_STRUCT = {"b1": "?", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q"}
_STRUCT |= {"f2": "e", "f4": "f", "f8": "d"}


def is_object(head: bytes) -> bool:
    """Whether the first few hundred bytes of a file are those of a ``.npy`` that holds an object."""
    return head.startswith(MAGIC) and re.search(rb"'descr':\s*'\|O", head) is not None


def decode(data: bytes) -> Any:  # noqa: ANN401 - whatever was stored
    """Return the one object in a ``.npy`` file.

    Parameters
    ----------
    data : bytes
        Content of the file.

    Returns
    -------
    object
        Consists of dicts, lists, tuples, text, bytes, numbers, booleans and None. NumPy scalars become
        Python numbers; nested arrays become placeholders without content.

    Raises
    ------
    PointsError
        If it is not such a file or is truncated; `UnsafePickleError` if its pickle names anything other than
        NumPy's arrays.
    """
    pickled = _body(data)
    _inspect(pickled)
    try:
        stored = _Unpickler(io.BytesIO(pickled)).load()
    except PointsError:
        raise
    except Exception as error:
        # A damaged pickle raises one of many types: UnpicklingError, EOFError, IndexError, TypeError ...
        raise _damaged(f"{type(error).__name__}: {error}") from None
    return _only_item(stored)


def _body(data: bytes) -> bytes:
    file = io.BytesIO(data)
    try:
        version = npy_format.read_magic(file)
        read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        shape, _, dtype = read(file)
    except Exception as error:  # the header is a Python literal, which can fail in many ways
        raise _damaged(f"{type(error).__name__}: {error}") from None
    if dtype.kind != "O" or shape != ():
        raise PointsError(
            f"it holds an array of {dtype} and shape {shape}, not one object; give the files that MCLC's "
            "generate_single_point_Prior.py writes"
        )
    return data[file.tell() :]


def _inspect(pickled: bytes) -> None:
    """Check the opcodes: no external references, and no allocation beyond the size of the file."""
    try:
        opcodes: list[tuple[str, Any]] = [
            (opcode.name, argument) for opcode, argument, _ in pickletools.genops(pickled)
        ]
    except Exception as error:
        raise _damaged(f"{type(error).__name__}: {error}") from None
    for name, argument in opcodes:
        if name in _MEMO and argument > len(pickled):
            raise _damaged(f"its memo has {argument} places")
        if name in _FOREIGN:
            raise UnsafePickleError(
                f"its pickle uses {name}, which NumPy's pickles do not; do not trust this file"
            )


def _damaged(why: str) -> PointsError:
    return PointsError(f"it is no readable pickle ({why[:200]}); copy or save it again")


class _Stored:
    """Placeholder for an array or a dtype, which stores its arguments and its state."""

    def __init__(self, *arguments: object) -> None:
        self.arguments = arguments
        self.state: object = None

    def __setstate__(self, state: object) -> None:
        self.state = state


class _Function:
    """Placeholder for a function; setting its state has no effect."""

    __slots__ = ("_run",)

    def __init__(self, run: Callable[[object, object], object]) -> None:
        self._run = run

    def __call__(self, first: object, second: object) -> object:
        return self._run(first, second)

    def __setstate__(self, state: object) -> None:
        pass


def _scalar(dtype: object, data: object) -> int | float:
    """Convert the bytes of a NumPy scalar to a Python number."""
    code = dtype.arguments[0] if isinstance(dtype, _Stored) and dtype.arguments else None
    if not isinstance(code, str) or code not in _STRUCT or not isinstance(data, bytes):
        raise _damaged("a scalar that is no number")
    state = dtype.state if isinstance(dtype, _Stored) else None
    order = ">" if isinstance(state, tuple) and state[1:2] == (">",) else "<"
    number: int | float
    (number,) = struct.unpack(order + _STRUCT[code], data)
    return number


def _encode(text: object, encoding: object) -> bytes:
    """Return bytes that pickles of protocol 2 store as text."""
    if not isinstance(text, str) or encoding != "latin1":
        raise _damaged("bytes that are no text")
    return text.encode("latin1")


class _Unpickler(pickle.Unpickler):
    """Resolves a few names and refuses every other."""

    def find_class(self, module: str, name: str) -> type[_Stored] | _Function:
        if module in _MULTIARRAY and name == "scalar":
            return _Function(_scalar)
        if (module, name) == ("_codecs", "encode"):
            return _Function(_encode)
        if (module in _MULTIARRAY and name == "_reconstruct") or (
            module == "numpy" and name in ("ndarray", "dtype")
        ):
            return _Stored
        raise UnsafePickleError(
            f"its pickle asks for {module[:80]}.{name[:80]}, which would run code; it is refused. Only "
            "NumPy's arrays are read: do not trust this file"
        )


def _only_item(stored: object) -> object:
    """Return the item of a 0-d array, whose state ends with the list of its items."""
    state = stored.state if isinstance(stored, _Stored) else None
    items = state[-1] if isinstance(state, tuple) and state else None
    if not isinstance(items, list) or len(items) != 1:
        raise _damaged("it is not an array of one object")
    return items[0]
