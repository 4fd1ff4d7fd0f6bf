"""Resolve, as its documentation names its methods and as people have measured it to behave.

Any other method is refused as Resolve does it: `hasattr` is true, `dir` does not list it, calling it fails. Measured quirks: `endFrame` is
exclusive, what would overlap is dropped without a word, returned items may be nothing, an import goes to the current bin, a frame has one
marker at most.
"""

from fractions import Fraction

DOCUMENTED = {
    "Resolve": {"GetProjectManager", "GetProductName", "GetVersion", "GetVersionString"},
    "ProjectManager": {"GetCurrentProject"},
    "Project": {"GetName", "GetCurrentTimeline", "GetMediaPool", "GetSetting"},
    "MediaPool": {
        "GetRootFolder",
        "GetCurrentFolder",
        "SetCurrentFolder",
        "AddSubFolder",
        "ImportMedia",
        "AppendToTimeline",
        "DeleteClips",
    },
    "Folder": {"GetName", "GetSubFolderList", "GetClipList"},
    "MediaPoolItem": {"GetName", "GetUniqueId", "GetClipProperty", "SetClipProperty"},
    "Timeline": {
        "GetName",
        "GetSetting",
        "GetTrackCount",
        "GetTrackName",
        "SetTrackName",
        "AddTrack",
        "DeleteTrack",
        "GetItemListInTrack",
        "GetCurrentVideoItem",
        "GetCurrentTimecode",
        "DeleteClips",
        "GetStartFrame",
    },
    "TimelineItem": {
        "GetName",
        "GetUniqueId",
        "GetStart",
        "GetEnd",
        "GetDuration",
        "GetLeftOffset",
        "GetSourceStartFrame",
        "GetSourceEndFrame",
        "GetMediaPoolItem",
        "GetProperty",
        "SetProperty",
        "CopyGrades",
        "AddMarker",
        "GetMarkers",
        "DeleteMarkerByCustomData",
        "AddTake",
        "GetTakesCount",
        "SelectTakeByIndex",
    },
}
"""Those that the plugin needs, for 18.5; `since` adds newer ones."""
COLOURS = "Blue Cyan Green Yellow Red Pink Purple Fuchsia Rose Lavender Sky Mint Lemon Sand Cocoa Cream"
"""Of markers."""
SINCE = {(21, 0): {"Timeline": {"GetSelectedClips"}}, (21, 1): {"Timeline": {"GetSettings"}, "Project": {"GetSettings"}}}


class Double:
    """Has its documented methods, and the quirk that every name seems to be there."""

    def __init__(self, world):
        self._world = world

    def __dir__(self):
        name = type(self).__name__
        newer = [methods.get(name, set()) for version, methods in SINCE.items() if self._world.version >= version]
        return sorted(DOCUMENTED[name].union(*newer))

    def __getattribute__(self, name):
        if name.startswith("_") or name in object.__getattribute__(self, "__dir__")():
            return object.__getattribute__(self, name)
        return Nothing(f"{type(self).__name__}.{name}")


class Nothing:
    """What Resolve gives for a name that it does not have."""

    def __init__(self, name):
        self.name = name

    def __call__(self, *_):
        raise TypeError(f"'NoneType' object is not callable: {self.name} is not documented for this version")


class World:
    """One Resolve with one project and one timeline, and what a test sets about them."""

    def __init__(self, version=(20, 2), edition="DaVinci Resolve Studio", timeline_rate="24", managed=False):
        self.version, self.edition, self.identity = version, edition, 0
        self.timeline_rate = Fraction(timeline_rate)
        self.settings = {"timelineFrameRate": text_of(self.timeline_rate)}
        self.project_settings = {"colorScienceMode": "davinciYRGBColorManagedv2" if managed else "davinciYRGB"}
        self.keeps = {}
        """Properties that Resolve keeps whatever is set."""
        self.shifts_placements = 0
        self.root = Folder(self, "Master")
        self.current = self.root
        self.tracks: list[tuple[str, list[TimelineItem]]] = [("Video 1", [])]
        self.selected, self.playhead = [], None
        self.timecode = "01:00:00:00"
        self.resolve = Resolve(self)

    def unique(self):
        self.identity += 1
        return f"id-{self.identity}"

    def media(self, path, rate, frames, **properties):
        known = {"File Path": path, "FPS": text_of(Fraction(rate)), "Frames": str(frames), "Start TC": "00:00:00:00", "Type": "Video"}
        item = MediaPoolItem(self, path, {**known, "Input Color Space": "", "Alpha mode": "None", **properties})
        self.root._clips.append(item)
        return item

    def clip(self, media, start, count, left=0, track=1):
        """A clip whose media begins `left` timeline frames before it."""
        item = TimelineItem(self, media, start, count, Fraction(left) / self.timeline_rate)
        self.tracks[track - 1][1].append(item)
        return item


