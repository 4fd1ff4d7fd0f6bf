"""I2VEdit Bridge in Blender's sequencer: right-click on a strip, paint a frame, and see the shot on the channel above.

Runs the `i2vedit` command of this machine and talks to nothing on the internet.
"""

import json
import os

import bpy

from . import strips
from .i2vedit_run import Call, Failed, pictures, read_status

TICK_SECONDS = 0.25
SESSION, STATUS, PLACED = "i2vedit_session", "i2vedit_status", "i2vedit_placed"
INSTALLED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "installed.json")

calls = []
"""Pairs of a Call under way and what is to be done with its answer."""
line = ""
"""What the status bar shows."""


def launcher():
    """The absolute path that `i2vedit plugins install blender` has written. Raises Failed."""
    try:
        with open(INSTALLED) as file:
            return json.load(file)["launcher"]
    except (OSError, ValueError, KeyError):
        raise Failed(
            "The extension does not know the i2vedit command. Run in a terminal: i2vedit plugins install blender", "NOT_INSTALLED"
        ) from None


def start(words, then, request=None):
    """Begins a call; `then` receives its answer at a later tick."""
    calls.append((Call(launcher(), words, request), then))
    if not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, first_interval=TICK_SECONDS)


def tick():
    """Looks after calls and jobs; takes no time. Gives the seconds to the next look, None when there is nothing to wait for."""
    for pending in [pair for pair in calls if pair[0].done()]:
        calls.remove(pending)
        try:
            pending[1](pending[0].answer())
        except (Failed, strips.PlacementError) as error:
            say(str(error))
    waiting = _look_after_jobs()
    return TICK_SECONDS if calls or waiting else None


def _look_after_jobs():
    """Places what is finished; says how far the rest is. Gives whether anything is still to be waited for."""
    waiting = False
    for scene in bpy.data.scenes:
        for strip in [strip for strip in strips.all_strips(scene) if strip.get(STATUS)]:
            status = read_status(strip[STATUS])
            placement = status.get("placement")
            if placement and placement["job"] != strip.get(PLACED):
                strip[PLACED] = placement["job"]
                _place(scene, strip, placement)
            elif not placement:
                waiting = waiting or status.get("event") not in ("failed", "cancelled")
                say(_progress(strip, status))
            waiting = waiting or bool(strip.get("i2vedit_open"))
    return waiting


def _place(scene, strip, placement):
    try:
        result = strips.place(scene, strip, placement, pictures(placement))
        strips.mark(scene, strip, placement)
        say(f"{result.name} is on channel {result.channel}.")
    except strips.PlacementError as error:
        say(str(error))


def _progress(strip, status):
    if not status:
        return f"{strip.name}: waiting for the painted frame"
    percent = f" {100 * status['fraction']:.0f} %" if status.get("fraction") else ""
    return "{}: {}{}".format(strip.name, status.get("words", ""), percent)


def say(text):
    """Shows a line in the status bar."""
    global line
    if text == line:
        return
    line = text
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            area.tag_redraw()
        if window.workspace is not None:
            window.workspace.status_text_set(None)


def draw_status(self, context):
    if line:
        self.layout.label(text=line, icon="SEQUENCE")


def request(scene, strip, settings):
    return {
        "host": "blender",
        "host_version": bpy.app.version_string,
        "project": bpy.data.filepath,
        "item": strip.name,
        "clip": strips.describe(scene, strip),
        "settings": settings,
    }


class _OnStrip(bpy.types.Operator):
    """What both operators share: the active strip, and the settings."""

    model: bpy.props.StringProperty(name="Model", default="mini", description="mini, svd, svd-xt, or a model folder")
    preset: bpy.props.EnumProperty(
        name="Preset",
        items=[("full", "Full", ""), ("balanced", "Balanced", "Fewer training steps"), ("preview", "Preview", "No training")],
        default="full",
    )
    handles: bpy.props.IntProperty(name="Handles", default=0, min=0, max=1000, description="Frames more at either end")
    out: bpy.props.StringProperty(name="Folder", subtype="DIR_PATH", description="Empty: I2VEdit beside the clip")

    @classmethod
    def poll(cls, context):
        scene = strips.sequencer_scene(context)
        strip = scene.sequence_editor.active_strip if scene and scene.sequence_editor else None
        return strip is not None and strips.kind(strip) is not None

    def settings(self):
        chosen = {"model": self.model, "preset": self.preset, "handles": self.handles}
        return dict(chosen, out=bpy.path.abspath(self.out)) if self.out else chosen

    def begin(self, context, words, then):
        scene = strips.sequencer_scene(context)
        strip = scene.sequence_editor.active_strip
        try:
            names = scene.name, strip.name
            start(["begin", *words], lambda answer: then(_find(*names), answer), request(scene, strip, self.settings()))
        except Failed as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        say(f"{strip.name}: exporting a frame")
        return {"FINISHED"}


