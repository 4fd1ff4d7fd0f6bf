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
    assert Goal("dB", 2.996, "≥", 3).met, "3.00 is what the page shows"
    assert not Goal("dB", 2.98, "≥", 3).met
    assert Goal("ratio", 1.5, "≤", 1.5).met and not Goal("ratio", 1.51, "≤", 1.5).met
    assert not Goal("error", 1e-6, "≤", 0, 6).met
    assert not Goal("dB", math.nan, "≥", 3).met


def test_who_is_said_to_be_ahead_must_be() -> None:
    assert not Goal("lead", 0.0, ">").met, "equal is not ahead"
    assert not Goal("lead", -0.0004, ">", digits=3).met
    assert Goal("lead", 0.0004, ">", digits=3).met


def test_what_was_not_measured_is_not_in_the_table() -> None:
    lines = goal_table([Goal("measured", 1.0, "≥", 2), Goal("not measured", math.nan, "≥", 2)]).splitlines()
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
    whole = _shot(full={"error_outside_matte": math.nan})  # its matte left nothing outside
    shots = [whole, _shot(full={"error_outside_matte": 0.0}), _shot(full={"error_outside_matte": 0.001})]
    assert not _find(goals(shots, [PSNR], [], []), "outside the matte").met


def test_an_ablation_has_to_be_worse_and_says_in_how_many_shots() -> None:
    shots = [
        _shot(full={"motion_error": 0.5, "psnr_outside": 30.0}, no_lora={"motion_error": worse}, no_spatial={"psnr_outside": outside})
        for worse, outside in ((0.4, 29.0), (0.8, 30.0))
    ]
    found = goals(shots, [PSNR], [], [])
    lora, spatial = _find(found, "without LoRA"), _find(found, "over no spatial")
    assert lora.met and lora.note == " (in 1 of 2)"
    assert spatial.met and spatial.shown == "0.50" and spatial.note == " (in 1 of 2)"
    assert "| 0.100 (in 1 of 2) | yes |" in goal_table([lora])


def test_decoding_in_slices_may_lose_half_a_decibel() -> None:
    shot = _shot(round_trip={"psnr": 34.0, "psnr_outside": 34.0}, round_trip_7={"psnr": 33.6}, round_trip_1={"psnr": 33.4})
    found = goals([shot], [PSNR], [], [])
    assert _find(found, "where 7 frames").met and not _find(found, "where 1 frame is decoded").met


def test_a_long_shot_is_judged_by_its_seams_and_its_drift() -> None:
    long_shot = _shot(full={"seam_ratio": 1.5, "drift_outside": 1.1}, full_lock={"seam_ratio": 1.0, "drift_outside": 0.4})
    found = goals([], [PSNR], [], [long_shot])
    assert [goal.met for goal in found if "over 9 chunks" in goal.text] == [True, False, True, True]


def test_flow_warp_has_to_be_beaten_where_it_falls() -> None:
    shots = [
        _shot(edit, full={"psnr_inside": 18.0}, flow_warp={"psnr_inside": 17.0 + index}) for index, edit in enumerate(("add", "shape"))
    ]
    found = goals(shots, [PSNR], [], [])
    assert _find(found, "over flow warp, add").met and not _find(found, "over flow warp, shape").met


def test_flow_warps_wins_are_named_by_type_of_edit() -> None:
    ahead = _shot("recolor", full={"psnr_inside": 18.0, "motion_error": 0.5}, flow_warp={"psnr_inside": 21.0, "motion_error": 0.6})
    behind = _shot("add", full={"psnr_inside": 18.0, "motion_error": 0.5}, flow_warp={"psnr_inside": 15.0, "motion_error": 0.5})
    assert "*add*: nothing; *recolor*: PSNR inside." in flow_warp_wins([ahead, behind], [PSNR, MOTION])
