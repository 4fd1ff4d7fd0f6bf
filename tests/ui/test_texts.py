"""Every word of the window comes from one place, and can be another one."""

import re
from pathlib import Path

from PySide6.QtCore import QTranslator
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit

import i2vedit_monitor
from i2vedit_monitor import keys, texts
from i2vedit_monitor.doing.job_actions import KINDS
from i2vedit_monitor.model.facts import STAGES, Contact, State
from i2vedit_monitor.model.notices import Way
from i2vedit_monitor.model.timing import TRACK
from i2vedit_monitor.queue.job_list import Shown
from i2vedit_monitor.texts import tr_counted
from i2vedit_monitor.viewer.modes import Mode

SAME_EVERYWHERE = re.compile(r"(I2VEdit Monitor|[\d\W_]*|\d.*)")
"""The product's name, numbers and marks."""


class Shouting(QTranslator):
    """Another language, near enough: capitals, with what is filled in left alone."""

    def translate(self, context, text, disambiguation=None, n=-1) -> str:
        if context != texts.CONTEXT:
            return ""
        return re.sub(r"[^{}]+(?![^{}]*\})", lambda match: match[0].upper(), text)


def test_every_visible_word_is_translated(dressed, window, qtbot):
    window.close()
    translator = Shouting()
    dressed.installTranslator(translator)
    try:
        other = type(window)(window.session, window._settings, opener=lambda path: None, checks=())
        qtbot.addWidget(other)
        said = [widget.text() for kind in (QLabel, QAbstractButton) for widget in other.findChildren(kind)]
        said += [line.placeholderText() for line in other.findChildren(QLineEdit)]
        said += [action.text() for action in other.actions()]
    finally:
        dressed.removeTranslator(translator)
    words = {re.sub(r"<[^>]*>", "", text) for text in said}
    assert len(words) > 60
    left = {text for text in words if text != text.upper() and not SAME_EVERYWHERE.fullmatch(text)}
    assert left == set()


def test_every_state_stage_mode_way_key_and_action_has_its_words():
    for known, needed in (
        (texts.STATES, [state.value for state in State]),
        (texts.STAGES, STAGES),
        (texts.STEPS, TRACK),
        (texts.MODES, [mode.value for mode in Mode]),
        (texts.MODE_TIPS, [mode.value for mode in Mode]),
        (texts.WAYS, [way.value for way in Way]),
        (texts.CONTACTS, [contact.value for contact in Contact]),
        (texts.SHOWN, [shown.value for shown in Shown]),
        (texts.ACTIONS, list(KINDS)),
        (texts.ACTION_TIPS, list(KINDS)),
        (texts.KEY_WORDS, list(keys.PLAIN_KEYS)),
    ):
        assert set(known) == set(needed)


def test_one_and_several_are_filled_in_with_the_same():
    """Each of a pair of texts can be said with what the other one needs."""
    filled = [set(re.findall(r"{(\w+)}", text)) for text in texts.RANGE]
    assert filled[0] <= filled[1]
    for pair in (texts.FRAMES_IN, texts.CLIP_ABOUT, texts.MANY_FOUND, texts.MANY_SENT):
        one, several = (set(re.findall(r"{(\w+)}", text)) for text in pair)
        assert one == several and "count" in one and pair[0] != pair[1]
    assert tr_counted(texts.MANY_FOUND, 1, ready=1) == "1 of 1 shot can be carried through."
    assert tr_counted(texts.MANY_SENT, 1, report="r.csv") == "1 shot is on its way. What becomes of it: r.csv"
    assert tr_counted(texts.SHOT_PAINTED, 2, frames="3, 7") == "frames 3, 7"


def test_no_text_is_left_over():
    """Texts that nothing says any more are taken out."""
    folder = Path(i2vedit_monitor.__file__).parent
    used = " ".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py") if path.name != "texts.py")
    defined = re.findall(r"^([A-Z_]{2,}) = ", (folder / "texts.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name in defined if f"texts.{name}" not in used and name != "CONTEXT"] == []
