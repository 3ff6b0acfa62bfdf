"""Adds 1 of every rank with nothing but ctypes and the library's name."""

import ctypes
import sys

library = ctypes.CDLL("libparallelstate.so.0")
library.psLastError.restype = ctypes.c_char_p
INT64, SUM = 4, 1


def check(result):
    if result < 0:
        sys.exit(library.psLastError().decode())


context, world = ctypes.c_void_p(), ctypes.c_void_p()
check(library.psInit(None, ctypes.byref(context)))
check(library.psGetGroup(context, b"world", ctypes.byref(world)))
one, total = ctypes.c_int64(1), ctypes.c_int64(0)
check(library.psAllReduce(world, ctypes.byref(one), ctypes.byref(total), ctypes.c_size_t(1), INT64, SUM, None, None))
size = ctypes.c_size_t()
check(library.psGroupGlobalRanks(world, None, ctypes.c_size_t(0), ctypes.byref(size)))
print(f"world of {size.value}: sum {total.value}")
check(library.psGroupFree(world))
check(library.psFinalize(context))
sys.exit(total.value != size.value)
