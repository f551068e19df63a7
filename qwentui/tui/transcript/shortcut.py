# ruff: noqa: SLF001  # reads where one pinned Textual release has put a widget, and what of it waits
"""A widget's rows, straight to the output stage.

Textual's compositor asks every widget that stands in a row of a frame for that row, cuts it where widgets
meet, and paints a widget that has scrolled from its first row to its last. While nothing lies over a widget,
none of that is needed: the rows that changed are laid over the screen as they are, and the stage moves the
others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.tui.transcript.output import stage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.geometry import Region
    from textual.screen import Screen
    from textual.strip import Strip
    from textual.widget import Widget

    from qwentui.tui.transcript.output import OutputStage


class Shortcut:
    """The short way of one widget that draws itself by lines and has no border, padding, tint or opacity.

    Args:
        widget: The widget.
        draw: Gives its rows, from one to before another.
    """

    def __init__(self, widget: Widget, draw: Callable[[int, int], list[Strip]]) -> None:
        self._widget = widget
        self._draw = draw
        self._map: Mapping[Widget, tuple[Region, Region]] | None = None
        self._region: Region | None = None

    def paint(self, first: int, stop: int) -> bool:
        """Draw the rows `first` to `stop` of the widget; False where that is left to the compositor."""
        way = self._way()
        if way is None:
            return False
        stage, region = way
        stop = min(stop, region.height)
        if first < stop:
            self._lay(stage, region, first, stop)
        return True

    def slide(self, count: int) -> bool:
        """Move the rows up by `count` and draw those that come in; False where nothing was done."""
        way = self._way()
        if way is None or not 0 < count < way[1].height or not way[0].slide(way[1], count):
            return False
        stage, region = way
        self._shift_cache(count)
        self._lay(stage, region, region.height - count, region.height)
        return True

    def _lay(self, stage: OutputStage, region: Region, first: int, stop: int) -> None:
        """Draw rows as `StylesCache.render` would, and leave them where it looks for them."""
        widget, cache = self._widget, self._widget._styles_cache
        base_background, background = widget.background_colors
        inner, _ = cache.get_inner_outer(base_background, background)
        blank = inner.rich_style
        strips = [strip.adjust_cell_length(region.width, blank) for strip in self._draw(first, stop)]
        if cache._width == region.width:
            cache._cache.update(zip(range(first, stop), strips, strict=True))
            cache._dirty_lines.difference_update(range(first, stop))
        for line_filter in widget.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        stage.lay(region.x, region.y + first, strips)

    def _shift_cache(self, count: int) -> None:
        cache = self._widget._styles_cache
        cache._cache = {y - count: strip for y, strip in cache._cache.items() if y >= count}
        cache._dirty_lines = {y - count for y in cache._dirty_lines if y >= count}

    def _way(self) -> tuple[OutputStage, Region] | None:
        """The stage and the widget's place, where all of the widget is seen and up to date there."""
        widget = self._widget
        if not widget.is_attached or widget._repaint_regions:
            return None
        stage, screen = stage_of(widget.app), widget.screen
        if stage is None or not stage.shows(screen):
            return None
        region = self._seen(screen)
        return None if region is None else (stage, region)

    def _seen(self, screen: Screen[object]) -> Region | None:
        """Where the widget stands, unless a part of it is cut off or covered."""
        widgets = screen._compositor.visible_widgets
        if widgets is not self._map:
            self._map, self._region = widgets, None
            found = widgets.get(self._widget)
            if found is not None and found[1].contains_region(found[0]):
                fits = found[0].size == self._widget.size and not self._covered(widgets, found[0])
                self._region = found[0] if fits else None
        return self._region

    def _covered(self, widgets: Mapping[Widget, tuple[Region, Region]], region: Region) -> bool:
        """Whether a widget above, which comes before it in the map, lies over `region`."""
        for widget, (place, clip) in widgets.items():
            if widget is self._widget:
                return False
            if place.intersection(clip).intersection(region):
                return True
        return True
