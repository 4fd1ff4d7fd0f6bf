"""Every English text of the window, in one place, ready to be translated.

Each stands here as `_("…")`; a widget says `tr(texts.PAUSE)`. A translation is made with Qt's own tools:
`pyside6-lupdate -tr-function-alias QT_TRANSLATE_NOOP+=_ texts.py -ts monitor_de.ts`, and installed as a QTranslator.
"""

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

CONTEXT = "monitor"


def _(text: str) -> str:
    """Marks a text for the translators."""
    return str(QT_TRANSLATE_NOOP(CONTEXT, text))


def tr(text: str, **values: object) -> str:
    """The text in the language of whoever sits there, with `{name}` filled in."""
    said = QCoreApplication.translate(CONTEXT, text)
    return said.format(**values) if values else said


def tr_counted(texts: tuple[str, str], count: int, **values: object) -> str:
    """Of one thing or of several, with `{count}` filled in as well."""
    return tr(texts[0] if count == 1 else texts[1], count=count, **values)


APP_NAME = "I2VEdit Monitor"

# The queue.
QUEUE = _("Jobs")
NEW_SHOT = _("New shot")
NEW_SHOT_TIP = _("Begin a new shot; a clip may be dropped anywhere in the window")
SEARCH = _("Search jobs")
SHOWN = {"all": _("All"), "live": _("Active"), "done": _("Done"), "failed": _("Stopped")}
NO_JOBS = _("No jobs here.\n\nDrop a clip into the window, or press New shot.")

# Jobs.
STATES = {
    "queued": _("Waiting"),
    "running": _("Running"),
    "paused": _("Paused"),
    "succeeded": _("Done"),
    "failed": _("Failed"),
    "cancelled": _("Cancelled"),
    "unspecified": _("Unknown"),
}
STOP_REQUESTS = {"pause": _("Pausing at its next step"), "cancel": _("Stopping at its next step")}
STAGES = {
    "load": _("Loading the model"),
    "decode": _("Reading the plate"),
    "invert": _("Tracing the shot"),
    "train": _("Learning its motion"),
    "edit": _("Carrying the edit"),
    "deliver": _("Writing frames"),
}
STEPS = {"decode": _("Read"), "invert": _("Trace"), "train": _("Learn"), "edit": _("Carry"), "deliver": _("Deliver")}
IN_CHUNK = _("{stage}, chunk {chunk} of {chunks}")
PREPARED = _("The shot is prepared")
FRAMES_IN = (_("{count} frame in {time}"), _("{count} frames in {time}"))
FRAME_RANGE = _("{first}–{last}")
WHOLE_CLIP = _("the whole clip")
TIME_LEFT = _("about {time} left")
SECONDS = _("{seconds} s")
MINUTES = _("{minutes} min {seconds} s")
FULL_MINUTES = _("{minutes} min")
HOURS = _("{hours} h {minutes} min")
JUST_NOW = _("just now")
AGO = _("{time} ago")
GIGABYTES = _("{size} GB")

# What can be done with a job.
ACTIONS = {
    "pause": _("Pause"),
    "resume": _("Resume"),
    "retry": _("Try again"),
    "cancel": _("Cancel"),
    "reveal": _("Reveal"),
    "copy_path": _("Copy path"),
    "again": _("Paint again"),
    "forget": _("Take off the list"),
}
ACTION_TIPS = {
    "pause": _("Stop at the next step, and go on when resumed"),
    "resume": _("Go on where it was"),
    "retry": _("Put it into the queue again; it goes on where it was"),
    "cancel": _("Stop; delivered frames stay"),
    "reveal": _("Show the delivered folder"),
    "copy_path": _("Copy the path of the delivered folder"),
    "again": _("Make another version of this shot"),
    "forget": _("Forget the job; delivered frames stay"),
}
PRIORITIES = {3: _("High priority"), 2: _("Normal priority"), 1: _("Low priority")}
WITH_KEY = _("{what}  ({key})")

# Notices.
WAYS = {
    "open_out": _("Open folder"),
    "retry": _("Try again"),
    "free_memory": _("Free the GPU"),
    "paint_again": _("Paint again"),
    "set_up": _("What is missing"),
    "reveal": _("Reveal"),
}

# Details.
LEARNING = _("LEARNING")
LOSS_TIP = _("Loss over the training steps; dashed: a chunk is learnt, and kept")
MEMORY = _("MEMORY")
FREE_OF = _("{free} free of {total} when it began, for pictures of {width}×{height}.")
PLAN_STAGES = {"encode": _("Read"), "invert": _("Trace"), "train": _("Learn"), "edit": _("Carry"), "decode": _("Decode")}
OTHER = _("Other")
QUALITY = _("FOR A BETTER RESULT")
VERSIONS = _("VERSIONS")
DETAILS = _("DETAILS")
LOG = _("LOG")
CREATED = _("Submitted.")
BEGUN = _("Began.")
ENDED = _("Ended.")
NOTES = {
    "queued": _("Waits for its turn."),
    "running": _("Runs."),
    "paused": _("Paused."),
    "succeeded": _("Done."),
    "failed": _("Failed:"),
    "cancelled": _("Cancelled."),
    "interrupted": _("Interrupted:"),
}
NOTE_CHUNK = _("{what}, chunk {chunk}")
CLIP = _("Clip")
FRAMES = _("Frames")
PAINTED = _("Painted")
MODEL = _("Model")
PRESET = _("Preset")
SEED = _("Seed")
DELIVERED_TO = _("Folder")
JOB = _("Job")
ATTEMPT = _("Attempt")

