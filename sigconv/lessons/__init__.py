"""The lessons that sigconv grew out of, computed anew: what a page or a notebook shows of them.

>>> import sigconv as sc
>>> lesson = listening(sc.load(sc.io.sample("chime-dry")), "Ab6,Eb6,Ab5,Bb5")
>>> [f"{note.name}: {note.onset:.2f} s" for note in lesson.notes[1:]]
['E♭6: 0.26 s', 'A♭5: 0.51 s', 'B♭5: 0.78 s']
"""

from ..matching import alignment
from .melody import CHIME, joins, keys, piano, raw_sine, recite, strongest
from .practicum import LESSONS, Lesson, Note, listening
from .templates import onset, rises

__all__ = ["CHIME", "LESSONS", "Lesson", "Note", "alignment", "joins", "keys", "listening", "onset", "piano", "raw_sine",
           "recite", "rises", "strongest"]
