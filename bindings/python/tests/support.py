"""Shared by the tests: the package of this checkout, a deadline for the whole program, worlds of threads."""

import faulthandler
import itertools
import os
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
faulthandler.dump_traceback_later(float(os.environ.get("PS_TEST_DEADLINE", "150")), exit=True)

import parallelstate as ps  # noqa: E402

try:
    import numpy as np
except ImportError:
    np = None

needs_numpy = unittest.skipIf(np is None, "needs numpy")

_worlds = itertools.count()


def run_world(size, body, **options):
    """Runs body(context) in `size` threads, the ranks of one world; returns their results in rank order.

    Raises the first rank's exception. A rank that fails aborts its context, so that no other waits for it.
    """
    name = f"mem://python-test-{os.getpid()}-{next(_worlds)}"
    results, errors = [None] * size, [None] * size

    def rank_main(rank):
        try:
            with ps.init(rank, size, rendezvous=name, use_environment=False, timeout=30, init_timeout=30,
                         host_only=True, **options) as context:
                try:
                    results[rank] = body(context)
                except BaseException as error:
                    errors[rank] = error
                    if not context.finalized:
                        context.abort(f"rank {rank} failed: {error!r}")
        except BaseException as error:
            errors[rank] = errors[rank] or error

    threads = [threading.Thread(target=rank_main, args=(rank,), daemon=True) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        if thread.is_alive():
            raise AssertionError("a rank of the world did not end within two minutes")
    # An abort is what the failure of another rank looks like: the cause goes first.
    for error in sorted((e for e in errors if e is not None), key=lambda e: isinstance(e, ps.AbortedError)):
        raise error
    return results


def alone(**options):
    """A world of one rank."""
    return ps.init(0, 1, use_environment=False, host_only=True, timeout=30, init_timeout=30, **options)
