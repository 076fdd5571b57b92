"""What stands in the way of the records, in words."""

from __future__ import annotations

import errno

from backprop_tui.errors import StoreError


def cannot_write(path: str, error: OSError) -> StoreError:
    """What stands in the way of the records, in words."""
    hints = {
        errno.EROFS: "the filesystem is read-only; set BACKPROP_HOME to a folder that can be written",
        errno.EACCES: "check its permissions, or set BACKPROP_HOME to a folder of your own",
        errno.EPERM: "check its permissions, or set BACKPROP_HOME to a folder of your own",
        errno.ENOSPC: "free some space there, or set BACKPROP_HOME to a folder on another disk",
        errno.EDQUOT: "your disk quota is used up; free some space, or set BACKPROP_HOME elsewhere",
    }
    hint = hints.get(error.errno or 0, "set BACKPROP_HOME to another folder")
    return StoreError(f"cannot write records in {path}: {error.strerror or error}", hint=hint)
