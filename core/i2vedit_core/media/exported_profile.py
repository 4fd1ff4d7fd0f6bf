"""The ICC profile (version 4.3) of an exported frame: Photoshop shows with it what an NLE shows, and so says what was painted."""

import functools
import struct

import numpy as np

from i2vedit_core.errors import BridgeError
from i2vedit_core.media.icc import Curve, Numbers, Parametric, Profile, Table
from i2vedit_core.media.spaces import XYZ_D65, convert, encoding_of, linear_space
from i2vedit_core.media.working import Working

TABLE_SIZE = 4096
SDR_WHITE = 1.001
"""Light up to here is shown as it is; more is rolled off."""
D50 = (0.9642, 1.0, 0.8249)
D65 = (0.3127 / 0.3290, 1.0, (1 - 0.3127 - 0.3290) / 0.3290)
_CONES = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
"""Bradford's."""
D65_TO_D50 = np.linalg.inv(_CONES) @ np.diag((_CONES @ D50) / (_CONES @ D65)) @ _CONES
_SHAPES: dict[str, tuple[float, ...]] = {
    "g18": (1.8,),
    "g22": (2.2,),
    "g24": (2.4,),
    "g26": (2.6,),
    "srgb": (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
    "itu709": (1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081),
}
"""The curves of display-referred spaces, as parameters of function type 0 or 3."""


@functools.lru_cache(maxsize=8)
def exported_profile(space: str) -> Profile | None:
    """What shows a plate of this space, in its working encoding, as an NLE does; None for a space that says nothing of its colours.

    Light beyond the display's white (PQ, HLG, log, scene-linear) is rolled off, after Reinhard: 1 is shown at half the light, the brightest
    that the encoding can say at the whole, and everything between stays apart.
    """
    encoding = encoding_of(space)
    try:
        linear = linear_space(space)
    except BridgeError:
        return None
    if encoding is None:
        return None
    primaries = convert(np.eye(3, dtype=np.float32)[None], linear, XYZ_D65)[0]
    curve = _known_curve(encoding.curve) or _sampled_curve(space, linear)
    return Profile(f"I2VEdit {space}", D65_TO_D50 @ primaries.T.astype(np.float64), (curve, curve, curve))


def _known_curve(name: str) -> Curve | None:
    shape = _SHAPES.get(name)
    return Parametric(*shape) if shape else None


def _sampled_curve(space: str, linear: str) -> Curve:
    codes = np.repeat(np.linspace(0, 1, TABLE_SIZE, dtype=np.float32)[None, :, None], 3, axis=2)
    light = convert(Working.of(space).decode(codes), space, linear)[0, :, 1].astype(np.float64)
    light = np.maximum.accumulate(np.maximum(light, 0))
    peak = light[-1]
    return Table(light if peak <= SDR_WHITE else light * (1 + light / peak**2) / (1 + light))


@functools.lru_cache(maxsize=8)
def profile_bytes(space: str) -> bytes | None:
    """The profile that goes into a picture of a plate in this space (version 4.3); always the same bytes."""
    profile = exported_profile(space)
    if profile is None:
        return None
    curve = _curve_tag(profile.curves[0])
    tags = {
        b"desc": _text_tag(profile.name),
        b"cprt": _text_tag("No rights reserved"),
        b"wtpt": _numbers_tag(b"XYZ ", D50),
        b"chad": _numbers_tag(b"sf32", D65_TO_D50.ravel()),
        **{name: _numbers_tag(b"XYZ ", profile.matrix[:, column]) for column, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    return _assembled(tags)


def _assembled(tags: dict[bytes, bytes]) -> bytes:
    """Header, table and tags; equal tags are stored once, as the standard wants it."""
    body, places = b"", {}
    for tag in dict.fromkeys(tags.values()):
        places[tag] = 132 + 12 * len(tags) + len(body)
        body += tag + b"\0" * (-len(tag) % 4)
    table = struct.pack(">I", len(tags)) + b"".join(struct.pack(">4sII", name, places[tag], len(tag)) for name, tag in tags.items())
    size = 128 + len(table) + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"\0" * 4, 0x04300000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 24 + struct.pack(">I", 1)
    header += b"".join(_fixed(number) for number in D50)
    return header.ljust(128, b"\0") + table + body


def _curve_tag(curve: Curve) -> bytes:
    if isinstance(curve, Table):
        codes = np.rint(np.clip(curve.light, 0, 1) * 65535).astype(">u2")
        return b"curv\0\0\0\0" + struct.pack(">I", len(codes)) + codes.tobytes()
    numbers = (curve.g,) if curve.c == 0 else (curve.g, curve.a, curve.b, curve.c, curve.d)
    kind = 0 if len(numbers) == 1 else 3
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + b"".join(_fixed(number) for number in numbers)


def _text_tag(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(encoded), 28) + encoded


def _numbers_tag(kind: bytes, numbers: "Numbers | tuple[float, ...]") -> bytes:
    return kind + b"\0\0\0\0" + b"".join(_fixed(float(number)) for number in numbers)


def _fixed(number: float) -> bytes:
    return struct.pack(">i", round(number * 65536))
