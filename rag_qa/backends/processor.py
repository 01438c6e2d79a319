"""What this machine's processor and memory can do, from the operating system: importing torch would take seconds."""

import os
import platform
from pathlib import Path

BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}
# What the drivers of NVIDIA, of AMD and of Windows' Linux make.
GPU_DEVICES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


def cpu_flags() -> frozenset[str]:
    """Return the instruction sets that Linux lists for the first core; empty on other systems."""
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return frozenset()
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return frozenset(value.split())
    return frozenset()


def has_bfloat16() -> bool:
    """Return whether the processor multiplies bfloat16 in hardware, several times faster than float32."""
    return bool(BFLOAT16_FLAGS & cpu_flags())


def may_have_gpu() -> bool:
    """Return whether torch might find a GPU: a driver's device on Linux, an Apple processor on macOS."""
    if platform.system() == "Darwin":
        return platform.machine() == "arm64"
    return any(Path(device).exists() for device in GPU_DEVICES)


def cpu_name() -> str:
    """Return the processor's name for provenance."""
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def total_memory() -> int | None:
    """Return the machine's memory in bytes, None if it is unknown."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf, some systems not these names
        return None


def available_memory() -> int | None:
    """Return the free memory in bytes on Linux; on other systems all memory, None if unknown."""
    path = Path("/proc/meminfo")
    if path.is_file():
        for line in path.read_text(encoding="ascii", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name == "MemAvailable":
                return int(value.split()[0]) * 1024
    return total_memory()


def let_threads_sleep() -> None:
    """Make the threads of GNU OpenMP spin only briefly before they sleep; call it before torch or llama.cpp loads.

    OMP_WAIT_POLICY, if set, is kept. Spinning threads hinder each other on a busy machine, and threads that sleep at
    once are slow on an idle one. Tokens per second of the starter on two cores, idle and beside two busy processes, one
    run each: asleep at once 75 and 31, after 1,000 turns 123 and 44, after 10,000 turns 126 and 13; always spinning 130
    when idle.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def physical_cores() -> int:
    """Return the number of physical cores that this process may use: hyper-threads do not speed up matrix products."""
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    siblings = {_siblings(core) for core in allowed}
    return len(siblings) or max(1, (os.cpu_count() or 2) // (1 if platform.machine() == "arm64" else 2))


def _siblings(core: int) -> str:
    path = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
    return path.read_text(encoding="ascii").strip() if path.is_file() else str(core)
