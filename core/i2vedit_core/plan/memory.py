"""What memory is free: on the device, and in the host."""

import ctypes
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from i2vedit_core.plan.choice import Memory


class Cuda(Protocol):
    """What is used of the module `torch.cuda`. It is handed in, so that importing this stays light."""

    def mem_get_info(self, device: Any) -> tuple[int, int]: ...

    def memory_reserved(self, device: Any) -> int: ...


class Device(Protocol):
    """A `torch.device`."""

    @property
    def type(self) -> str: ...


def memory_of(device: Device, cuda: Cuda) -> Memory:
    """What this process can have: what is free, and what its own tensors hold already, since the plan counts them, too."""
    host_free, host_total = host_memory()
    if device.type != "cuda":
        return Memory(host_free, host_total, host_free, on_cuda=False)
    free, total = cuda.mem_get_info(device)
    return Memory(free + cuda.memory_reserved(device), total, host_free, on_cuda=True)


def sparing(memory: Memory, spare_bytes: int) -> Memory:
    """What is left of it where so many bytes are to stay free for others."""
    return replace(memory, free_bytes=max(memory.free_bytes - spare_bytes, 0))


def host_memory() -> tuple[int, int]:
    """(free, total) bytes; free counts what the system would give up for us, such as cached files, where it says so."""
    if sys.platform == "win32":
        return _windows_memory()
    pages, page_bytes = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return _available() or pages * page_bytes // 2, pages * page_bytes


def _available() -> int | None:
    """Linux says it; elsewhere half of what there is has to do."""
    meminfo = Path("/proc/meminfo")
    if not meminfo.exists():
        return None
    values = dict(line.split(":", 1) for line in meminfo.read_text(encoding="ascii").splitlines())
    return int(values["MemAvailable"].split()[0]) * 1024


def _windows_memory() -> tuple[int, int]:
    class Status(ctypes.Structure):
        """MEMORYSTATUSEX."""

        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *(
                (name, ctypes.c_ulonglong)
                for name in ("total", "free", "page_total", "page_free", "virtual_total", "virtual_free", "extended")
            ),
        )

    status = Status(length=ctypes.sizeof(Status))
    ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))  # type: ignore[attr-defined,unused-ignore]
    return int(status.free), int(status.total)
