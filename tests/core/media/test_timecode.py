"""Timecode: the labels that SMPTE ST 12 fixes, and every frame there and back."""

from fractions import Fraction

import pytest

from i2vedit_core.media.timecode import Timecode

NTSC = Fraction(30000, 1001)
NTSC_60 = Fraction(60000, 1001)


@pytest.mark.parametrize(
    ("frame", "rate", "drop", "label"),
    [
        (0, Fraction(24), False, "00:00:00:00"),
        (86399, Fraction(24), False, "00:59:59:23"),
        (1799, NTSC, True, "00:00:59;29"),
        (1800, NTSC, True, "00:01:00;02"),
        (17981, NTSC, True, "00:09:59;29"),
        (17982, NTSC, True, "00:10:00;00"),
        (107892, NTSC, True, "01:00:00;00"),
        (3600, NTSC_60, True, "00:01:00;04"),
        (1800, NTSC, False, "00:01:00:00"),
        (107892 * 24, NTSC, True, "00:00:00;00"),
        (24 * 86400 + 1, Fraction(24000, 1001), False, "00:00:00:01"),
    ],
)
def test_labels(frame: int, rate: Fraction, drop: bool, label: str) -> None:
    assert str(Timecode.from_frame(frame, rate, drop)) == label


@pytest.mark.parametrize(
    ("rate", "drop"), [(NTSC, True), (NTSC_60, True), (NTSC, False), (Fraction(25), False), (Fraction(24000, 1001), False)]
)
def test_every_frame_there_and_back(rate: Fraction, drop: bool) -> None:
    labels = [Timecode.from_frame(frame, rate, drop) for frame in range(0, 120_000, 7)]
    assert [label.to_frame(rate) for label in labels] == list(range(0, 120_000, 7))
    assert all(Timecode.parse(str(label), rate) == label for label in labels)


def test_drop_frame_exists_at_ntsc_rates_only() -> None:
    assert not Timecode.parse("01:00:00;00", Fraction(25)).drop
    assert Timecode.parse("01:00:00;00", NTSC).drop


@pytest.mark.parametrize("text", ["", "1:2:3", "24:00:00:00", "00:00:60:00", "00:00:00:24", "00:01:00;00x", "-1:00:00:00"])
def test_what_is_no_label(text: str) -> None:
    with pytest.raises(ValueError):
        Timecode.parse(text, Fraction(24))


def test_dropped_labels_do_not_exist() -> None:
    with pytest.raises(ValueError, match="drop-frame"):
        Timecode.parse("00:01:00;01", NTSC)


def test_bcd_words() -> None:
    assert Timecode.parse("12:34:56:17", Fraction(24)).bcd(Fraction(24)) == (0x12345617, 0)
    assert Timecode.parse("01:00:00;02", NTSC).bcd(NTSC) == (0x01000002 | 1 << 6, 0)


def test_above_30_fps_the_pair_is_labelled() -> None:
    rate = Fraction(60)
    assert Timecode.parse("01:02:03:58", rate).bcd(rate) == (0x01020329, 0)
    assert Timecode.parse("01:02:03:59", rate).bcd(rate) == (0x01020329 | 1 << 15, 0)


@pytest.mark.parametrize(
    ("label", "rate"),
    [
        ("12:34:56:17", Fraction(24)),
        ("01:00:00;02", NTSC),
        ("23:59:59:29", NTSC),
        ("01:02:03:58", Fraction(60)),
        ("01:02:03:59", Fraction(60)),
        ("00:01:00;04", NTSC_60),
    ],
)
def test_bcd_words_come_back(label: str, rate: Fraction) -> None:
    assert str(Timecode.from_bcd(Timecode.parse(label, rate).bcd(rate)[0], rate)) == label


def test_a_word_that_is_no_label() -> None:
    for word in (0xFFFFFFFF, 0x25000000, 0x00000025):
        with pytest.raises(ValueError):
            Timecode.from_bcd(word, Fraction(24))
