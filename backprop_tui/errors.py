"""Every error that is meant for a person.

BackpropError
├── UsageError             the command line asks for something that cannot be
├── ConfigError            a configuration file or value is wrong
├── RunNotFound            no run, or more than one, answers to that name
├── RunActive              the run is running (somewhere) and must not be touched
├── RunNotActive           the run has ended; there is nothing to stop or pause
├── AdmissionRefused       the Governor says: not now
├── NothingToResume        no good checkpoint
├── EngineError            the training could not be started
├── ProbeUnavailable       a probe cannot answer on this machine
├── StoreError             the records cannot be read or written
├── OutputError            what was printed could not be written
├── RequestRefused         a run's supervisor said no to a request
├── Interrupted            ctrl-c before anything was started
└── IllegalTransition      a bug: a state change that the model forbids
"""

from __future__ import annotations


class BackpropError(Exception):
    """What happened, with which value, and in `hint` what to do next."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(BackpropError):
    """The command line asks for something that cannot be."""


class ConfigError(BackpropError):
    """A configuration file or value is wrong."""


class RunNotFound(BackpropError):
    """No run, or more than one, answers to that name."""


class RunActive(BackpropError):
    """The run is running, here or on another host."""


class RunNotActive(BackpropError):
    """The run has ended."""


class AdmissionRefused(BackpropError):
    """The Governor refuses a start; `decisions` are the rules that said no."""

    def __init__(self, message: str, *, hint: str = "", decisions: tuple[object, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.decisions = decisions


class NothingToResume(BackpropError):
    """There is no good checkpoint to go on from."""


class EngineError(BackpropError):
    """The training could not be started."""


class ProbeUnavailable(BackpropError):
    """A probe cannot answer on this machine."""


class StoreError(BackpropError):
    """The records cannot be read or written."""


class OutputError(BackpropError):
    """What was printed could not be written."""


class RequestRefused(BackpropError):
    """A run's supervisor said no to a request, or nothing."""


class Interrupted(BackpropError):
    """A person interrupted before anything was started."""


class IllegalTransition(BackpropError):
    """A state change that the model forbids: a bug in backprop."""
