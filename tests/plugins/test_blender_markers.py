"""Markers of a placed result, on a double of the scene's own collection (`TimelineMarkers.new`, `remove`)."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

STRIPS = Path(__file__).parents[2] / "plugin_clients/blender/strips.py"


class Markers(list):
    """Names as long as Blender keeps them."""

    def new(self, name, *, frame):
        self.append(SimpleNamespace(name=name[:63], frame=frame))
        return self[-1]


@pytest.fixture
def strips(monkeypatch):
    monkeypatch.setitem(sys.modules, "bpy", ModuleType("bpy"))
    spec = importlib.util.spec_from_file_location("strips_alone", STRIPS)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_later_result_takes_the_markers_of_the_one_before_away_and_no_others(strips):
    scene, strip = SimpleNamespace(timeline_markers=Markers()), SimpleNamespace(name="plate")
    scene.timeline_markers.new("take 2", frame=5)
    told = [{"record_frame": 88, "text": "Paint this frame too."}, {"record_frame": 40, "text": "A join that is seen." * 9}]
    strips.mark(scene, strip, {"markers": told})
    assert [(marker.name[:12], marker.frame) for marker in scene.timeline_markers] == [
        ("take 2", 5),
        ("plate: Paint", 88),
        ("plate: A joi", 40),
    ]
    strips.mark(scene, strip, {"markers": told[:1]})
    assert [marker.frame for marker in scene.timeline_markers] == [5, 88]
    strips.mark(scene, strip, {})
    assert [marker.frame for marker in scene.timeline_markers] == [5]
