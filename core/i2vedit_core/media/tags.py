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


def ocio_space(primaries: str, transfer: str) -> str:
    """OCIO name (in OCIO_CONFIG) of a plate's own encoding. BT.709, BT.601 and untagged video are display-referred."""
    if transfer == "smpte2084":
        return "Rec.2100-PQ - Display"
    if transfer == "arib-std-b67":
        return "Rec.2100-HLG - Display"
    if transfer == "linear":
        return {"bt2020": "Linear Rec.2020", "smpte432": "Linear P3-D65"}.get(primaries, "Linear Rec.709 (sRGB)")
    if primaries == "smpte432":
        return "sRGB Encoded P3-D65"
    if transfer == "iec61966-2-1":
        return "sRGB Encoded Rec.709 (sRGB)"
    if transfer == "bt470m":
        return "Gamma 2.2 Encoded Rec.709"
    return "Gamma 2.4 Encoded Rec.709"


def linear_space(primaries: str) -> str:
    """The scene-linear space with a plate's own primaries: what `--deliver linear` means for it."""
    return ocio_space(primaries, "linear")
