"""Templates in signals: how well they line up, in cosines; what chance would bring; events, and the logic of events.

>>> import sigconv as sc
>>> chime = sc.load(sc.io.sample("chime-dry"))
>>> events = sc.match(chime, "piano", stride=50).events()
>>> [e.name for e in events], bool(events.rule("Ab6 then Eb6 within 0.4s"))
(['G♯6', 'D♯6', 'G♯5', 'A♯5'], True)
"""

from .cosines import alignment
from .events import Event, Events
from .matched import Matching, match
from .motifs import Motif
from .notes import Note, midi
from .templates import Template

__all__ = ["Event", "Events", "Matching", "Motif", "Note", "Template", "alignment", "match", "midi"]
