"""The log function of a context.

One C callback serves all contexts and lives as long as the process, because the library may log from any of its threads
until the last moment. The callback's `user` is a number, which stands for a Python function while its context lives.
"""

from __future__ import annotations

import itertools
import sys
import traceback
from typing import Callable, Dict, Optional

from ._constants import LogLevel, known
from ._structs import LOG_FUNCTION
from ._values import decode

LogFunction = Callable[[int, str], None]

_functions: Dict[int, LogFunction] = {}
_numbers = itertools.count(1)


def register(function: LogFunction) -> int:
    number = next(_numbers)
    _functions[number] = function
    return number


def unregister(number: Optional[int]) -> None:
    if number is not None:
        _functions.pop(number, None)


def _deliver(user: Optional[int], level: int, text: Optional[bytes]) -> None:
    try:
        function = _functions.get(user or 0)
        if function is not None:
            function(known(LogLevel, level), decode(text))
    except BaseException:  # an exception has no caller to go to here: C code is
        if sys.stderr is not None:
            traceback.print_exc()


CALLBACK = LOG_FUNCTION(_deliver)
