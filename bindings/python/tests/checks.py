"""What every world must do, as functions of a context with at least two ranks.

Groups that are to fail, or whose order differs from the world's, have a communicator of their own: groups of equal
members share one, and with it failures and the order of operations.

test_threads.py runs them with threads as ranks, test_processes.py under `psctl run` with processes.
"""

import array
import threading

from support import np, ps

FLOATS = ("float16", "float32", "float64")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def equal(found, expected):
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


def mine(world, count=6, dtype=np.int32):
    """Different on every rank: rank 2 has 200, 201, ..."""
    return (np.arange(count) + 100 * world.rank).astype(dtype)


def of(rank, count=6, dtype=np.int32):
    return (np.arange(count) + 100 * rank).astype(dtype)


def check_all_gather(context):
    world = context.world
    everyone = np.concatenate([of(r) for r in range(world.size)])
    equal(world.all_gather(mine(world)), everyone)
    assert world.all_gather(mine(world, 6).reshape(2, 3)).shape == (2 * world.size, 3)
    assert world.all_gather(np.array(1.0)).shape == (world.size,)
    out = np.zeros((world.size, 6), np.int32)
    out[world.rank] = mine(world)
    assert world.all_gather(out[world.rank], out) is out
    equal(out.ravel(), everyone)


def check_all_gather_v(context):
    world = context.world
    counts = [r + 1 for r in range(world.size)]
    parts = [of(r, r + 1) for r in range(world.size)]
    equal(world.all_gather_v(mine(world, world.rank + 1), counts), np.concatenate(parts))
    offsets = [10 * r for r in range(world.size)]
    out = np.full(10 * world.size, -1, np.int32)
    world.all_gather_v(mine(world, world.rank + 1), counts, out, offsets)
    for r, part in enumerate(parts):
        equal(out[10 * r:10 * r + r + 1], part)
        assert out[10 * r + r + 1] == -1


