"""I2VEdit Bridge in DaVinci Resolve 18.5 and newer: the entries under Workspace > Scripts > Edit.

Uses the documented scripting API and the standard library, Python 3.6 or newer. Runs in Resolve's script process: the window stays free.
"""

import os
import time

from i2vedit_run import Call, Failed, read_status

BIN = TRACK = "I2VEdit"
LOOK_SECONDS = 0.5
MARKER_COLOUR = "Purple"
MARKER_COLOURS = {"suggestion": "Yellow", "warning": "Red"}
JOB = "jobs/"
"""So begins the custom data of our markers: that of a result is names of jobs, that of a frame worth a look a job and the frame."""
NO_FREE_SCRIPTS = (21, 1)
KINDS = {
    "Timeline": "nested",
    "Compound": "compound",
    "Multicam": "multicam",
    "Generator": "generator",
    "Title": "title",
    "Fusion": "composition",
    "Fusion Composition": "composition",
}
SIZING = (
    "Pan",
    "Tilt",
    "ZoomX",
    "ZoomY",
    "ZoomGang",
    "RotationAngle",
    "AnchorPointX",
    "AnchorPointY",
    "Pitch",
    "Yaw",
    "FlipX",
    "FlipY",
    "CropLeft",
    "CropRight",
    "CropTop",
    "CropBottom",
    "CropSoftness",
    "Scaling",
)


def can(thing, method):
    """Whether an object has a method: `hasattr` is always true here."""
    return method in dir(thing)


def setting(thing, name):
    """A setting of a project or timeline. From 21.1 on all of them come at once."""
    return thing.GetSettings().get(name) if can(thing, "GetSettings") else thing.GetSetting(name)


def check_edition(resolve):
    """Raises Failed where this edition runs no Python scripts."""
    name, version = resolve.GetProductName(), tuple(resolve.GetVersion()[:2])
    if "Studio" not in name and version >= NO_FREE_SCRIPTS:
        raise Failed(
            "The free edition of Resolve runs no Python scripts from 21.1 on. Drop the clip or an .otio file on `i2vedit monitor`.",
            "FREE_EDITION",
        )


class Edit:
    """The open project and timeline."""

    def __init__(self, resolve):
        """Raises Failed."""
        check_edition(resolve)
        self.resolve = resolve
        self.project = resolve.GetProjectManager().GetCurrentProject()
        self.timeline = self.project.GetCurrentTimeline() if self.project else None
        if not self.timeline:
            raise Failed("No timeline is open. Open one, select a clip, and try again.", "NO_TIMELINE")
        self.pool = self.project.GetMediaPool()

    def selected(self):
        """The selected video clip, else the one under the playhead. Raises Failed."""
        if can(self.timeline, "GetSelectedClips"):
            chosen = [item for item in self.timeline.GetSelectedClips() or [] if self.track_of(item)]
            if len(chosen) > 1:
                raise Failed("%d clips are selected. Select one, and try again." % len(chosen), "MANY_CLIPS")
            if chosen:
                return chosen[0]
        item = self.timeline.GetCurrentVideoItem()
        if not item:
            raise Failed("No clip is selected, and none is under the playhead. Select one, and try again.", "NO_CLIP")
        return item

    def track_of(self, item):
        """The number of the video track that holds an item; None for sound and titles elsewhere."""
        return next((number for number, items in self.video_tracks() if any(same(other, item) for other in items)), None)

    def video_tracks(self):
        count = self.timeline.GetTrackCount("video")
        return [(number, self.timeline.GetItemListInTrack("video", number) or []) for number in range(1, count + 1)]

    def describe(self, item):
        """The clip as the contract takes it. Raises Failed for what has no media."""
        media = item.GetMediaPoolItem()
        name = item.GetName()
        if not media:
            raise Failed(
                "'%s' has no media of its own: it is a title, a generator or an adjustment clip. Select another clip." % name, "NO_MEDIA"
            )
        start, end = item.GetSourceStartFrame(), item.GetSourceEndFrame()
        return {
            "path": media.GetClipProperty("File Path") or name,
            "name": name,
            "kind": KINDS.get(media.GetClipProperty("Type"), "clip"),
            "timeline_rate": str(setting(self.timeline, "timelineFrameRate")),
            "record_start": int(item.GetStart()),
            "record_count": int(item.GetDuration()),
            "left_offset": int(item.GetLeftOffset()),
            "media_rate": str(media.GetClipProperty("FPS")),
            "media_frames": int(media.GetClipProperty("Frames") or 0) or None,
            "source_count": max(1, int(end) - int(start)),
            "start_timecode": media.GetClipProperty("Start TC") or "",
            "managed": setting(self.project, "colorScienceMode") not in ("davinciYRGB", None, ""),
            "track": str(self.track_of(item)),
            "playhead": self.timeline.GetCurrentTimecode() or None,
            "extra": {"timeline": self.timeline.GetName(), "unique": item.GetUniqueId()},
        }

    def request(self, item):
        return {
            "host": "resolve",
            "host_version": self.resolve.GetVersionString(),
            "project": self.project.GetName(),
            "item": item.GetUniqueId(),
            "clip": self.describe(item),
        }


