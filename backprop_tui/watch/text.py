"""Untrusted text made safe to show, for front ends."""

from __future__ import annotations

from backprop_tui.protocol.text import TerminalCleaner, clean

__all__ = ["TerminalCleaner", "clean"]
