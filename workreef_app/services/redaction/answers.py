"""An answer on its way to people: what the model itself brings in is redacted, then the originals are put back.

What is new in an answer has tokens of a map of its own, which nobody restores, so that an answer cannot carry personal
data that was in no question. A stream is cut at white space, far enough from its end that no find is cut.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from workreef_app.services.redaction.engine import Redactor
from workreef_app.services.redaction.restoring import StreamRestorer
from workreef_app.services.redaction.tokens import TokenMap

#: Characters that are held back while an answer is redacted: longer than the longest usual find.
HELD: Final = 128
#: Where nothing lets the text be cut, it is cut here all the same.
MOST_HELD: Final = 4096


class AnswerStream:
    """The pieces of an answer as people may see them, whatever the cuts."""

    def __init__(self, redactor: Redactor, tokens: TokenMap, *, in_json: bool = False) -> None:
        self._redactor, self._new = redactor, TokenMap()
        self._redacts = redactor.profile.response and not redactor.profile.off
        self._restorer = StreamRestorer(tokens, in_json=in_json)
        self._buffer = ""
        #: New personal data that was redacted, by class.
        self.redacted: Counter[str] = Counter()

    @property
    def restored(self) -> Counter[str]:
        """Originals that were put back, by class."""
        return self._restorer.counts

    @property
    def unknown(self) -> int:
        """What looked like a token and was none of the map."""
        return self._restorer.unknown

    def feed(self, piece: str) -> str:
        """What can be shown now."""
        if not self._redacts:
            return self._restorer.feed(piece)
        self._buffer += piece
        cut = self._cut()
        if cut == 0:
            return ""
        ready, self._buffer = self._buffer[:cut], self._buffer[cut:]
        return self._restorer.feed(self._without_new(ready))

    def finish(self) -> str:
        """What was held back."""
        ready, self._buffer = self._buffer, ""
        return self._restorer.feed(self._without_new(ready)) + self._restorer.finish()

    def _cut(self) -> int:
        limit = len(self._buffer) - HELD
        if limit <= 0:
            return 0
        for found in self._redactor.find(self._buffer, ours=True):
            if found.start < limit < found.end:
                limit = found.start
        cut = self._buffer.rfind(" ", 0, limit) + 1 or self._buffer.rfind("\n", 0, limit) + 1
        for found in self._redactor.find(self._buffer, ours=True):
            if found.start < cut < found.end:
                cut = found.start
        return limit if cut == 0 and len(self._buffer) > MOST_HELD else cut

    def _without_new(self, text: str) -> str:
        if not self._redacts or not text:
            return text
        done = self._redactor.redact(text, self._new, ours=True)
        self.redacted.update(done.counts)
        return done.text