def same(one, other):
    return one.GetUniqueId() == other.GetUniqueId()


class Placing:
    """Brings one result into the project. Whatever is done is undone unless all of it succeeds."""

    def __init__(self, edit, item, placement):
        self.edit, self.item, self.placement = edit, item, placement
        self.media, self.track, self.made_track = None, None, False

    def on_track(self):
        """On a track above the clip. Gives the new item. Raises Failed."""
        try:
            self.media = self.imported()
            self.track = self.free_track()
            placed = self.appended()
        except Failed:
            self.roll_back()
            raise
        self.copy_look(placed)
        self.unmark_earlier(placed)
        self.mark(placed)
        return placed

    def as_take(self):
        """As a take of the clip itself. Raises Failed."""
        self.media = self.imported()
        first, last = self.placement["skip"], self.placement["skip"] + self.placement["take"] - 1
        if not self.item.AddTake(self.media, first, last):
            self.roll_back()
            raise Failed("Resolve did not take the result as a take of '%s'." % self.item.GetName(), "PLACEMENT")
        self.item.SelectTakeByIndex(self.item.GetTakesCount())
        self.mark(self.item)
        return self.item

    def imported(self):
        """The sequence in a bin of its own; the bin that was open stays open. Raises Failed."""
        pool, placement = self.edit.pool, self.placement
        before = pool.GetCurrentFolder()
        try:
            pool.SetCurrentFolder(self.own_bin())
            last = placement["first_number"] + placement["count"] - 1
            path = os.path.join(placement["directory"], placement["pattern"])
            found = pool.ImportMedia([{"FilePath": path, "StartIndex": placement["first_number"], "EndIndex": last}])
        finally:
            pool.SetCurrentFolder(before)
        if not found:
            raise Failed("Resolve could not import %s." % path, "IMPORT")
        self.media = found[0]
        self.set_properties(found[0])
        return found[0]

    def own_bin(self):
        root = self.edit.pool.GetRootFolder()
        named = [folder for folder in root.GetSubFolderList() or [] if folder.GetName() == BIN]
        return named[0] if named else self.edit.pool.AddSubFolder(root, BIN)

    def set_properties(self, media):
        """Set, and read back. Raises Failed where Resolve keeps another value."""
        wanted = {"FPS": "%g" % round(self.placement["rate_number"], 3), "Alpha mode": "Premultiplied"}
        plate = self.item.GetMediaPoolItem().GetClipProperty("Input Color Space")
        if plate:
            wanted["Input Color Space"] = plate
        for name, value in sorted(wanted.items()):
            media.SetClipProperty(name, value)
            kept = media.GetClipProperty(name)
            if kept != value and not (name == "FPS" and abs(float(kept) - float(value)) < 0.01):
                raise Failed("Resolve keeps '%s' for the result's %s, and not '%s'." % (kept, name, value), "PROPERTY")

    def free_track(self):
        """A track of ours above the clip that is free there; a new one if need be."""
        timeline, above = self.edit.timeline, self.edit.track_of(self.item)
        start, end = self.placement["record_start"], self.placement["record_start"] + self.placement["record_count"]
        for number, items in self.edit.video_tracks():
            is_free = all(other.GetEnd() <= start or other.GetStart() >= end for other in items)
            if number > above and is_free and timeline.GetTrackName("video", number) == TRACK:
                return number
        if not timeline.AddTrack("video"):
            raise Failed("Resolve added no video track.", "TRACK")
        self.made_track = True
        number = timeline.GetTrackCount("video")
        timeline.SetTrackName("video", number, TRACK)
        return number

    def appended(self):
        """The item that is really there afterwards: what the call gives back may be nothing. Raises Failed."""
        placement, timeline = self.placement, self.edit.timeline
        # The end was measured to be exclusive, whatever the documentation says.
        clip = {
            "mediaPoolItem": self.media,
            "startFrame": placement["skip"],
            "endFrame": placement["skip"] + placement["take"],
            "mediaType": 1,
            "trackIndex": self.track,
            "recordFrame": placement["record_start"],
        }
        self.edit.pool.AppendToTimeline([clip])
        there = [item for item in timeline.GetItemListInTrack("video", self.track) or [] if self.is_ours(item)]
        exact = [item for item in there if (item.GetStart(), item.GetDuration()) == (placement["record_start"], placement["record_count"])]
        if not exact:
            found = ", ".join("%d+%d" % (item.GetStart(), item.GetDuration()) for item in there) or "nothing"
            wanted = "%d+%d" % (placement["record_start"], placement["record_count"])
            raise Failed("Resolve placed %s instead of %s; it was taken away again." % (found, wanted), "PLACEMENT")
        return exact[0]

    def is_ours(self, item):
        media = item.GetMediaPoolItem()
        return bool(media) and media.GetUniqueId() == self.media.GetUniqueId()

    def copy_look(self, placed):
        """The new item has neither sizing nor grade of its own."""
        sizing = self.item.GetProperty() or {}
        for name in SIZING:
            if name in sizing:
                placed.SetProperty(name, sizing[name])
        self.item.CopyGrades([placed])

    def unmark_earlier(self, placed):
        """Of the results below that this one takes the place of, the frames worth a look; that they are there stays marked."""
        place = (placed.GetStart(), placed.GetDuration())
        for number, items in self.edit.video_tracks():
            if self.edit.timeline.GetTrackName("video", number) == TRACK:
                for item in items:
                    if (item.GetStart(), item.GetDuration()) == place and not same(item, placed):
                        remove_markers(item, [data for data in our_markers(item) if not all(map(is_job, data.split()))])

    def mark(self, item):
        """In the place of our earlier markers: their jobs are named on. The artist's own stay, and a frame has one marker at most."""
        job, earlier = self.placement["job"], jobs_of(item)
        remove_markers(item, our_markers(item))
        taken = item.GetMarkers() or {}
        free = next((frame for frame in range(item.GetDuration()) if frame not in taken), 0)
        data = " ".join([job] + [other for other in earlier if other != job])
        item.AddMarker(free, MARKER_COLOUR, self.placement["version"], self.placement["note"], 1, data)
        for marker in self.placement.get("markers", ()):
            if marker["offset"] > 0:  # at the first frame there is one already
                colour, data = MARKER_COLOURS.get(marker["kind"], MARKER_COLOUR), "%s %d" % (job, marker["frame"])
                item.AddMarker(marker["offset"], colour, "Frame %d" % marker["frame"], marker["text"], 1, data)

    def roll_back(self):
        timeline = self.edit.timeline
        if self.media and self.track:
            ours = [item for item in timeline.GetItemListInTrack("video", self.track) or [] if self.is_ours(item)]
            if ours:
                timeline.DeleteClips(ours)
        if self.made_track:
            timeline.DeleteTrack("video", self.track or timeline.GetTrackCount("video"))
        if self.media:
            self.edit.pool.DeleteClips([self.media])


