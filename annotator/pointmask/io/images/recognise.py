"""What a file is, by its first bytes and its name; and the way round for what is not read here."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePosixPath
from typing import BinaryIO

from pointmask.errors import ImageError
from pointmask.io.images.codecs import Codec, label_png, raster, raw
from pointmask.io.images.kinds import Reading, is_image, is_raw

_CODECS = "pointmask.io.images.codecs"
_RASTER = ("PNG", "BMP", "JPEG", "WebP", "JPEG 2000")
_OTHERS = {
    "TIFF": ("tiff.pages", "TiffPages"),
    "NPY": ("npy", "NpyFile"),
    "FLIR": ("flir", "FlirFile"),
    "PGM": ("netpbm", "NetpbmFile"),
    "FITS": ("fits", "FitsFile"),
    "MAT": ("mat", "MatFile"),
    "video": ("video", "VideoFile"),
    "text": ("text", "TextFile"),
}

HEAD = 264
"""Bytes of a file that `kind_of` looks at."""

_KNOWN = "PNG, BMP, JPEG, TIFF, .npy, PGM, WebP, JPEG 2000, FITS, ENVI, .mat and video"

_MAGIC = (
    (label_png.MAGIC, "PNG"),
    (b"BM", "BMP"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"\x93NUMPY", "NPY"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"SIMPLE  =", "FITS"),
    (b"MATLAB 5.0 MAT-file", "MAT"),
    (b"\x1a\x45\xdf\xa3", "video"),
)
_NETPBM = (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"Pf", b"PF")


@dataclass(frozen=True, slots=True)
class Unread:
    """A kind of file that people have and that is not read here.

    Attributes
    ----------
    what : str
        Completes "this looks like ...".
    fix : str
        How to get on.
    """

    what: str
    fix: str

    def __str__(self) -> str:
        return f"this looks like {self.what}; it is not read here: {self.fix}"


_GIF = Unread("a GIF, 8 bits with a palette", "convert it to PNG, for example with: magick a.gif a.png")
_HEIF = Unread("a HEIC or AVIF picture of a phone", "convert it: heif-convert a.heic a.png")
_DICOM = Unread("DICOM", "convert it: dcm2pnm --write-16-bit-png a.dcm a.png, or save pixel_array as .npy")
_HDF5 = Unread("HDF5", "save its frames as .npy, with h5py: numpy.save('a.npy', h5py.File('a.h5')[name])")
_MAT_73 = Unread("a MATLAB file of version 7.3", "save it in MATLAB again with: save('a.mat', 'X', '-v7')")
_FLIR_SEQUENCE = Unread(
    "a thermal sequence of a FLIR camera (.seq, .csq, .fff)",
    "export its frames as 16-bit TIFF in FLIR Thermal Studio or through FLIR's Science File SDK",
)
_DJI = Unread(
    "a thermal JPEG (R-JPEG) of a DJI camera, whose temperatures DJI's own library alone unpacks",
    "convert it to raw or TIFF with DJI's Thermal SDK (dji_irp) or Thermal Analysis Tool; to take the "
    "coloured picture instead: --no-radiometric",
)
_STREAM = Unread("a StreamPix sequence", "export its frames as 16-bit TIFF in StreamPix")
_CAMERA_RAW = Unread(
    "a raw file of a camera", "develop it to 16-bit TIFF: rawpy, darktable-cli or dcraw -T -6"
)
_NIFTI = Unread(
    "NIfTI", "save its frames as .npy, with nibabel: numpy.save('a.npy', nibabel.load(f).dataobj)"
)
_NITF = Unread("NITF", "convert it: gdal_translate a.ntf a.tif")
_EXR = Unread("OpenEXR", "convert it to TIFF: oiiotool a.exr -o a.tif")
_HDR = Unread("a Radiance HDR picture", "convert it to TIFF: oiiotool a.hdr -o a.tif")
_HDR_OTHER = Unread(
    "a header that is not ENVI's", "give the data file with --raw, such as --raw 640x512:u16le"
)
_LAYERS = Unread("a document of a picture editor", "export it as PNG or TIFF")
_PDF = Unread("a document, no image", "export its pictures as PNG")
_LFS = Unread("a pointer of Git LFS, not the file itself", "fetch the file: git lfs pull")
_WEB = Unread("a web page, not an image", "download the file again; the page may say why it was not given")
_JXL = Unread("JPEG XL", "convert it: djxl a.jxl a.png")
_GZIP = Unread("a file packed with gzip", "unpack it: gunzip a.gz")
_NPZ = Unread("a zip archive or .npz", "save each array with numpy.save as .npy, or give the archive itself")
_TGA = Unread("Targa", "convert it: magick a.tga a.png")
_ALTAIR = Unread("a file of a thermal camera's own program (.ptw, .sfmov, .ats)", "export 16-bit TIFF there")
_GRIB = Unread("a weather or satellite file (netCDF, GRIB, HDF4)", "convert it: gdal_translate a.nc a.tif")
_VIDEO = Unread("a video in a container that is not read", "pack it anew: ffmpeg -i a.wmv -c:v ffv1 a.mkv")

_UNREAD_MAGIC = (
    (0, b"GIF8", _GIF),
    (128, b"DICM", _DICOM),
    (0, b"\x89HDF\r\n", _HDF5),
    (0, b"MATLAB 7.3 MAT-file", _MAT_73),
    (0, b"FFF\x00", _FLIR_SEQUENCE),
    (0, b"AFF\x00", _FLIR_SEQUENCE),
    (0, b"\xed\xfe\x00\x00N\x00o\x00r\x00p\x00i\x00x\x00", _STREAM),
    (0, b"FUJIFILMCCD-RAW", _CAMERA_RAW),
    (0, b"NITF0", _NITF),
    (0, b"v/1\x01", _EXR),
    (0, b"#?RADIANCE", _HDR),
    (0, b"#?RGBE", _HDR),
    (0, b"8BPS", _LAYERS),
    (0, b"gimp xcf", _LAYERS),
    (0, b"%PDF", _PDF),
    (0, b"version https://git-lfs", _LFS),
    (0, b"<!DOCTYPE html", _WEB),
    (0, b"<!doctype html", _WEB),
    (0, b"<html", _WEB),
    (0, b"\xff\x0a", _JXL),
    (0, b"\x00\x00\x00\x0cJXL ", _JXL),
    (0, b"\x1f\x8b", _GZIP),
    (0, b"PK\x03\x04", _NPZ),
    (0, b"CDF\x01", _GRIB),
    (0, b"CDF\x02", _GRIB),
    (0, b"GRIB", _GRIB),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _VIDEO),
    (0, b"\x00\x00\x01\xba", _VIDEO),
    (0, b"FLV\x01", _VIDEO),
)
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim", b"heis", b"avif", b"avis")
_UNREAD_SUFFIX = {
    suffix: unread
    for suffixes, unread in (
        ("gif", _GIF),
        ("heic heif avif", _HEIF),
        ("dcm dicom ima", _DICOM),
        ("h5 hdf5 he5", _HDF5),
        ("seq csq fff", _FLIR_SEQUENCE),
        ("cr2 cr3 nef arw raf orf rw2 dng", _CAMERA_RAW),
        ("nii", _NIFTI),
        ("ntf nitf", _NITF),
        ("exr", _EXR),
        ("psd xcf kra", _LAYERS),
        ("pdf", _PDF),
        ("jxl", _JXL),
        ("gz", _GZIP),
        ("npz", _NPZ),
        ("tga", _TGA),
        ("ptw sfmov ats", _ALTAIR),
        ("nc grib grb grib2 hdf", _GRIB),
        ("wmv flv mpg mpeg ts", _VIDEO),
        ("bin raw dat img", Unread("bare numbers", "say how to read them, such as: --raw 640x512:u16le")),
    )
    for suffix in suffixes.split()
}


def unread_by_name(name: str) -> Unread | None:
    """Tell by its suffix what a file is that is not read; None if it is nothing that one would expect."""
    return _UNREAD_SUFFIX.get(PurePosixPath(name).suffix[1:].lower())


def kind_of(head: bytes, name: str) -> str:
    """
    Name the format of an image file.

    Parameters
    ----------
    head : bytes
        The first `HEAD` bytes, fewer of a shorter file.
    name : str
        For messages.

    Raises
    ------
    ImageError
        If it is none that is read here; the message says what it looks like, and the way round.
    """
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:2] in _NETPBM and (head[2:3].isspace() or head[2:3] == b"#"):
        return "PGM"
    if head.startswith(b"RIFF") and head[8:12] in (b"WEBP", b"AVI "):
        return "WebP" if head[8:12] == b"WEBP" else "video"
    if head[4:8] == b"ftyp" and head[8:12] not in _HEIF_BRANDS:
        return "video"
    if head[:5] in (b"ENVI\n", b"ENVI\r", b"ENVI "):
        return "ENVI"
    raise ImageError(f"{name}: {_why_not(head, name)}")


def codec_of(
    kind: str,
    file: BinaryIO,
    size: int,
    name: str,
    reading: Reading,
    open_beside: Callable[[str], BinaryIO] | None,
) -> Codec:
    """
    Return what reads a file.

    Parameters
    ----------
    kind : str
        From `kind_of`; also FLIR, DJI, raw and text.
    file : BinaryIO
        Open for reading, seekable.
    size : int
        Its length in bytes.
    name : str
        Its name, which leads to the data of a header.
    reading : Reading
        How to read files that do not say it themselves.
    open_beside : callable or None
        Opens another file of the same place.

    Raises
    ------
    ImageError
        If a package is missing, or the headers are damaged. What a decoder raises passes through.
    """
    if kind == "raw" and reading.raw is not None:
        return raw.RawFile(file, size, reading.raw)
    if kind == "DJI":
        raise ImageError(str(_DJI))
    if kind == "ENVI":
        return import_module(f"{_CODECS}.envi").EnviFile(file, size, name, open_beside)  # type: ignore[no-any-return]
    if kind in _RASTER:
        return raster.RasterFile(file, size, kind)
    module, codec = _OTHERS[kind]  # a tenth of a second and more to import, for those who need it
    found: Codec = getattr(import_module(f"{_CODECS}.{module}"), codec)(file, size)
    return found


def _why_not(head: bytes, name: str) -> str:
    if not head:
        return "the file is empty; copy or export it again"
    if head[4:8] == b"ftyp":
        return str(_HEIF)
    for start, magic, unread in _UNREAD_MAGIC:
        if head[start : start + len(magic)] == magic:
            return str(unread)
    if is_raw(name):
        return "how it is to be read must be said, for example with: --raw 640x512:u16le"
    if name.lower().endswith(".hdr"):
        return str(_HDR_OTHER)
    if not is_image(name):
        unread_kind = unread_by_name(name)
        if unread_kind is not None:
            return str(unread_kind)
        return f"not an image that is read here ({_KNOWN}); convert it to PNG or TIFF"
    return f"its first bytes are not those of {_KNOWN}; convert it to PNG or TIFF"
