"""What is said of a pixel and of a place in time."""

from fractions import Fraction

from i2vedit_monitor import texts
from i2vedit_monitor.texts import tr
from i2vedit_monitor.viewer.layers import Layer


def readout_lines(x: int, y: int, found: dict[Layer, tuple[float, ...]]) -> list[str]:
    """One line for each picture of which the pixel is known, with the values of the file."""
    lines = [f"x {x:<5} y {y}"]
    for layer, pixel in found.items():
        name = tr(texts.MODES["result"] if layer is Layer.RESULT else texts.BELOW)
        matte = f"   {tr(texts.MATTE)} {pixel[3]:.3f}" if len(pixel) > 3 else ""
        lines.append(f"{name:<7} " + "  ".join(f"{value:8.4f}" for value in pixel[:3]) + matte)
    return lines


def timecode_at(start: str, frames: int, rate: Fraction) -> str:
    """`hh:mm:ss:ff` so many frames after `start`, empty where that is. Drop-frame counts as the header's own `;` says."""
    parts = start.replace(";", ":").split(":")
    if len(parts) != 4 or not all(part.isdecimal() for part in parts):
        return ""
    base = max(round(rate), 1)
    hours, minutes, seconds, rest = (int(part) for part in parts)
    total = ((hours * 60 + minutes) * 60 + seconds) * base + rest
    if ";" in start:
        total = _undropped(hours * 60 + minutes, total, base)
        return _drop_text(total + frames, base)
    total += frames
    return f"{total // base // 3600 % 24:02}:{total // base // 60 % 60:02}:{total // base % 60:02}:{total % base:02}"


def _undropped(minutes: int, total: int, base: int) -> int:
    return total - (base // 15) * (minutes - minutes // 10)


def _drop_text(count: int, base: int) -> str:
    """SMPTE 12M: two labels (four at 60) are left out at every minute but each tenth."""
    dropped = base // 15
    per_minute, per_ten = base * 60 - dropped, base * 600 - 9 * dropped
    tens, rest = divmod(count, per_ten)
    count += dropped * 9 * tens + (dropped * ((rest - dropped) // per_minute) if rest >= dropped else 0)
    return f"{count // base // 3600 % 24:02}:{count // base // 60 % 60:02}:{count // base % 60:02};{count % base:02}"