def is_job(word):
    return word.startswith(JOB)


def our_markers(item):
    """The custom data of the markers that we have set on an item."""
    told = [marker.get("customData") or "" for marker in (item.GetMarkers() or {}).values()]
    return [data for data in told if is_job(data)]


def remove_markers(item, told):
    """Those with this custom data."""
    for data in told:
        item.DeleteMarkerByCustomData(data)


def jobs_of(item):
    """The jobs whose results were placed as this item or as its takes, the newest first."""
    words = [word for data in our_markers(item) for word in data.split() if is_job(word)]
    return list(dict.fromkeys(words))


def is_placed(edit, job):
    """Whether some item carries the marker of this job."""
    return any(job in jobs_of(item) for _, items in edit.video_tracks() for item in items)


def ask(launcher, words, request=None):
    """An answer of the command. Waits here, in the script's own process. Raises Failed."""
    call = Call(launcher, words, request)
    while not call.done():
        time.sleep(0.05)
    return call.answer()


def collect(edit, launcher, as_takes=False, say=print):
    """Places every finished result of this project and timeline that is not there yet; gives how many. Raises Failed."""
    items = {item.GetUniqueId(): item for _, items in edit.video_tracks() for item in items}
    count = 0
    for session in ask(launcher, ["poll", "--host", "resolve", "--project", edit.project.GetName()])["sessions"]:
        placement, item = session.get("placement"), items.get(session["item"])
        if placement and item and not is_placed(edit, placement["job"]):
            placing = Placing(edit, item, placement)
            placed = placing.as_take() if as_takes else placing.on_track()
            say("Placed %s at %d." % (placed.GetName(), placed.GetStart()))
            count += 1
        elif not placement:
            say("%s: %s" % (session["clip"], session.get("words") or session["event"]))
    return count


