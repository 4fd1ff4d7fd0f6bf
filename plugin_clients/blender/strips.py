"""What differs between Blender 4.5 and 5.x, and between movie and image strips: one small adapter."""

import os

import bpy

RESULT_SPACE = "Linear Rec.709"


class PlacementError(Exception):
    """The result could not be placed as it should be; nothing of it is left."""


def sequencer_scene(context):
    """The scene whose strips are edited: 5.0 knows one beside the active scene."""
    return getattr(context, "sequencer_scene", None) or context.scene


def all_strips(scene):
    """Strips of the top level: `sequences` until 4.x, `strips` from 4.4 on."""
    editor = scene.sequence_editor
    if editor is None:
        return []
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def scene_rate(scene):
    """Frames a second as a pair: fps_base is 1.001 for 23.976 and its like, stored as a single float."""
    base = round(scene.render.fps_base, 6)
    return [scene.render.fps * 1000000, round(base * 1000000)]


def kind(strip):
    """What the contract calls this strip; None for what is no picture at all."""
    if strip.type == "META":
        return "nested"
    if strip.type == "SCENE":
        return "composition"
    if strip.type not in ("MOVIE", "IMAGE"):
        return None
    if len(strip.retiming_keys) or strip.strobe > 1:
        return "retimed"
    return "reversed" if strip.use_reverse_frames else "clip"


def describe(scene, strip):
    """The strip as the contract's `clip`. The arithmetic is done on the other side."""
    before, after = strip.animation_offset_start, strip.animation_offset_end
    return {
        "path": os.path.realpath(bpy.path.abspath(strip.filepath)) if strip.type == "MOVIE" else "",
        "name": strip.name,
        "kind": kind(strip) or "generator",
        "timeline_rate": scene_rate(scene),
        "frame_by_frame": True,
        "record_start": int(strip.frame_final_start),
        "record_count": int(strip.frame_final_duration),
        "left_offset": int(before + strip.frame_offset_start),
        "media_frames": int(strip.frame_duration + before + after),
        "color_tag": strip.colorspace_settings.name if strip.type == "MOVIE" else "",
        "track": str(strip.channel),
        "managed": True,
        "playhead": int(scene.frame_current),
    }


def free_channel(scene, strip, start, end):
    """The first channel above a strip that is free from `start` to before `end`."""
    taken = {other.channel for other in all_strips(scene) if other.frame_final_start < end and other.frame_final_end > start}
    channel = strip.channel + 1
    while channel in taken:
        channel += 1
    return channel


def place(scene, strip, placement, pictures):
    """Puts the result on the channel above and reads back what was placed. Raises PlacementError, after taking it away again."""
    start, count, skip = placement["record_start"], placement["record_count"], placement["skip"]
    channel = free_channel(scene, strip, start, start + count)
    strips = all_strips(scene)
    result = strips.new_image(placement["clip_name"], pictures[0], channel, start - skip)
    for picture in pictures[1:]:
        result.elements.append(os.path.basename(picture))
    result.frame_offset_start = skip
    result.frame_offset_end = len(pictures) - skip - count
    result.colorspace_settings.name = RESULT_SPACE
    result.alpha_mode = "PREMUL"
    result.blend_type = "ALPHA_OVER" if placement["patch"] else "REPLACE"
    _copy_look(strip, result)
    wrong = _differences(result, placement, channel)
    if wrong:
        strips.remove(result)
        raise PlacementError("Blender placed the result otherwise than asked ({}); it was taken away again.".format(", ".join(wrong)))
    return result


def mark(scene, strip, placement):
    """Puts a marker at each frame that is worth a look. Those of an earlier result of the strip go."""
    start = f"{strip.name}: "
    for marker in [marker for marker in scene.timeline_markers if marker.name.startswith(start)]:
        scene.timeline_markers.remove(marker)
    for told in placement.get("markers", ()):
        scene.timeline_markers.new(start + told["text"], frame=told["record_frame"])


def _copy_look(source, result):
    """Where the plate lies in the picture, the result lies, too."""
    for group in ("transform", "crop"):
        for prop in getattr(source, group).bl_rna.properties:
            if not prop.is_readonly:
                setattr(getattr(result, group), prop.identifier, getattr(getattr(source, group), prop.identifier))
    result.use_flip_x, result.use_flip_y = source.use_flip_x, source.use_flip_y


def _differences(result, placement, channel):
    told = {
        "start": (result.frame_final_start, placement["record_start"]),
        "length": (result.frame_final_duration, placement["record_count"]),
        "channel": (result.channel, channel),
        "colour space": (result.colorspace_settings.name, RESULT_SPACE),
    }
    return [f"{name} {is_} instead of {wanted}" for name, (is_, wanted) in told.items() if is_ != wanted]
