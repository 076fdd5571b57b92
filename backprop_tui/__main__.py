"""python -m backprop_tui is the same as backprop."""

from __future__ import annotations

from backprop_tui.cli.main import entry

if __name__ == "__main__":
    entry()