def begin(edit, launcher, opens):
    """Begins with the selected clip. Raises Failed."""
    item = edit.selected()
    return item, ask(launcher, ["begin"] + (["--open"] if opens else []), edit.request(item))


def wait_and_place(edit, item, answer, say=print):
    """Until the first save of the painted frame has come back; later ones are for Collect Results. Raises Failed."""
    told = ""
    while True:
        status = read_status(answer["status_file"])
        if status.get("placement"):
            if not is_placed(edit, status["placement"]["job"]):
                return Placing(edit, item, status["placement"]).on_track()
        elif status.get("event") in ("failed", "cancelled"):
            raise Failed(status.get("words") or "Stopped.", status.get("reason", "CANCELLED"))
        words = status.get("words") or "Paint on %s and save it." % answer["frame_file"]
        if words != told:
            say(words)
            told = words
        time.sleep(LOOK_SECONDS)


def run(scope, action):
    """What each entry of the menu does with a failure: one sentence in the console."""
    try:
        resolve = scope.get("resolve") or connected()
        return action(Edit(resolve))
    except Failed as failure:
        print("I2VEdit: %s" % failure)
        return None


def connected():
    """Resolve from outside of it. Raises Failed."""
    try:
        import DaVinciResolveScript
    except ImportError:
        raise Failed("Resolve's scripting module is not found. Start the script from Workspace > Scripts.", "NO_RESOLVE")
    resolve = DaVinciResolveScript.scriptapp("Resolve")
    if not resolve:
        raise Failed("Resolve does not answer. Open it, and allow external scripting under Preferences > System > General.", "NO_RESOLVE")
    return resolve


def propagate_edit(scope, launcher):
    """Propagate Edit: opens the frame under the playhead for painting, and places what comes back."""

    def action(edit):
        item, answer = begin(edit, launcher, opens=True)
        placed = wait_and_place(edit, item, answer)
        print("I2VEdit: %s is on track %d." % (placed.GetName(), edit.track_of(placed)))

    run(scope, action)


def export_frame(scope, launcher):
    """Export Frame: opens the frame under the playhead for painting; Collect Results brings back what is saved."""

    def action(edit):
        print("I2VEdit: %s" % begin(edit, launcher, opens=True)[1]["frame_file"])

    run(scope, action)


def collect_results(scope, launcher):
    """Collect Results: places what has been finished, also before Resolve was opened again."""
    run(scope, lambda edit: print("I2VEdit: %d placed." % collect(edit, launcher)))


def collect_takes(scope, launcher):
    """Collect Results as Takes: the same, as takes of the clips themselves."""
    run(scope, lambda edit: print("I2VEdit: %d added." % collect(edit, launcher, as_takes=True)))
