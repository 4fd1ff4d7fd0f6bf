"""Goals are computed from the results, and say no where they are missed."""

import math

from goals import Goal, flow_warp_wins, goal_table, goals
from report import Figure, Result

PSNR = Figure("psnr_inside", "PSNR inside", 2, True, "dB")
MOTION = Figure("motion_error", "motion error", 2, False, "px")


def _shot(edit: str = "recolor", **methods: dict[str, float]) -> Result:
    return {"shot": "evaluation-0000", "edit": edit, "frames": 14, "seed": 0, "flat": False, "methods": methods}


def _find(found: list[Goal], words: str) -> Goal:
    (goal,) = (goal for goal in found if words in goal.text)
    return goal


def test_a_goal_is_met_at_its_limit_and_missed_beyond() -> None:
    assert Goal("dB", 2.996, 3, True).met, "3.00 is what the page shows"
    assert not Goal("dB", 2.98, 3, True).met
    assert Goal("ratio", 1.5, 1.5, False).met and not Goal("ratio", 1.51, 1.5, False).met
    assert not Goal("error", 1e-6, 0, False, 6).met
    assert not Goal("dB", math.nan, 3, True).met


def test_what_was_not_measured_is_not_in_the_table() -> None:
    lines = goal_table([Goal("measured", 1.0, 2, True), Goal("not measured", math.nan, 2, True)]).splitlines()
    assert lines[2:] == ["| measured | ≥ 2 | 1.00 | **no** |"]


def test_full_is_compared_with_generating_and_with_the_round_trip() -> None:
    full = {"psnr_inside": 20.0, "psnr_outside": 30.0, "motion_error": 0.4}
    plain = {"psnr_inside": 16.0, "psnr_outside": 20.0, "motion_error": 0.7}
    found = goals([_shot(full=full, plain_i2v=plain, round_trip={"psnr_outside": 34.0, "psnr": 33.0})], [PSNR], [], [])
    assert _find(found, "inside the edit, full over plain").met
    assert not _find(found, "motion error, full ÷ plain").met
    assert not _find(found, "full under the round trip").met, "4 dB are more than 3"
    assert _find(found, "autoencoder").met


def test_the_worst_shot_decides_whether_the_plate_is_untouched() -> None:
    shots = [_shot(full={"error_outside_matte": 0.0}), _shot(full={"error_outside_matte": 0.001})]
    assert not _find(goals(shots, [PSNR], [], []), "outside the matte").met


def test_flow_warps_wins_are_named_by_type_of_edit() -> None:
    ahead = _shot("recolor", full={"psnr_inside": 18.0, "motion_error": 0.5}, flow_warp={"psnr_inside": 21.0, "motion_error": 0.6})
    behind = _shot("add", full={"psnr_inside": 18.0, "motion_error": 0.5}, flow_warp={"psnr_inside": 15.0, "motion_error": 0.5})
    assert "*add*: nothing; *recolor*: PSNR inside." in flow_warp_wins([ahead, behind], [PSNR, MOTION])