def check_all_reduce_in_place(context):
    world = context.world
    for dtype in FLOATS + INTEGERS:
        x = np.full(5, world.rank + 1, dtype)
        assert world.all_reduce(x) is x
        equal(x, np.full(5, world.size * (world.size + 1) // 2, dtype))


def check_all_reduce_of_other_buffers(context):
    world = context.world
    for data in (array.array("d", [world.rank, 1]), memoryview(bytearray(2)), np.ones((2, 1), np.int8)):
        assert world.all_reduce(data) is data
    assert world.all_reduce(array.array("d", [world.rank, 1]))[1] == world.size
    out = bytearray(2)
    world.all_reduce(b"\1\2", out)
    assert out == bytes([world.size, 2 * world.size])


def check_all_reduce_out_of_place(context):
    world = context.world
    n, r = world.size, world.rank
    x, y = np.array([r + 1, 7 - r], np.float32), np.zeros(2, np.float32)
    columns = np.array([[k + 1, 7 - k] for k in range(n)], np.float32)
    for op, expected in ((ps.SUM, columns.sum(0)), (ps.PRODUCT, columns.prod(0)), (ps.MIN, columns.min(0)),
                         (ps.MAX, columns.max(0)), (ps.AVG, columns.sum(0) / np.float32(n))):
        assert world.all_reduce(x, out=y, op=op) is y
        equal(y, expected)
    equal(x, [r + 1, 7 - r])


def check_all_reduce_of_bits_and_truths(context):
    world = context.world
    bits = np.array([1 << world.rank, 255], np.uint8)
    equal(world.all_reduce(bits.copy(), op=ps.BIT_OR), [(1 << world.size) - 1, 255])
    equal(world.all_reduce(bits.copy(), op=ps.BIT_AND), [0 if world.size > 1 else 1, 255])
    truths = np.array([world.rank == 0, True])
    equal(world.all_reduce(truths.copy(), op=ps.LOGICAL_OR), [True, True])
    equal(world.all_reduce(truths.copy(), op=ps.LOGICAL_AND), [world.size == 1, True])


def check_all_reduce_premultiplied(context):
    world = context.world
    for dtype in FLOATS:
        x = np.ones(3, dtype)
        world.all_reduce(x, op=ps.premul_sum(world.rank + 0.5))
        equal(x, np.full(3, sum(r + 0.5 for r in range(world.size)), dtype))


def check_all_reduce_with_a_stated_type(context):
    world = context.world
    ones = np.full(3, 0x3F80, np.uint16)  # 1.0 in bfloat16, the upper half of the float32
    world.all_reduce(ones, dtype=ps.BFLOAT16)
    equal((ones.astype(np.uint32) << 16).view(np.float32), np.full(3, world.size, np.float32))


def check_all_reduce_large(context):
    world = context.world
    x = np.arange(1 << 20, dtype=np.float64)
    equal(world.all_reduce(x.copy()), x * world.size)


def check_all_to_all(context):
    world = context.world
    n, r = world.size, world.rank
    x = np.array([[10 * r + q] * 3 for q in range(n)], np.int64)
    expected = [[10 * q + r] * 3 for q in range(n)]
    equal(world.all_to_all(x), expected)
    assert world.all_to_all(x, x) is x
    equal(x, expected)


def check_all_to_all_v(context):
    world = context.world
    n, r = world.size, world.rank
    send_counts = [q + 1 for q in range(n)]
    recv_counts = [r + 1] * n
    x = np.concatenate([np.full(q + 1, 10 * r + q) for q in range(n)])
    equal(world.all_to_all_v(x, send_counts, recv_counts), np.repeat([10 * q + r for q in range(n)], r + 1))


def check_asynchronous(context):
    world = context.world
    works = [world.all_reduce(np.full(100, k, np.int32), async_=True) for k in range(8)]
    for k, work in enumerate(works):
        equal(work.wait(60), np.full(100, k * world.size))
        assert work.done and work.test() and work.error is None
    with world.all_gather(mine(world), async_=True) as work:
        pass
    equal(work.result[-6:], of(world.size - 1))
    assert world.barrier(async_=True).wait(60) is None
    work = world.all_reduce(np.ones(2), async_=True)
    work.order(timeout=60)
    equal(work.wait(60), [world.size] * 2)


def check_batch(context):
    world = context.world
    received = np.zeros(6, np.int32), np.zeros(6, np.int32)
    world.batch([ps.Recv(received[0], ps.PREV, 1), ps.Recv(received[1], ps.NEXT, 2),
                 ps.Send(mine(world), ps.NEXT, 1), ps.Send(mine(world), ps.PREV, 2)])
    equal(received[0], of(world.prev))
    equal(received[1], of(world.next))


def check_broadcast(context):
    world = context.world
    for root in range(world.size):
        x = mine(world)
        assert world.broadcast(x, root=root) is x
        equal(x, of(root))
        out = np.zeros(6, np.int32)
        source = mine(world) if world.rank == root else None
        assert world.broadcast(source, out, root) is out
        equal(out, of(root))


def check_describe(context):
    world = context.world
    world.barrier()
    described = context.describe()
    assert isinstance(described, dict) and described
    info = context.world_info()
    assert (info.rank, info.world_size, info.failure, info.failed_global_rank) == (
        context.rank, context.world_size, ps.Result.OK, None)
    assert context.failure is None
    for rank in range(context.world_size):
        assert context.rank_info(rank).state in (ps.RankState.ALIVE, ps.RankState.SILENT)
    try:
        context.rank_info(context.world_size)
        raise AssertionError("there is no such rank")
    except ValueError as error:
        assert error.code == ps.Result.ERR_ARGUMENT and str(error)
    world.barrier()


def check_empty(context):
    world = context.world
    world.all_reduce(None, dtype=ps.FLOAT32)
    world.all_reduce(np.zeros(0, np.float32))
    assert world.all_gather(np.zeros((0, 3), np.float32)).shape == (0, 3)


def check_gather_and_scatter(context):
    world = context.world
    everyone = np.concatenate([of(r) for r in range(world.size)])
    root = world.last
    gathered = world.gather(mine(world), root=root)
    if world.rank == root:
        equal(gathered, everyone)
    else:
        assert gathered is None
    out = np.zeros(6, np.int32)
    assert world.scatter(everyone if world.rank == root else None, out, root) is out
    equal(out, mine(world))


def check_gather_and_scatter_v(context):
    world = context.world
    counts = [r + 1 for r in range(world.size)]
    joined = np.concatenate([of(r, r + 1) for r in range(world.size)])
    if world.rank == 0:
        equal(world.gather_v(mine(world, 1), counts), joined)
    else:
        assert world.gather_v(mine(world, world.rank + 1)) is None
    out = np.zeros(world.rank + 1, np.int32)
    if world.rank == 0:
        world.scatter_v(joined, out, counts)
    else:
        world.scatter_v(None, out)
    equal(out, mine(world, world.rank + 1))


def check_groups(context):
    n, r = context.world_size, context.rank
    world = context.group("world")
    assert (world.name, world.rank, world.size, world.global_ranks) == ("world", r, n, tuple(range(n)))
    assert world.same_host() == [True] * n
    # The caller's order is the group's.
    with context.new_group(list(range(n))[::-1], name="reversed") as group:
        assert group.global_ranks == tuple(range(n))[::-1]
        assert (group.rank, group.global_rank, group.find_global(r)) == (n - 1 - r, r, n - 1 - r)
        assert (group.is_first, group.is_last) == (r == n - 1, r == 0)
        assert (group.global_first, group.global_last) == (n - 1, 0)
        assert group.global_ranks[group.next] == group.global_next
        assert group.global_ranks[group.prev] == group.global_prev
        equal(group.all_gather(np.array([r])), np.arange(n)[::-1])
        assert group.failure is None and group.info().host_count == 1
    parity = world.split(r % 2, name="parity")
    with parity:
        assert parity.global_ranks == tuple(range(r % 2, n, 2))
        equal(parity.all_reduce(np.array([1])), [parity.size])
    lonely = world.split(0 if r == 0 else None)
    assert (lonely is None) == (r != 0)
    if lonely is not None:
        lonely.close()
    for wrong, kind in ((lambda: context.group("nonsense"), LookupError),
                        (lambda: context.new_group([r, r]), ValueError),
                        (lambda: context.new_group([r, n]), ValueError),
                        (lambda: world.split(-7), ValueError),
                        (lambda: world.all_reduce(np.ones(2), root=0), TypeError)):
        try:
            wrong()
        except kind as error:
            assert str(error)
        else:
            raise AssertionError("it should have been refused")
    world.barrier()


def check_messages(context):
    world = context.world
    x, y = mine(world), np.zeros(6, np.int32)
    assert world.send_recv(x, ps.NEXT, y, ps.PREV) is y
    equal(y, of(world.prev))
    if world.rank == 0:
        world.send(np.array([1.5, 2.5]), dst=1, tag=7)
        world.send(np.array([3.5]), dst=1, tag=8)
    elif world.rank == 1:
        later = np.zeros(1)
        work = world.recv(later, src=0, tag=8, async_=True)
        equal(world.recv(np.zeros(2), src=0, tag=7), [1.5, 2.5])
        equal(work.wait(60), [3.5])
    world.barrier()


def check_reduce(context):
    world = context.world
    total = world.size * (world.size - 1) // 2
    for root in range(world.size):
        x = np.full(4, world.rank, np.int64)
        result = world.reduce(x, root=root)
        if world.rank == root:
            assert result is x
            equal(x, np.full(4, total))
        else:
            assert result is None
            equal(x, np.full(4, world.rank))


def check_reduce_scatter(context):
    world = context.world
    n, r = world.size, world.rank
    x = np.repeat(np.arange(n), 3).reshape(3 * n, 1)
    found = world.reduce_scatter(x)
    assert found.shape == (3, 1)
    equal(found.ravel(), np.full(3, n * r))
    counts = [q + 1 for q in range(n)]
    equal(world.reduce_scatter_v(np.repeat(np.arange(n), counts), counts), np.full(r + 1, n * r))


def check_store(context):
    store, r, n = context.store, context.rank, context.world_size
    assert store.add("python/arrived") >= 1
    store.set(f"python/from {r}", f"h\u00e9llo {r}")
    assert store.get(f"python/from {(r + 1) % n}", timeout=60).decode() == f"h\u00e9llo {(r + 1) % n}"
    context.world.barrier()
    assert store.add("python/arrived", 0) == n
    winners = context.world.all_reduce(np.array([int(store.compare_and_set("python/first", None, str(r)))]))
    equal(winners, [1])
    assert int(store.get("python/first")) in range(n)
    assert not store.compare_and_set("python/first", b"nobody", b"x")
    context.world.barrier()
    if r == 0:
        assert store.delete("python/first") and not store.delete("python/first")
        store.set("python/empty", b"")
        assert store.get("python/empty") == b""
    try:
        store.get("python/absent", timeout=0)
        raise AssertionError("the key is absent")
    except TimeoutError as error:
        assert error.code == ps.Result.ERR_TIMEOUT
    context.world.barrier()


def check_wait_that_runs_out(context):
    world = context.world
    with context.new_group(range(context.world_size), name="late", own_communicator=True) as group:
        if group.rank == 0:
            work = group.barrier(async_=True)
            try:
                work.wait(timeout=0.05)
                raise AssertionError("the others have not come")
            except ps.TimeoutError_ as error:
                assert not work.done and str(error)
            world.barrier()
            work.wait(60)
        else:
            world.barrier()
            group.barrier()


def check_mismatch(context):
    with context.new_group(range(context.world_size), name="mismatched", own_communicator=True) as group:
        x = np.ones(4, np.float32 if group.rank else np.float64)
        try:
            group.all_reduce(x)
            raise AssertionError("the types differ")
        except ps.MismatchError as error:
            assert error.code == ps.Result.ERR_MISMATCH and "all_reduce" in str(error), str(error)
        equal(x, np.ones(4))
        assert isinstance(group.failure, ps.MismatchError)
        context.world.barrier()


def check_abort_ends_a_blocked_call(context):
    group = context.new_group(range(context.world_size), name="aborted", own_communicator=True)
    try:
        if group.rank == 0:
            timer = threading.Timer(0.05, group.abort, args=("enough",))
            timer.start()
            try:
                group.barrier()
                raise AssertionError("the others do not come")
            except ps.AbortedError as error:
                assert "enough" in str(error), str(error)
            timer.join()
            context.store.set("python/aborted", b"")
        else:
            context.store.get("python/aborted", timeout=60)
            try:
                group.barrier()
                raise AssertionError("the group is aborted")
            except ps.AbortedError as error:
                assert "enough" in str(error), str(error)
    finally:
        group.close()
    context.world.barrier()


def check_model_parallel(context):
    n = context.world_size
    for spec, name in ((f"vllm:tp={n}", "tp"), (f"sglang:tp={n}", "attn_tp"), (f"megatron:pp={n}", "pp")):
        with context.model_parallel(spec) as layout:
            with context.group(name) as group:
                assert list(group.global_ranks) == layout.group(name, 0) == list(range(n))
                equal(group.all_reduce(mine(group)), sum(of(rank) for rank in range(n)))
    assert not context.is_model_parallel_initialized()


ALL = {name: value for name, value in sorted(globals().items()) if name.startswith("check_")}
