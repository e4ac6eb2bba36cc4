"""Which kind of place a path is: a folder of images, a zip or a tar archive."""

from pathlib import Path

from pointmask.errors import ImageError
from pointmask.io.images.codecs.raw import RawFormat
from pointmask.io.images.folder import FolderSource, check_given
from pointmask.io.images.kinds import TEXT, Reading
from pointmask.io.images.source import ImageSource
from pointmask.io.images.tar import TarSource
from pointmask.io.images.zip import ZipSource
from pointmask.regular import open_regular

_TAR_MAGIC, _TAR_MAGIC_AT = b"ustar", 257
_NOT_READ = {
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "rar",
}


def open_source(
    images: ImageSource | Path | str, *, raw: RawFormat | str | None = None, radiometric: bool = True
) -> ImageSource:
    """
    Tell what a path is by its first bytes, and return the images in it.

    Parameters
    ----------
    images : ImageSource, Path or str
        A folder, or a ``.zip``, ``.tar`` or ``.tar.gz`` archive, which is not unpacked: the results are
        those of the unpacked folder. A source is returned as it is.
    raw : RawFormat or str, optional
        How to read ``.bin``, ``.raw``, ``.dat`` and ``.img`` files, such as ``640x512:u16le``; see
        `pointmask.io.images.codecs.raw.RawFormat.parse`. Without it they are no images. ``text`` takes the
        ``.csv``, ``.txt``, ``.tsv`` and ``.asc`` files for images, matrices of numbers, and nothing else.
    radiometric : bool
        Take the thermal raster of a FLIR radiometric JPEG, in kelvin, not its coloured picture.

    Raises
    ------
    ImageError
        If it is an archive of another kind, or the raw format is not written as it should be.
    """
    if isinstance(images, ImageSource):
        return images
    root = Path(images)
    if raw == TEXT:
        reading = Reading(None, radiometric, text=True)
    else:
        reading = Reading(RawFormat.parse(raw) if isinstance(raw, str) else raw, radiometric)
    check_given(root)
    if not root.is_file():
        return FolderSource(root, reading)
    head = _head(root)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ZipSource(root, reading)
    if head.startswith(b"\x1f\x8b") or head.startswith(_TAR_MAGIC, _TAR_MAGIC_AT):
        return TarSource(root, reading)
    for magic, kind in _NOT_READ.items():
        if head.startswith(magic):
            raise ImageError(
                f"{root} is a {kind} archive; only .zip, .tar and .tar.gz are read: pack it again as one"
            )
    return FolderSource(root, reading)


def _head(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read(512)
    except OSError as error:
        raise ImageError(f"{path} cannot be read ({error.strerror}); check its rights") from error