# The viewer.
MODES = {
    "result": _("Result"),
    "plate": _("Plate"),
    "wipe": _("Wipe"),
    "side": _("Side by side"),
    "difference": _("Difference ×4"),
    "matte": _("Matte"),
    "edited": _("Painted frame"),
}
MODE_TIPS = {
    "result": _("The result"),
    "plate": _("What it is compared with: the plate, or another version"),
    "wipe": _("Wipe between the two"),
    "side": _("Both side by side"),
    "difference": _("Their difference, four times as large"),
    "matte": _("The result with its matte in red"),
    "edited": _("The painted frame"),
}
BELOW = _("Plate")
MATTE = _("matte")
COMPARE_WITH = _("against")
THE_PLATE = _("Plate")
VIEW_TIP = _("View: how the picture's colours are brought to the screen")
TO_FIRST = _("First frame  (Home)")
TO_LAST = _("Last frame  (End)")
STEP_BACK = _("One frame back  (Left)")
STEP_FORWARD = _("One frame forward  (Right)")
PLAY_TIP = _("Play at the shot's rate  (Space)")
LOOP_TIP = _("Play round and round  (L)")
PIN_TIP = _("Pin the painted frame  (I)")
FIT_TIP = _("Fit the picture into the window  (F)")
FPS = _("{rate} fps")
ELSEWHERE = _("The frames are not on this machine, or were moved: {folder}")
NOTHING_DELIVERED = _("No frame was delivered.")
NOTHING_YET = _("No frame yet. The first ones land when the edit is carried.")

# A new shot.
DROP_CLIP = _("Drop a clip here")
CHOOSE_CLIP = _("Choose…")
CLIP_FILES = _("Clips (*.mov *.mp4 *.mxf *.mkv *.avi *.webm *.m4v *.exr *.dpx *.tif *.tiff *.png *.jpg);;All files (*)")
CLIP_ABOUT = (_("{width}×{height}, {rate} fps, {count} frame"), _("{width}×{height}, {rate} fps, {count} frames"))
STEP_CLIP = _("Clip and range")
STEP_PAINT = _("Painted frame")
STEP_HOW = _("How")
STEP_WHERE = _("Where to")
STRIP_TIP = _("Pull the handles to choose the range; double-click on the frame to paint")
RANGE = (
    _("Frame {first}: {count} frame, {seconds} s. Frame {key} is the one to paint."),
    _("Frames {first}–{last}: {count} frames, {seconds} s. Frame {key} is the one to paint."),
)
FRAME_TO_PAINT = _("Frame to paint")
DROP_PAINTED = _("Drop the painted frame here (PNG, TIFF, EXR, PSD)")
CHOOSE_PICTURE = _("Choose…")
PICTURE_FILES = _("Pictures (*.png *.jpg *.jpeg *.tif *.tiff *.exr *.psd);;All files (*)")
PAINT = _("Paint…")
PAINT_OPENED = _("Paint on {path} and save it. The shot is prepared meanwhile.")
PAINTED_READY = _("The painted frame is there; the edit can be carried.")
PRESETS = {
    "full": (_("Full"), _("The paper's settings: learns the motion of every chunk to the end.")),
    "balanced": (_("Balanced"), _("Learns for less long; small motion may be less exact.")),
    "preview": (_("Preview"), _("Learns nothing and takes every second step, for a quick look.")),
}
EDITS = {
    "local": (_("One thing"), _("Something in the picture was changed; the rest stays the plate.")),
    "style": (_("New look"), _("The whole picture was given another look.")),
    "shape": (_("New outline"), _("The outline of something was changed.")),
}
DELIVER_TO = _("Folder that receives the versions")
CHOOSE_FOLDER = _("Choose…")
ADVANCED = _("Advanced")
COLOUR = _("Colour")
DEPTH = _("Depth")
DEPTHS = {"auto": _("As the plate needs"), "half": _("Half"), "float": _("Float")}
ALPHA = _("Delivers")
ALPHAS = {"plate": _("The whole picture"), "matte": _("The patch alone")}
CUTS_TITLE = _("Cuts")
CUTS = {"find": _("Look for cuts"), "ignore": _("Take it for one shot")}
FIELDS = _("Interlaced")
FIELDS_AS_THEY_ARE = _("Not expected")
FIELDS_INTO_FRAMES = _("Make whole frames")
SIZE = _("Largest picture")
SIZE_OF_THE_MODEL = _("What the model was made for; smaller where memory is short, like 704x384")
OPTIONS = {
    "--cuts ignore": _("“Cuts: Take it for one shot” (Advanced)"),
    "--deinterlace": _("“Interlaced: Make whole frames” (Advanced)"),
    "--size": _("“Largest picture” (Advanced)"),
    "--model": _("“Model” (Advanced)"),
    "a --range": _("a range"),
    "--range": _("the range"),
}
"""What the window has instead of the options that the server's sentences advise; the longer of two comes first."""
CARRY = _("Carry it through")
CLOSE = _("Close")
LOOKING = _("Looking at the clip…")
SENDING = _("Sending…")

