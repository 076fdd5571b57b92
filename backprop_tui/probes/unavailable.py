"""Why a probe has no answer: on that it hangs whether the next one is asked, and how careful to be."""

from __future__ import annotations

from backprop_tui.errors import ProbeUnavailable


class NotInstalled(ProbeUnavailable):
    """What the probe stands on is not on this machine."""


class NoAnswer(ProbeUnavailable):
    """The driver did not answer in time; whoever asks it another way would wait as well."""
