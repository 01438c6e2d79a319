"""Runs a program; the kernel ends each process that opens a socket to other machines: `sealed.py PROGRAM ARG…`.

A seccomp filter (Linux, x86-64 or ARM64) kills with SIGSYS whoever calls socket(2) for another family than AF_UNIX, or
sets up io_uring, which could do so unseen. Child processes inherit it, and nothing can take it off.
"""

import ctypes
import os
import platform
import struct
import sys

# Machine: what seccomp calls its instruction set (linux/audit.h), and its number of socket(2).
SYSTEMS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
IO_URING_SETUP = 425
AF_UNIX = 1
X32 = 0x4000_0000  # x86-64 numbers its second set of calls from here
SET_NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER_MODE = 38, 22, 2
ALLOW, KILL = 0x7FFF_0000, 0x8000_0000
# struct seccomp_data (linux/seccomp.h): number of the call, instruction set, pointer, arguments of 8 bytes.
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
# Instructions of the classic BPF: load a word, compare with a constant, end.
LOAD, EQUALS, AT_LEAST, END = 0x20, 0x15, 0x35, 0x06


def program(architecture: int, socket: int) -> list[tuple[int, int, int, int]]:
    """Return the filter: (operation, jump if true, jump if false, operand) of each instruction."""
    return [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUALS, 0, 7, architecture),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 5, 0, X32),
        (EQUALS, 4, 0, IO_URING_SETUP),
        (EQUALS, 0, 2, socket),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (EQUALS, 0, 1, AF_UNIX),
        (END, 0, 0, ALLOW),
        (END, 0, 0, KILL),
    ]


def seal() -> None:
    """Put the filter on this process. Raises OSError if the kernel does not let it, KeyError on another machine."""
    instructions = program(*SYSTEMS[platform.machine()])
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in instructions))
    described = struct.pack("HP", len(instructions), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0),
        (SET_SECCOMP, FILTER_MODE, ctypes.create_string_buffer(described), 0, 0),
    ):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    seal()
    os.execvp(sys.argv[1], sys.argv[1:])