def _find(scene, name):
    """The strip again: what Python held of it is gone after an undo. Raises Failed."""
    found = [strip for strip in strips.all_strips(bpy.data.scenes[scene]) if strip.name == name]
    if not found:
        raise Failed(f"The strip '{name}' is gone. Select it again.", "STRIP_GONE")
    return found[0]


def _note(strip, answer):
    strip[SESSION], strip[STATUS] = answer["session"], answer["status_file"]


class SEQUENCER_OT_i2vedit_paint(_OnStrip):
    """Open the frame under the playhead in Photoshop; every save comes back as a strip on the channel above"""

    bl_idname = "sequencer.i2vedit_paint"
    bl_label = "Paint This Frame"

    def execute(self, context):
        def opened(strip, answer):
            _note(strip, answer)
            strip["i2vedit_open"] = True
            say("{} is open for painting; save it when you are done.".format(os.path.basename(answer["frame_file"])))

        return self.begin(context, ["--open"], opened)


class SEQUENCER_OT_i2vedit_propagate(_OnStrip):
    """Carry a painted picture of the frame under the playhead through the strip"""

    bl_idname = "sequencer.i2vedit_propagate"
    bl_label = "Propagate Edit…"

    filepath: bpy.props.StringProperty(name="Painted picture", subtype="FILE_PATH")
    filter_glob: bpy.props.StringProperty(default="*.tif;*.tiff;*.png;*.psd;*.exr;*.jpg;*.jpeg", options={"HIDDEN"})

    def invoke(self, context, event):
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context):
        picture = bpy.path.abspath(self.filepath)

        def begun(strip, answer):
            _note(strip, answer)
            start(["submit", answer["session"], "--edited", picture], lambda submitted: None)

        return self.begin(context, [], begun)


class SEQUENCER_OT_i2vedit_stop(bpy.types.Operator):
    """Stop what is propagated for the strip, and the watching for saves"""

    bl_idname = "sequencer.i2vedit_stop"
    bl_label = "Stop Propagating"

    @classmethod
    def poll(cls, context):
        return _OnStrip.poll.__func__(cls, context) and bool(_active(context).get(SESSION))

    def execute(self, context):
        strip = _active(context)
        strip["i2vedit_open"] = False
        start(["cancel", strip[SESSION]], lambda answer: say("Stopped."))
        return {"FINISHED"}


def _active(context):
    return strips.sequencer_scene(context).sequence_editor.active_strip


def draw_menu(self, context):
    self.layout.separator()
    for operator in OPERATORS:
        self.layout.operator(operator.bl_idname)


@bpy.app.handlers.persistent
def find_again(*_):
    """After a file is opened: its strips know their sessions, and the command finds the jobs."""
    for scene in bpy.data.scenes:
        for strip in strips.all_strips(scene):
            if strip.get(SESSION):
                try:
                    start(["poll", strip[SESSION], "--follow"], lambda answer: None)
                except Failed as error:
                    say(str(error))


OPERATORS = (SEQUENCER_OT_i2vedit_propagate, SEQUENCER_OT_i2vedit_paint, SEQUENCER_OT_i2vedit_stop)


def register():
    for operator in OPERATORS:
        bpy.utils.register_class(operator)
    bpy.types.SEQUENCER_MT_context_menu.append(draw_menu)
    bpy.types.STATUSBAR_HT_header.append(draw_status)
    bpy.app.handlers.load_post.append(find_again)


def unregister():
    bpy.app.handlers.load_post.remove(find_again)
    bpy.types.STATUSBAR_HT_header.remove(draw_status)
    bpy.types.SEQUENCER_MT_context_menu.remove(draw_menu)
    for operator in reversed(OPERATORS):
        bpy.utils.unregister_class(operator)
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