def text_of(rate):
    return str(int(rate)) if rate.denominator == 1 else f"{float(rate):.3f}"


class Resolve(Double):
    def GetProjectManager(self):
        return ProjectManager(self._world)

    def GetProductName(self):
        return self._world.edition

    def GetVersion(self):
        return [*self._world.version, 0, 1, ""]

    def GetVersionString(self):
        return ".".join(map(str, self._world.version))


class ProjectManager(Double):
    def GetCurrentProject(self):
        return Project(self._world)


class Project(Double):
    def GetName(self):
        return "Feature"

    def GetCurrentTimeline(self):
        return Timeline(self._world)

    def GetMediaPool(self):
        return MediaPool(self._world)

    def GetSetting(self, name):
        return self._world.project_settings.get(name, "")

    def GetSettings(self):
        return dict(self._world.project_settings)


class Folder(Double):
    def __init__(self, world, name):
        super().__init__(world)
        self._name, self._folders, self._clips = name, [], []

    def GetName(self):
        return self._name

    def GetSubFolderList(self):
        return list(self._folders)

    def GetClipList(self):
        return list(self._clips)


class MediaPool(Double):
    def GetRootFolder(self):
        return self._world.root

    def GetCurrentFolder(self):
        return self._world.current

    def SetCurrentFolder(self, folder):
        self._world.current = folder
        return True

    def AddSubFolder(self, parent, name):
        parent._folders.append(Folder(self._world, name))
        return parent._folders[-1]

    def ImportMedia(self, infos):
        (info,) = infos
        assert set(info) == {"FilePath", "StartIndex", "EndIndex"} and "%04d" in info["FilePath"]
        name = info["FilePath"].rsplit("/", 1)[-1]
        count = info["EndIndex"] - info["StartIndex"] + 1
        facts = {"File Path": info["FilePath"], "FPS": "24", "Frames": str(count), "Type": "Video", "Alpha mode": "None"}
        item = MediaPoolItem(self._world, name, {**facts, "Input Color Space": "", "Start TC": "00:00:00:00"})
        self._world.current._clips.append(item)
        return [item]

    def AppendToTimeline(self, infos):
        (info,) = infos
        assert set(info) == {"mediaPoolItem", "startFrame", "endFrame", "mediaType", "trackIndex", "recordFrame"} and info["mediaType"] == 1
        world, media = self._world, info["mediaPoolItem"]
        rate = media._rate
        end = min(info["endFrame"], int(media._properties["Frames"]))
        count = int((end - info["startFrame"]) / rate * world.timeline_rate)
        start = info["recordFrame"] + world.shifts_placements
        items = world.tracks[info["trackIndex"] - 1][1]
        if count > 0 and all(other.GetEnd() <= start or other.GetStart() >= start + count for other in items):
            items.append(TimelineItem(world, media, start, count, info["startFrame"] / rate))
        return [None]

    def DeleteClips(self, items):
        for folder in (self._world.root, *self._world.root._folders):
            folder._clips = [clip for clip in folder._clips if clip not in items]
        return True


class MediaPoolItem(Double):
    def __init__(self, world, name, properties):
        super().__init__(world)
        self._name, self._properties, self._id = name, properties, world.unique()

    @property
    def _rate(self):
        """24000/1001 where the property says 23.976."""
        said = float(self._properties["FPS"])
        near = Fraction(round(said) * 1000, 1001)
        return near if abs(float(near) - said) < 0.002 else Fraction(said).limit_denominator(1000)

    def GetName(self):
        return self._name

    def GetUniqueId(self):
        return self._id

    def GetClipProperty(self, name):
        return self._properties.get(name, "")

    def SetClipProperty(self, name, value):
        if name not in self._properties:
            return False
        self._properties[name] = self._world.keeps.get(name, value)
        return True


