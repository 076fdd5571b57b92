"""One check a file format: it returns when the file is whole and raises NotWhole when it is not."""

from __future__ import annotations

import json
import os

from backprop_tui.artifacts.verdict import NotWhole

MAX_HEADER = 100 * 1024 * 1024
_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"


def check_not_empty(path: str) -> None:
    """For a format that cannot be looked into."""
    if os.path.getsize(path) == 0:
        raise NotWhole("it is empty")


def check_json(path: str) -> None:
    """As scripts without a framework save."""
    check_not_empty(path)
    if os.path.getsize(path) > MAX_HEADER:
        return
    with open(path, "rb") as file:
        try:
            json.load(file)
        except ValueError as error:
            raise NotWhole(f"it is cut short or damaged: {error}"[:200])


def check_safetensors(path: str) -> None:
    """8 bytes of header length, the header, and exactly the data that the header tells of."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, MAX_HEADER):
            raise NotWhole("it is cut short: its header is not complete")
        try:
            header = json.loads(file.read(length))
        except ValueError:
            raise NotWhole("its header is damaged")
    if not isinstance(header, dict):
        raise NotWhole("its header is damaged")
    end = 0
    for name, tensor in header.items():
        if name == "__metadata__":
            continue
        try:
            end = max(end, int(tensor["data_offsets"][1]))
        except (TypeError, KeyError, IndexError, ValueError):
            raise NotWhole("its header is damaged")
    if 8 + length + end != size:
        raise NotWhole(f"it has {size:,} bytes, its header tells of {8 + length + end:,}")


def check_hdf5(path: str) -> None:
    """The end of file that the superblock names is where the file ends."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(64)
    if not head.startswith(_HDF5_MAGIC) or len(head) < 48:
        raise NotWhole("it is cut short or not an HDF5 file")
    version = head[8]
    # Address of the end of file: after base, free-space and (v0, v1) fields; base and extension (v2, v3).
    at = {0: 40, 1: 44, 2: 28, 3: 28}.get(version)
    width = head[13] if version < 2 else head[9]
    if at is None or width != 8:
        return
    end = int.from_bytes(head[at : at + 8], "little")
    if end != size:
        raise NotWhole(f"it has {size:,} bytes, its superblock tells of {end:,}")


def open_zip(path: str) -> "ZipFile":
    """A zip file's table of contents; it lies at the end, so that a file cut short has none."""
    import zipfile

    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, EOFError, NotImplementedError):
        raise NotWhole("it is cut short: the zip file has no table of contents")


def check_zip(path: str) -> None:
    """The table of contents is there and not empty."""
    with open_zip(path) as archive:
        if not archive.namelist():
            raise NotWhole("it is an empty zip file")


def check_keras(path: str) -> None:
    """Keras writes the weights last; a stop in between leaves a zip file without them."""
    with open_zip(path) as archive:
        names = set(archive.namelist())
    for needed in ("metadata.json", "config.json"):
        if needed not in names:
            raise NotWhole(f"{needed} is missing: its save was not finished")
    if not names & {"model.weights.h5", "model.weights.json", "model.weights.npz"}:
        raise NotWhole("the weights are missing: its save was not finished")


TYPE_CHECKING = False
if TYPE_CHECKING:
    from zipfile import ZipFile
