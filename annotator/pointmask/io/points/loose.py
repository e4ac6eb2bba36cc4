"""What names lose and gain on their way through tools: the forms under which a name may still be known.

A label tool puts a hash before a name, a data set an ending behind the names of its masks, an archive
another encoding between. `LooseNames` finds the names of a list by all these forms; who may use what it
finds is decided by `pointmask.io.points.match.match`.
"""

import re
import unicodedata
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import unquote

import numpy as np

from pointmask.io.points.names import PICTURE_WORDS, TRUTH_WORDS, without_suffix

_HASH = "[0-9a-f]{8}"
_UUID = rf"{_HASH}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}"
_TOOL_START = re.compile(rf"(?:[^/]*?-)?(?:{_UUID}[-_]+|{_HASH}(?:-|__))(?=.)")
# What Django, and so Label Studio, and what Roboflow put behind a name.
_TOOL_END = re.compile(r"(?:_(?=[^_]*[A-Z])[A-Za-z0-9]{7}|[_.][A-Za-z]{3,4}\.rf\.[0-9a-f]{32})\Z")
_ROLES = f"{TRUTH_WORDS}|{PICTURE_WORDS}"
_ROLE_START = re.compile(rf"(?:{_ROLES})(?:[ _.-]+|(?=[0-9]))(?=.)", re.IGNORECASE)
_ROLE_END = re.compile(rf"(?<=.)[ _.-]+(?:{_ROLES})\Z", re.IGNORECASE)
_ROLE_FOLDER = re.compile(
    rf"(?:(?:{_ROLES}|points?|clicks?|frames?)\Z|(?:{_ROLES})[ _-]+|.*?(?P<end>[ _-]+(?:{_ROLES})\Z))",
    re.IGNORECASE,
)
_FOREIGN = re.compile(
    r"\.(?:gif|webp|heic|heif|jp2|j2k|pgm|ppm|pnm|fits?|fts|mat|dcm|hdr|xml|json|txt|csv)\Z", re.IGNORECASE
)
# What any of these would change is looked for once, so that an ordinary name costs one search.
_CHANGED = re.compile(
    rf"(?:\A|[/ _.-])(?:{_ROLES})(?:\Z|[/ _.0-9-])|(?:\A|/)(?:points?|clicks?|frames?)/|{_HASH}[-_]|\.rf\.|"
    r"_(?-i:(?=[^_]*[A-Z])[A-Za-z0-9]{7})\Z",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[A-Za-z0-9.#-]+(?:[_/][A-Za-z0-9.#-]+)*")
_SIGNS = re.compile(r"[^\w./#-]+|_+")
_ENCODINGS = ("utf-8", "gbk", "big5", "cp932", "euc_kr", "cp866", "cp1251", "cp1252", "latin-1", "cp850")

UNICODE, SIGNS, FOLDERS, SUFFIX, ENCODING = (
    "but for the Unicode form",
    "but for blanks and signs",
    "but for folders such as images and labels",
    "but for a suffix that is not read",
    "but for the encoding",
)
TOOL, ROLE = "but for what a label tool added", "but for a word such as mask, label or pixels0"
_COSTS = {UNICODE: 0, SIGNS: 1, ENCODING: 1, SUFFIX: 1, FOLDERS: 2, TOOL: 3, ROLE: 4}
_MOST = 100


class Form(NamedTuple):
    """A name as it may be written elsewhere.

    Attributes
    ----------
    text : str
        Without suffix.
    how : str
        What was taken off, as one of the constants above; `UNICODE` if nothing was.
    is_part : bool
        Whether folders were dropped for it.
    """

    text: str
    how: str
    is_part: bool


class Loose(NamedTuple):
    """What fits a key loosely: the names, and how they differ from it."""

    names: tuple[str, ...]
    how: str


def fold(text: str) -> str:
    """Bring blanks, signs and Unicode of a name into one form; case, digits, dots and hyphens stay."""
    if _PLAIN.fullmatch(text):
        return text
    plain = unicodedata.normalize("NFC", unquote(text) if "%" in text else text)
    return "/".join(_SIGNS.sub("_", part).strip("_") for part in plain.split("/"))


def near_fold(text: str) -> str:
    """As `fold`, without regard to case and leading zeros."""
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", fold(text).casefold())


class LooseNames:
    """
    Image names, searched by their `Form`; some twelve bytes per form.

    Parameters
    ----------
    names : sequence of str
        Sorted.
    folded : callable
        Forms that are the same under it fit each other.
    """

    def __init__(self, names: Sequence[str], folded: Callable[[str], str] = fold) -> None:
        self._names, self._fold = names, folded
        hashes, places = array("q"), array("I")
        for place, name in enumerate(names):
            stem = without_suffix(name)
            for form in {folded(form.text) for form in _forms(stem, names=True)}:
                hashes.append(hash(form))
                places.append(place)
        values = np.array(hashes, np.int64)
        order = np.argsort(values, kind="stable")
        self._hashes, self._places = values[order], np.array(places, np.uint32)[order]

    def find(self, key: str) -> Loose:
        """Return the names that a key fits with the least change; none if it fits none."""
        best: dict[str, str] = {}
        least = _MOST
        for form in _key_forms(key):
            if _COSTS[form.how] > least:
                continue
            wanted = self._fold(form.text)
            for name in self._with(wanted) if wanted.strip("/") else ():
                cost, how = self._cost(form, name, wanted)
                if cost < least:
                    best, least = {}, cost
                if cost == least < _MOST:
                    best[name] = how
        return Loose(tuple(sorted(best)), next(iter(best.values()), ""))

    def _with(self, wanted: str) -> Iterator[str]:
        value = hash(wanted)
        for place in range(int(np.searchsorted(self._hashes, value)), len(self._hashes)):
            if self._hashes[place] != value:
                return
            yield self._names[self._places[place]]

    def _cost(self, form: Form, name: str, wanted: str) -> tuple[int, str]:
        """Return the least change that makes a name fit, and what it is called."""
        changes = []
        for other in _forms(without_suffix(name), names=True):
            if self._fold(other.text) != wanted or (form.is_part and other.is_part):
                continue
            hows = [form.how, other.how]
            if unicodedata.normalize("NFC", form.text) != unicodedata.normalize("NFC", other.text):
                hows.append(SIGNS)
            changes.append((sum(_COSTS[how] for how in hows), max(hows, key=_COSTS.__getitem__)))
        return min(changes, default=(_MOST, ""))


def _key_forms(key: str) -> Iterator[Form]:
    """Yield the forms of a key, those of its ends in folders as well."""
    yield from _forms(without_suffix(key))
    if _FOREIGN.search(key):
        yield from (form._replace(how=_worse(SUFFIX, form.how)) for form in _forms(_FOREIGN.sub("", key)))
    if not key.isascii():
        yield from (Form(text, ENCODING, False) for text in _misread(without_suffix(key)))


def _forms(stem: str, *, names: bool = False) -> Iterator[Form]:
    """Yield what a stem may be called: with fewer folders, and without what tools add."""
    changes = _CHANGED.search(stem) is not None
    for text, how, is_part in _paths(stem, names=names, has_roles=changes):
        yield Form(text, how, is_part)
        if not changes:
            continue
        folder, slash, last = text.rpartition("/")
        for end, also in _ends(last):
            yield Form(folder + slash + end, _worse(how, also), is_part)


def _paths(stem: str, *, names: bool, has_roles: bool) -> Iterator[tuple[str, str, bool]]:
    """Yield a path and those that are left without folders: of an image only its last part counts."""
    yield stem, UNICODE, False
    if "/" not in stem:
        return
    bare = _without_role_folders(stem) if has_roles else stem
    if bare != stem:
        yield bare, FOLDERS, False
    if names:
        yield stem.rpartition("/")[2], UNICODE, True
        return
    rest = bare
    for path, how in ((stem, UNICODE), (bare, FOLDERS)) if bare != stem else ((stem, UNICODE),):
        rest = path
        while "/" in rest:
            rest = rest.partition("/")[2]
            yield rest, how, True


def _ends(last: str) -> Iterator[tuple[str, str]]:
    """Yield the last part of a path without what a tool or a data set adds to it."""
    bare = _TOOL_START.sub("", last, count=1) if _TOOL_START.match(last) else last
    for text in dict.fromkeys((bare, _TOOL_END.sub("", last), _TOOL_END.sub("", bare))):
        if text and text != last:
            yield text, TOOL
    for text in dict.fromkeys((last, bare)):
        cut = _ROLE_END.sub("", text)
        for other in dict.fromkeys((cut, _without_start(text), _without_start(cut))):
            if other and other != text:
                yield other, ROLE


def _without_start(text: str) -> str:
    found = _ROLE_START.match(text)
    return text[found.end() :] if found else text


def _without_role_folders(stem: str) -> str:
    """Drop folders called images, masks or labels, and these words from the names of others."""
    *folders, last = stem.split("/")
    kept = (_without_role(folder) for folder in folders)
    return "/".join([*(folder for folder in kept if folder), last])


def _without_role(folder: str) -> str:
    found = _ROLE_FOLDER.match(folder)
    if found is None:
        return folder
    return folder[: found.start("end")] if found["end"] else folder[found.end() :]


def _misread(text: str) -> Iterator[str]:
    """Yield how a text reads if its bytes are taken for another encoding, as old archives have it."""
    for encoding in _ENCODINGS:
        try:
            data = text.encode(encoding)
        except UnicodeEncodeError:
            continue
        yield data.decode("cp437")
        yield data.decode("utf-8", "surrogateescape")


def _worse(one: str, other: str) -> str:
    return max(one, other, key=_COSTS.__getitem__)
