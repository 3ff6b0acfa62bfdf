"""A network with a delay, for kernels without netem: a TUN device in each of the named network namespaces, and this
process, which hands every packet to the host it is for after a while. Host i is known by the end of its address, i + 1.

usage: relay.py DELAY_MS NAMESPACE...

Says "ready" once the devices are there; they go with the process."""

import ctypes
import fcntl
import heapq
import os
import select
import struct
import sys
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
MOST_BYTES = 65536


def open_tun(namespace: str) -> int:
    """The device belongs to the namespace in which its descriptor was opened, wherever that is used."""
    home = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(home, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"setns to {namespace}")
    os.close(home)
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"tun0", IFF_TUN | IFF_NO_PI))
    return tun


def destination(packet: bytes) -> int:
    return packet[19] - 1 if packet[0] >> 4 == 4 else -1


def forward(tuns, delay_s: float) -> None:
    waiting = []  # (when it is due, which it was, to which device, the packet)
    count = 0
    poll = select.poll()
    for tun in tuns:
        poll.register(tun, select.POLLIN)
    while True:
        timeout = None if not waiting else max(0.0, waiting[0][0] - time.monotonic()) * 1000
        for tun, _ in poll.poll(timeout):
            try:
                packet = os.read(tun, MOST_BYTES)
            except OSError:  # the device is not up yet, or somebody has read it
                continue
            if 0 <= destination(packet) < len(tuns):
                count += 1
                heapq.heappush(waiting, (time.monotonic() + delay_s, count, tuns[destination(packet)], packet))
        while waiting and waiting[0][0] <= time.monotonic():
            try:
                os.write(waiting[0][2], waiting[0][3])
            except OSError:  # not up yet, or its queue is full: lost
                pass
            heapq.heappop(waiting)


def main() -> None:
    tuns = [open_tun(name) for name in sys.argv[2:]]
    print("ready", flush=True)
    forward(tuns, int(sys.argv[1]) / 1000)


main()