# Many shots.
MANY_SHOTS = _("Many shots")
DROP_MANY = _("Drop a timeline (.otio) or a table of shots (.csv) here")
MANY_FILES = _("Timelines and tables (*.otio *.otioz *.csv *.tsv *.xml *.fcpxml *.edl *.aaf);;All files (*)")
PAINTED_FOLDER = _("Folder of the painted frames of a timeline, called like its clips: NAME.png, NAME.0100.png")
SHOT_COLUMNS = (_("Row"), _("Clip"), _("Frames"), _("Painted"))
SHOT_PAINTED = (_("frame {frames}"), _("frames {frames}"))
SHOT_UNPAINTED = _("nothing yet: double-click to paint")
SHOT_UNUSABLE = _("cannot be taken from the timeline: no movie file, or a changed speed")
LOOKING_MANY = _("Looking at the shots…")
MANY_FOUND = (_("{ready} of {count} shot can be carried through."), _("{ready} of {count} shots can be carried through."))
MANY_SENT = (
    _("{count} shot is on its way. What becomes of it: {report}"),
    _("{count} shots are on their way. What becomes of them: {report}"),
)
CARRY_ALL = _("Carry all through")

MISSING = {
    "clip": _("Drop a clip first."),
    "painted": _("The painted frame is missing: press Paint, or drop a picture."),
    "out": _("Choose a folder for the frames."),
}

# The server and the machine.
CONTACTS = {
    "seeking": _("Looking for the server…"),
    "connected": _("Connected"),
    "lost": _("The server went away; looking for it…"),
    "ended": _("No server runs"),
    "refused": _("The server cannot be used"),
}
SERVER_COUNTS = _("{running} running, {waiting} waiting")
SERVER_TIP = _("Server {version}, process {process}, up for {uptime}\n{folder}")
START_SERVER = _("Start it")
FREE_GPU = _("Free the GPU")
FREE_GPU_TIP = _("Give the card's memory back at once; what is put off goes on later")
FREED = _("The GPU is free.")
NOT_FREED = _("A running job keeps its memory. Pause it, then free the GPU.")
LOAD = _("{percent} % busy, {used} of {total}")
THIS_MACHINE = _("This machine")
KEYS = _("Keys")
WELCOME = _("Paint one frame, get the whole shot back")
WELCOME_MORE = _("Drop a clip and paint one of its frames; the change is carried through the shot, and the rest stays the plate.")
WEIGHTS_THERE = _("{name} in {path}")
WEIGHTS_UNKNOWN = _("known when a server runs")
WEIGHTS_MISSING = _("only the bundled mini model, for trying out")
WEIGHTS_MEND = _(
    "Footage needs Stable Video Diffusion (its licence is Stability's): `i2vedit models pull svd`, or name its folder under Advanced."
)
TRY_DEMO = _("Try it")
DEMO_SENTENCE = _(
    "Nothing at hand? A small drawn shot with a painted frame and a tiny model are here. It takes a few minutes, also without a GPU."
)
DEMO_BEGINS = _("Drawing the demo's shot…")
LOOK_AGAIN = _("Look again")
LOOKING_AT_MACHINE = _("looking…")
CHECKS = {
    "python": _("Python"),
    "packages": _("Packages"),
    "ffmpeg": _("ffmpeg"),
    "torch": _("Model runtime"),
    "memory": _("Memory"),
    "weights": _("Model weights"),
    "data folder": _("Data folder"),
    "users": _("Privacy"),
    "settings": _("Settings"),
    "server": _("Server"),
    "other server": _("Other server"),
    "token": _("Token"),
    "disk space": _("Disk space"),
    "proxies": _("Proxies"),
}

# The tray.
SHOW_WINDOW = _("Show the window")
QUIT = _("Quit")

KEY_WORDS = {
    "play": _("Play and stop"),
    "back": _("One frame back"),
    "forward": _("One frame forward"),
    "first": _("First frame"),
    "last": _("Last frame"),
    "loop": _("Play round and round"),
    "fit": _("Fit into the window"),
    "pixels": _("One screen pixel for each pixel"),
    "zoom_in": _("Closer"),
    "zoom_out": _("Farther"),
    "pin": _("Pin the painted frame"),
    "next_job": _("Next job"),
    "former_job": _("Former job"),
    "new": _("New shot"),
    "search": _("Search jobs"),
    "machine": _("This machine"),
    "keys": _("This sheet"),
    "quit": _("Quit"),
}
