"""Text from outside (names of files, labels, messages of other programs) on its way to a terminal or a page.

Whatever could steer a terminal, break a line or turn its direction is escaped, so that a name can neither
colour the output nor forge a line of it. Data files keep names as they are: they are read back.
"""

import html
import unicodedata

_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}\N{SOFT HYPHEN}"  # part of ordinary words


def printable(text: str) -> str:
    r"""
    Escape control characters, line breaks, marks of direction and undecodable bytes.

    Examples
    --------
    >>> printable("a\x1b[31m.png")
    'a\\x1b[31m.png'
    """
    if text.isprintable():
        return text
    return "".join(letter if _is_safe(letter) else _escaped(letter) for letter in text)


def escape(text: str) -> str:
    """Return text for HTML, with what `printable` escapes."""
    return html.escape(printable(text))


def escape_lines(text: str) -> str:
    """Return text of several lines for HTML: the line feeds stay, all else as in `escape`."""
    return "\n".join(map(escape, text.split("\n")))


def printable_json(text: str) -> str:
    """Escape in a JSON text what `printable` escapes, except line feeds, so that it holds the same values."""
    if text.isprintable():
        return text
    return "".join(one if one == "\n" or _is_safe(one) else _json(one) for one in text)


def _is_safe(letter: str) -> bool:
    if letter.isprintable() or letter in _JOINERS:
        return True
    # Spaces of other widths, letters of a later Unicode and private ones do no harm.
    return unicodedata.category(letter) in ("Zs", "Cn", "Co")


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()


def _json(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[k]:02x}{units[k + 1]:02x}" for k in range(0, len(units), 2))


def is_text(name: str) -> bool:
    """Say whether a name is Unicode: one of other bytes, as files may have, cannot be put into UTF-8 text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
