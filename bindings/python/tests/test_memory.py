"""Memory that all members of a group reach: with threads as ranks, or, under `psctl run`, with processes."""

import array
import gc
import os
import unittest
import warnings

from support import alone, needs_numpy, np, ps, run_world

UNDER_PSCTL = "PS_WORLD_SIZE" in os.environ or "PS_RANK" in os.environ


def raises(kind, text, call, *arguments):
    try:
        call(*arguments)
    except kind as error:
        assert text in str(error), str(error)
    else:
        raise AssertionError(f"no {kind.__name__}")


def everybody(context, **options):
    return context.new_group(range(context.world_size), **options)


def check_sums(context):
    world, n = context.world, context.world_size
    with world.allocate((300, 100), np.float32) as memory:
        assert (memory.shape, memory.dtype, memory.nbytes) == ((300, 100), ps.FLOAT32, 120000)
        x = memory.array
        assert x.shape == (300, 100) and x.dtype == np.float32 and not x.any()
        x[:] = np.arange(30000).reshape(300, 100) % 97 * (world.rank + 1)
        assert world.all_reduce(x) is x
        expected = np.arange(30000).reshape(300, 100) % 97 * (n * (n + 1) // 2)
        np.testing.assert_array_equal(x, expected)
        # The object is a buffer itself, of its type and shape.
        x[:] = world.rank
        assert world.all_reduce(memory) is memory
        assert (np.asarray(memory) == n * (n - 1) // 2).all()
        assert world.all_gather(memory).shape == (300 * n, 100)
        del x
    assert memory.closed


def check_bytes(context):
    world = context.world
    with world.allocate(20000) as memory:
        view = memory.buffer
        assert len(view) == 20000 and view.format == "B" and not any(view)
        view[:5] = bytes([world.rank + 1]) * 5
        world.all_reduce(memory, op=ps.MAX)
        assert bytes(view[:6]) == bytes([world.size] * 5 + [0])
        world.all_reduce(view, op=ps.MAX)
        view.release()
    with world.allocate(0) as memory:
        assert len(memory.buffer) == 0
        world.all_reduce(memory)


def check_sizes_that_differ(context):
    world = context.world
    raises(ps.MismatchError, "asks for 200 bytes, but rank 0 for 100", world.allocate, 100 if world.rank == 0 else 200)
    with world.allocate(100):
        pass


def check_what_is_looked_at_is_not_freed(context):
    group = everybody(context, own_communicator=True)
    memory = group.allocate(10, ps.FLOAT64)
    x = memory.array
    y = x[3:5]
    del x
    for closing in (memory.close, group.close):
        raises(BufferError, "still used by arrays, views or operations", closing)
    y[:] = 1
    group.all_reduce(y)
    del y
    memory.close()
    memory.close()
    raises(ps.StateError, "is closed", lambda: memory.array)
    raises(ps.StateError, "is closed", group.all_reduce, memory)
    # With its group: nothing is left to do, and no view can be made.
    memory = group.allocate(10)
    group.close()
    assert memory.closed
    memory.close()
    raises(ps.StateError, "is closed", lambda: memory.buffer)


def check_operations_keep_it(context):
    world = context.world
    memory = world.allocate(20000, ps.INT32)
    memory.array[:] = world.rank
    if world.rank == 0:
        work = world.all_reduce(memory, async_=True)
        raises(BufferError, "operations", memory.close)
        context.world.batch([ps.Send(b"a", peer) for peer in range(1, world.size)])
    else:
        world.recv(bytearray(1), 0)  # rank 0 has looked
        work = world.all_reduce(memory, async_=True)
    work.wait()
    assert (memory.array == world.size * (world.size - 1) // 2).all()
    memory.close()


def check_it_lives_as_long_as_what_shows_it(context):
    group = everybody(context, own_communicator=True)
    x = group.allocate(10, np.int64).array
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        del group
        gc.collect()
    x[:] = 3
    assert (x == 3).all()
    context.world.barrier()


def check_registered(context):
    world = context.world
    with world.allocate(65536) as memory, everybody(context, own_communicator=True) as group:
        view = memory.buffer
        own = np.frombuffer(view[64 * world.rank:], np.float32, 5000)
        with group.register(own) as registration:
            own[:] = world.rank
            group.all_reduce(own)
            assert (own == world.size * (world.size - 1) // 2).all()
        registration.close()
        with group.register(None):
            pass
        del own, view, registration


def check_register_of_ordinary_memory(context):
    group = everybody(context, own_communicator=True)
    data = np.ones(20000, np.float32)
    if UNDER_PSCTL:
        raises(ps.UnsupportedError, "bytes of rank 0 lie in no memory that all members reach", group.register, data)
    else:
        with group.register(data):
            assert (group.all_reduce(data) == group.size).all()
    resizable = array.array("f", [0])
    if not UNDER_PSCTL:
        with group.register(resizable):
            raises(BufferError, "", resizable.append, 1)
    resizable.append(1)
    raises(ps.ArgumentError, "read-only", group.register, b"abc")
    context.world.barrier()
    group.close()


CHECKS = {name: value for name, value in sorted(globals().items()) if name.startswith("check_")}


@needs_numpy
@unittest.skipIf(UNDER_PSCTL, "threads as ranks")
class Threads(unittest.TestCase):
    """Every check; the methods are added below."""


@needs_numpy
@unittest.skipUnless(UNDER_PSCTL, "needs psctl run")
class Processes(unittest.TestCase):
    """Every check in one world."""

    @classmethod
    def setUpClass(cls):
        cls.context = ps.init(timeout=60, init_timeout=60, host_only=True)

    @classmethod
    def tearDownClass(cls):
        cls.context.finalize()


for _name, _check in CHECKS.items():
    setattr(Threads, f"test_{_name[6:]}", lambda self, check=_check: run_world(3, check) and None)
    setattr(Processes, f"test_{_name[6:]}", lambda self, check=_check: check(self.context))


@needs_numpy
@unittest.skipIf(UNDER_PSCTL, "a world of its own")
class Alone(unittest.TestCase):
    def test_memory_outlives_the_context_while_it_is_looked_at(self):
        with alone() as context:
            x = context.world.allocate(4, np.float64).array
            x[:] = 2
        self.assertEqual(x.sum(), 8)

    def test_types_and_shapes(self):
        with alone() as context:
            for kind in (ps.BFLOAT16, np.float32, "uint8", np.dtype("i8"), None):
                with context.world.allocate((2, 3), kind) as memory:
                    self.assertEqual(memory.nbytes, 6 * memory.dtype.size)
            with self.assertRaisesRegex(ps.ArgumentError, "names no psDataType"):
                context.world.allocate(3, complex)
            with self.assertRaisesRegex(ps.ArgumentError, "no shape"):
                context.world.allocate((2, -1))
            with self.assertRaises(TypeError):
                context.world.allocate("3")
            with self.assertRaises(ps.NoMemoryError):
                context.world.allocate((1 << 50,), ps.INT8)

    def test_forgotten_memory_is_not_freed_by_the_collector(self):
        with alone() as context:
            with warnings.catch_warnings(record=True) as seen:
                warnings.simplefilter("always")
                context.world.allocate(4)
                gc.collect()
            self.assertEqual([str(w.message) for w in seen],
                             ["memory of group 'world' was not closed; it stays until its group is closed"])

    def test_a_block_that_raises_leaves_the_memory_to_the_group(self):
        with alone() as context:
            with self.assertRaises(KeyError):
                with context.world.allocate(4) as memory:
                    raise KeyError
            self.assertFalse(memory.closed)
            memory.close()


if __name__ == "__main__":
    unittest.main(verbosity=2 if os.environ.get("PS_TEST_VERBOSE") else 1)
