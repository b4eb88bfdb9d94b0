#!/usr/bin/env python3
"""The loop from Python, through ctypes: what any language with a foreign-function interface can do.

    python3 from_python.py [libCEventLoop.so]
"""
import ctypes
import ctypes.util
import errno
import os
import socket
import sys
from ctypes import POINTER, byref, c_int, c_uint32, c_uint64, c_void_p

MONOTONIC = 0
READ, LEVEL = 1, 0
DESCRIPTOR, TIMER, WAKE = 1, 2, 3
NEVER = 2**64 - 1


class Event(ctypes.Structure):
    _fields_ = [("token", c_uint64), ("kind", c_uint32), ("ready", c_uint32)]


def load(path):
    library = ctypes.CDLL(path)
    # Without these, ctypes would pass a 64-bit pointer or deadline as a 32-bit int.
    for name, result, *arguments in [
        ("el_loop_create", c_int, c_uint32, POINTER(c_void_p)),
        ("el_loop_destroy", None, c_void_p),
        ("el_loop_wait", c_int, c_void_p, c_uint64, POINTER(Event), c_int),
        ("el_loop_wake", c_int, c_void_p),
        ("el_loop_now", c_uint64, c_void_p),
        ("el_fd_add", c_int, c_void_p, c_int, c_uint32, c_uint32, c_uint64),
        ("el_fd_remove", c_int, c_void_p, c_int),
        ("el_timer_start", c_uint64, c_void_p, c_uint64, c_uint64),
    ]:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def check(result):
    """Functions that fail return a negative errno."""
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else ctypes.util.find_library("CEventLoop")
    if path is None:
        sys.exit("libCEventLoop.so is not installed; give its path")
    el = load(path)
    loop = c_void_p()
    check(el.el_loop_create(MONOTONIC, byref(loop)))

    near, far = socket.socketpair()
    near.setblocking(False)
    check(el.el_fd_add(loop, near.fileno(), READ, LEVEL, 7))
    el.el_timer_start(loop, el.el_loop_now(loop) + 20_000_000, 42)
    check(el.el_loop_wake(loop))

    seen = []
    events = (Event * 16)()
    while len(seen) < 3:
        for event in events[: check(el.el_loop_wait(loop, NEVER, events, 16))]:
            if event.kind == WAKE:
                seen.append("wake")
            elif event.kind == TIMER:
                seen.append(f"timer {event.token}")
                far.send(b"hello")
            elif event.kind == DESCRIPTOR:
                seen.append(f"descriptor {event.token}: {near.recv(64).decode()}")
            print(seen[-1])

    check(el.el_fd_remove(loop, near.fileno()))
    try:
        check(el.el_fd_remove(loop, near.fileno()))
    except OSError as error:
        seen.append(errno.errorcode[error.errno])
        print("removed twice:", error)
    el.el_loop_destroy(loop)
    return 0 if seen == ["wake", "timer 42", "descriptor 7: hello", "ENOENT"] else 1


if __name__ == "__main__":
    sys.exit(main())
