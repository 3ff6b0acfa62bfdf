"""numpy arrays as arguments, kept from call to call by the bytes of their C structs.

What an array is as an argument takes a microsecond to find out, and is the same in the next call, as long as nobody
touched the array. That is to be seen in its struct, PyArrayObject_fields: its order is numpy's ABI, as every compiled
extension reads the address right there. So the bytes of the struct are kept, and neither the array nor a reference,
with which it would stay in memory and could not be resized. The id is only where to look. When the bytes and the size
are as they were, so are the address, the type, the order and whether it may be written, and be it by now another array.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from typing import Any, Dict, Tuple

from ._constants import DataType

# The pointer as an argument, the number of elements as one, their type, and their number.
Lent = Tuple[Any, Any, DataType, int]

# data, nd, dimensions, strides, base, descr, flags; what follows does not matter.
_FIELDS = struct.Struct("@PiPPPPi")
# The first and the last of them.
_address_and_flags = struct.Struct(f"@P{_FIELDS.size - struct.calcsize('Pi')}xi").unpack
_OFFSET = object.__basicsize__  # they follow what every object begins with
_Header: Any = ctypes.c_char * _FIELDS.size
_C_CONTIGUOUS, _WRITEABLE = 0x1, 0x400
_REQUIRED = _C_CONTIGUOUS | _WRITEABLE

_argument = ctypes.c_void_p.from_param  # also of a size_t: as wide, passed as a pointer is, and made in half the time

# Made by the general way, so that numpy is not imported here.
types: Dict[Any, DataType] = {}

# By id: where the struct is, its bytes, the size and what was made of them; and the type, whose address must stay its.
_seen: Dict[int, Tuple[Any, bytes, int, Lent, Any]] = {}
_MOST = 4096


def lent(source: Any) -> Lent:
    """Of an array (exactly: a subclass may be anything); KeyError or ValueError where the general way must look."""
    try:
        header, seen, size, found, _ = _seen[id(source)]
    except KeyError:
        if len(_seen) >= _MOST:
            _seen.clear()
        header = _Header.from_address(id(source) + _OFFSET)
    else:
        if header.raw == seen and source.size == size:
            return found
    return _look(source, header)


def _look(source: Any, header: Any) -> Lent:
    dtype, size, now = source.dtype, source.size, header.raw
    address, flags = _address_and_flags(now)
    if flags & _REQUIRED != _REQUIRED:
        raise ValueError("it is read-only, or not contiguous")
    found = _argument(address), _argument(size), types[dtype], size
    _seen[id(source)] = header, now, size, found, dtype
    return found


def is_as_expected(source: Any) -> bool:
    """Whether this interpreter and this numpy have an array's struct where it is looked for."""
    if sys.implementation.name != "cpython":
        return False  # an id is no address
    address, dimensions, _, _, _, _, flags = _FIELDS.unpack(_Header.from_address(id(source) + _OFFSET).raw)
    found: Tuple[int, int, int] = (address, dimensions, flags)
    return found == (source.__array_interface__["data"][0], source.ndim, source.flags.num)