class Timeline(Double):
    def GetName(self):
        return "Cut 3"

    def GetSetting(self, name):
        return self._world.settings.get(name, "")

    def GetSettings(self):
        return dict(self._world.settings)

    def GetStartFrame(self):
        return 86400

    def GetTrackCount(self, kind):
        return len(self._world.tracks) if kind == "video" else 1

    def GetTrackName(self, kind, number):
        return self._world.tracks[number - 1][0]

    def SetTrackName(self, kind, number, name):
        self._world.tracks[number - 1] = (name, self._world.tracks[number - 1][1])
        return True

    def AddTrack(self, kind):
        self._world.tracks.append((f"Video {len(self._world.tracks) + 1}", []))
        return True

    def DeleteTrack(self, kind, number):
        del self._world.tracks[number - 1]
        return True

    def GetItemListInTrack(self, kind, number):
        return list(self._world.tracks[number - 1][1]) if kind == "video" else []

    def GetSelectedClips(self):
        return list(self._world.selected)

    def GetCurrentVideoItem(self):
        return self._world.playhead

    def GetCurrentTimecode(self):
        return self._world.timecode

    def DeleteClips(self, items):
        for _, there in self._world.tracks:
            there[:] = [item for item in there if item not in items]
        return True


class TimelineItem(Double):
    def __init__(self, world, media, start, count, offset):
        super().__init__(world)
        self._media, self._start, self._count, self._offset, self._id = media, start, count, offset, world.unique()
        self._speed, self._properties, self._markers, self._grade, self._takes = Fraction(1), {"Pan": 0.0, "ZoomX": 1.0}, [], "", []

    def _shown(self, frame):
        """The media frame, from 0, that is on screen at a timeline frame."""
        return int((self._offset + (frame - self._start) / self._world.timeline_rate) * self._media._rate)

    def GetName(self):
        return self._media.GetName() if self._media else "Title"

    def GetUniqueId(self):
        return self._id

    def GetStart(self):
        return self._start

    def GetEnd(self):
        return self._start + self._count

    def GetDuration(self):
        return self._count

    def GetLeftOffset(self):
        """In timeline frames, whatever the media's rate."""
        return int(self._offset * self._world.timeline_rate)

    def GetSourceStartFrame(self):
        """One too many now and then."""
        return int(self._offset * self._media._rate) + self._world.identity % 2

    def GetSourceEndFrame(self):
        return int((self._offset + self._count / self._world.timeline_rate * self._speed) * self._media._rate)

    def GetMediaPoolItem(self):
        return self._media

    def GetProperty(self):
        return dict(self._properties)

    def SetProperty(self, name, value):
        self._properties[name] = value
        return True

    def CopyGrades(self, items):
        for item in items:
            item._grade = self._grade
        return True

    def AddMarker(self, frame, colour, name, note, duration, data):
        """False where there is one already, or no such frame or colour."""
        if not 0 <= frame < self._count or colour not in COLOURS.split() or any(marker["frame"] == frame for marker in self._markers):
            return False
        told = {"color": colour, "duration": float(duration), "name": name, "note": note, "customData": data}
        self._markers.append({"frame": frame, **told})
        return True

    def GetMarkers(self):
        """By frame, which is a floating point number."""
        told = {float(marker["frame"]): dict(marker) for marker in self._markers}
        return {frame: {key: value for key, value in marker.items() if key != "frame"} for frame, marker in told.items()}

    def DeleteMarkerByCustomData(self, data):
        """The first one alone."""
        found = [marker for marker in self._markers if marker["customData"] == data][:1]
        for marker in found:
            self._markers.remove(marker)
        return bool(found)

    def AddTake(self, media, first, last):
        self._takes.append((media, first, last))
        return True

    def GetTakesCount(self):
        return len(self._takes)

    def SelectTakeByIndex(self, number):
        return 1 <= number <= len(self._takes)
