"""What a stream says about its colours: ITU-T H.273 code points, their ffmpeg names, and the OCIO space that they mean."""

OCIO_CONFIG = "ocio://studio-config-v4.0.0_aces-v2.0_ocio-v2.5"
"""Pinned: the default config lacks HLG, Camera Rec.709 and camera logs."""

UNSPECIFIED = "unknown"

PRIMARIES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    10: "smpte428",
    11: "smpte431",
    12: "smpte432",
    22: "ebu3213",
}
TRANSFERS = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    9: "log100",
    10: "log316",
    11: "iec61966-2-4",
    12: "bt1361e",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
}
MATRICES = {
    0: "gbr",
    1: "bt709",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "ycgco",
    9: "bt2020nc",
    10: "bt2020c",
    11: "smpte2085",
    12: "chroma-derived-nc",
    13: "chroma-derived-c",
    14: "ictcp",
}

LUMA_WEIGHTS = {
    "bt709": (0.2126, 0.0722),
    "fcc": (0.30, 0.11),
    "bt470bg": (0.299, 0.114),
    "smpte170m": (0.299, 0.114),
    "smpte240m": (0.212, 0.087),
    "bt2020nc": (0.2627, 0.0593),
}
"""(K_R, K_B) of every matrix that can be decoded."""

_HD_WIDTH, _SD_HEIGHT = 1280, 576


def assumed_matrix(width: int, height: int) -> str:
    """The matrix of an untagged stream: BT.709 for HD sizes, BT.601 below, as players have it."""
    return "bt709" if width >= _HD_WIDTH or height > _SD_HEIGHT else "smpte170m"


_GAMUTS = {"bt2020": "rec2020", "smpte432": "p3d65", "smpte431": "p3d65"}
"""Primaries with spaces of their own. BT.601's and BT.709's are so close that footage in either is shown on the same display, and DCI-P3's
white is taken for D65, as the config has no other."""
_LINEAR = {"rec709": "Linear Rec.709 (sRGB)", "rec2020": "Linear Rec.2020", "p3d65": "Linear P3-D65"}
_PQ = {"rec709": "Rec.2100-PQ - Display", "rec2020": "Rec.2100-PQ - Display", "p3d65": "ST2084-P3-D65 - Display"}
_SRGB = {"rec709": "sRGB Encoded Rec.709 (sRGB)", "p3d65": "sRGB Encoded P3-D65", "rec2020": "Gamma 2.4 Encoded Rec.2020"}
_GAMMA = {"rec709": "Gamma 2.4 Encoded Rec.709", "p3d65": "Gamma 2.4 Encoded P3-D65", "rec2020": "Gamma 2.4 Encoded Rec.2020"}


def ocio_space(primaries: str, transfer: str) -> str:
    """Name of a plate's own encoding, from OCIO_CONFIG or one of those that `spaces` adds to it.

    BT.709, BT.601 and untagged video are display-referred, and so is BT.2020 without a transfer of high dynamic range. P3 without a
    transfer is Display P3, as cameras and screens have it.
    """
    gamut = _GAMUTS.get(primaries, "rec709")
    if transfer == "smpte2084":
        return _PQ[gamut]
    if transfer == "arib-std-b67":
        return "Rec.2100-HLG - Display"
    if transfer == "linear":
        return _LINEAR[gamut]
    if transfer == "smpte428" or primaries == "smpte431":
        return "P3-D65 - Display"
    if transfer == "iec61966-2-1" or (gamut == "p3d65" and transfer == UNSPECIFIED):
        return _SRGB[gamut]
    if transfer == "bt470m" and gamut == "rec709":
        return "Gamma 2.2 Encoded Rec.709"
    return _GAMMA[gamut]


_PRIMARIES_OF = {"rec709": "bt709", "rec2020": "bt2020", "p3d65": "smpte432"}
_TRANSFERS_OF = {"g24": "bt709", "itu709": "bt709", "g22": "bt470m", "srgb": "iec61966-2-1", "pq": "smpte2084", "hlg": "arib-std-b67"}


def stream_tags(curve: str, gamut: str) -> tuple[str, str] | None:
    """(primaries, transfer) with which a movie says that it is in such an encoding; None where it has no words for it."""
    primaries, transfer = _PRIMARIES_OF.get(gamut), _TRANSFERS_OF.get(curve)
    return (primaries, transfer) if primaries and transfer else None
