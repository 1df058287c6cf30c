"""The terminal as every command writes to it: agents' words are shown, and command nothing."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from contexts.text.visible import show_invisible


class SafeConsole(Console):
    """A console that shows a control character or a bidi override in what it is given as a sign that names it."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render as `rich.console.Console` does; its own styles and cursor movements stay what they are."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(show_invisible(segment.text), segment.style)
