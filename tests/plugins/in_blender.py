"""Runs inside the real Blender (`bpy`), headless: from a strip to its result strip, and both rendered.

`python in_blender.py EXTENSIONS JOB.json`; writes what it saw to the file that JOB names. Timers do not run in the background, so the
tick is called here.
"""

import importlib
import json
import os
import sys
import time

import bpy

TICK_LIMIT_SECONDS = 0.2


def main(extensions, job_path):
    with open(job_path) as file:
        job = json.load(file)
    sys.path.insert(0, extensions)
    extension = importlib.import_module("i2vedit")
    extension.register()
    seen = {"version": bpy.app.version_string, "menu": has_entry(), "slowest_tick": 0.0}
    scene, strip = make_strip(job)
    seen["markers"] = markers(scene, strip)
    seen["idle_poll"] = bpy.ops.sequencer.i2vedit_propagate.poll()
    began = time.monotonic()
    bpy.ops.sequencer.i2vedit_propagate(filepath=job["edited"], model=job["model"], handles=job["handles"], out=job["out"])
    seen["operator_seconds"] = time.monotonic() - began
    seen["lines"] = run_until(extension, lambda: len(strips_of(scene)) > 1, seen, job["seconds"])
    result = next(each for each in strips_of(scene) if each.type == "IMAGE")
    seen["result"] = {
        "name": result.name,
        "channel": result.channel,
        "start": result.frame_final_start,
        "length": result.frame_final_duration,
        "space": result.colorspace_settings.name,
        "alpha": result.alpha_mode,
        "offset": result.frame_offset_start,
    }
    seen["reopened"] = reopen(extension, job)
    render(bpy.context.scene, job)
    extension.unregister()
    seen["unregistered"] = not has_entry() and not hasattr(bpy.types, "SEQUENCER_OT_i2vedit_propagate")
    with open(job["report"], "w") as file:
        json.dump(seen, file)


def has_entry():
    menu = bpy.types.SEQUENCER_MT_context_menu
    return any("i2vedit" in str(getattr(draw, "__module__", "")) for draw in getattr(menu.draw, "_draw_funcs", []))


def strips_of(scene):
    editor = scene.sequence_editor
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def make_strip(job):
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = job["rate"]
    scene.sequence_editor_create()
    strip = strips_of(scene).new_movie("plate", job["clip"], 1, job["frame_start"])
    strip.frame_offset_start, strip.frame_offset_end = job["offset_start"], job["offset_end"]
    scene.sequence_editor.active_strip = strip
    if hasattr(bpy.context.workspace, "sequencer_scene"):
        bpy.context.workspace.sequencer_scene = scene
    return scene, strip


def markers(scene, strip):
    """What the scene holds after a first result's markers and after a second one's; somebody else's stays."""
    mark = importlib.import_module("i2vedit.strips").mark
    scene.timeline_markers.new("take 2", frame=105)
    told = [{"record_frame": 107, "text": "Paint this frame too."}, {"record_frame": 109, "text": "A join that is seen. " * 9}]
    held = []
    for placement in ({"markers": told}, {"markers": told[:1]}, {}):
        mark(scene, strip, placement)
        held.append([[marker.name[:16], marker.frame] for marker in scene.timeline_markers])
    return held


def run_until(extension, condition, seen, seconds):
    lines: list[str] = []
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"it took too long: {lines}")
        began = time.process_time()
        if extension.tick() is None and not condition():
            raise SystemExit(f"nothing is waited for any more: {extension.line}")
        seen["slowest_tick"] = max(seen["slowest_tick"], time.process_time() - began)
        if extension.line not in lines:
            lines.append(extension.line)
        time.sleep(0.05)
    return lines


def reopen(extension, job):
    """Saves the file, opens it again, and lets the extension find its jobs; the result must not be placed twice."""
    bpy.ops.wm.save_as_mainfile(filepath=job["blend"])
    bpy.ops.wm.open_mainfile(filepath=job["blend"])
    deadline = time.monotonic() + job["seconds"]
    found = bool(extension.calls)
    while extension.calls and time.monotonic() < deadline:
        extension.tick()
        time.sleep(0.05)
    extension.tick()
    return {"asked": found, "strips": len(strips_of(bpy.context.scene))}


def render(scene, job):
    """Both ways: the plate alone, and with the result above it."""
    scene.view_settings.view_transform = "Standard"
    scene.render.resolution_x, scene.render.resolution_y = job["size"]
    scene.render.resolution_percentage = 100
    settings = scene.render.image_settings
    settings.file_format, settings.color_mode, settings.color_depth = "PNG", "RGB", "16"
    scene.render.dither_intensity = 0
    for name, hidden in (("plate", True), ("result", False)):
        for strip in strips_of(scene):
            strip.mute = hidden and strip.type == "IMAGE"
        for frame in job["render"]:
            scene.frame_set(frame)
            scene.render.filepath = f"{job['pictures']}_{name}_{frame:04}.png"
            bpy.ops.render.render(write_still=True)


main(*sys.argv[-2:])
# bpy 4.5 as a module waits for its own threads for ever when Python ends.
sys.stdout.flush()
os._exit(0)
