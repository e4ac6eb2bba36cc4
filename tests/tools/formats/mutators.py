"""Ways to damage a file: byte by byte, and in the terms of its own format.

Every mutator is ``mutate(data, rng) -> bytes``; the same seed gives the same damage.
"""

import json
import pickletools
import re
import struct
import zlib
from collections.abc import Callable
from random import Random

Mutator = Callable[[bytes, Random], bytes]

DEEP = 3000
NUMBERS = (
    "0", "-1", "-0.0", "1", "0.5", "2147483647", "2147483648", "-2147483649", "4294967296",
    "9223372036854775808", "1e308", "-1e308", "1e999", "1e-320", "9" * 400, "9" * 5000, "NaN", "nan",
    "-Infinity", "inf", "0x10", "1_0", "٣", "1e9", "99999",
)  # fmt: skip
TEXTS = (
    "", " ", "../../a.png", "/", "..", "a" * 70_000, "\x00", "\ud800", "💥\u2028", "a.png", "a.png#-1",
    "a.png#99999999999999999999", "%", "%s{}", "null", "\\", '"', "<", "&", "C:\\a.png", "http://[::1",
    "?d=", "a\nb", "point", "mask", "#", "'", "١",
)  # fmt: skip
INTEGERS = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    2**63,
    2**64 - 1,
)


def damaged(data: bytes, rng: Random, structured: Mutator) -> bytes:
    """Apply one to three mutations, two thirds of them in the terms of the format."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        data = (structured if rng.random() < 2 / 3 else by_bytes)(data, rng)
    return data


def by_bytes(data: bytes, rng: Random) -> bytes:
    """Flip bits, cut short, drop, repeat or overwrite a stretch, or write a boundary number somewhere."""
    if not data:
        return rng.randbytes(rng.randrange(40))
    start = rng.randrange(len(data))
    stop = min(len(data), start + 1 + rng.randrange(1 + rng.choice((1, 8, 64, len(data)))))
    kind = rng.randrange(7)
    if kind == 0:
        flipped = bytearray(data)
        for _ in range(rng.choice((1, 2, 8, 64))):
            flipped[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        return bytes(flipped)
    if kind == 1:
        return data[:start]
    if kind == 2:
        return data[:start] + data[stop:]
    if kind == 3:
        return data[:start] + data[start:stop] * rng.choice((2, 3, 50)) + data[stop:]
    if kind == 4:
        return data[:start] + rng.randbytes(stop - start) + data[stop:]
    if kind == 5:
        return data + rng.choice((b"\x00", b"\xff", data[:200], rng.randbytes(9))) * rng.choice((1, 100))
    code = rng.choice("<>") + rng.choice("BHIQ")
    number = rng.choice(INTEGERS) & ((1 << 8 * struct.calcsize(code)) - 1)
    packed = struct.pack(code, number)
    return data[:start] + packed + data[start + len(packed) :]


def _hostile_json(rng: Random) -> str:
    kind = rng.randrange(6)
    if kind == 0:
        return rng.choice(NUMBERS)
    if kind == 1:
        return json.dumps(rng.choice(TEXTS))
    if kind == 2:
        return rng.choice(("null", "true", "[]", "{}", "[[]]", '{"": null}', "[0]", "[1, 2]", "[null, null]"))
    if kind == 3:
        return rng.choice(("[", '{"a":')) * DEEP + "1" + rng.choice(("]", "}", "")) * DEEP
    if kind == 4:
        return json.dumps(rng.choice(NUMBERS))
    return "[" + ",".join([rng.choice(NUMBERS)] * rng.choice((1, 3, 5000))) + "]"


_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|[-+.\w]+|[\[\]{}:,]|\s+|.', re.DOTALL)
_CLOSING = {"[": "]", "{": "}"}


def by_json(data: bytes, rng: Random) -> bytes:
    """Replace, drop or repeat a value, or a key and its value."""
    tokens = _JSON.findall(data.decode("utf-8", "replace"))
    places = [k for k, token in enumerate(tokens) if token[0] not in ",:]} \t\r\n"]
    if not places:
        return by_bytes(data, rng)
    start = rng.choice(places)
    stop = _value_end(tokens, start)
    value = "".join(tokens[start:stop])
    is_key = tokens[start][0] == '"' and "".join(tokens[stop : stop + 2]).lstrip().startswith(":")
    kind = rng.randrange(4)
    if is_key and kind < 2:
        last = next((k for k in range(stop + 1, len(tokens)) if tokens[k][0] not in ": \t\r\n"), stop)
        pair = f"{value}: {_hostile_json(rng)}"
        kept = "".join(tokens[start : _value_end(tokens, last)])
        new, stop = (f"{kept}, {pair}" if kind else f"{pair}, {kept}"), _value_end(tokens, last)
    elif is_key:
        new = json.dumps(rng.choice((*TEXTS, "points", "image", "images", "x", "y", "version")))
    elif kind == 0:
        new = f"{value}, {value}"
    elif kind == 1:
        new = ""
    else:
        new = _hostile_json(rng)
    return ("".join(tokens[:start]) + new + "".join(tokens[stop:])).encode("utf-8", "surrogatepass")


def _value_end(tokens: list[str], start: int) -> int:
    depth = 0
    for k in range(start, len(tokens)):
        depth += (tokens[k] in _CLOSING) - (tokens[k] in _CLOSING.values())
        if depth <= 0:
            return k + 1
    return len(tokens)


_ATTRIBUTE = re.compile(r'(?<=\s)([\w.:-]+)="([^"]*)"')
_BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def by_xml(data: bytes, rng: Random) -> bytes:
    """Change an attribute, a text or a tag; repeat or drop elements; nest deeply; declare entities."""
    text = data.decode("utf-8", "replace")
    hostile = rng.choice(NUMBERS + TEXTS).replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    attributes = list(_ATTRIBUTE.finditer(text))
    pieces = re.split(r"(<[^>]*>)", text)
    k = rng.randrange(len(pieces))
    kind = rng.randrange(8)
    if kind <= 2 and attributes:
        found = rng.choice(attributes)
        name, value = found.groups()
        new = rng.choice(
            (
                f'{name}="{hostile}"',
                f'{name}="{value};{hostile}"',
                f'{name}="{hostile},{value}"',
                f'{name}="{value}" {name}="{value}"',
                f'{hostile[:20]}="{value}"',
                "",
            )
        )
        text = text[: found.start()] + new + text[found.end() :]
    elif kind == 3:
        pieces[k] = hostile if not pieces[k].startswith("<") else f"<{hostile[:50]}>"
        text = "".join(pieces)
    elif kind == 4:
        last = min(len(pieces), k + rng.randrange(1, 8))
        text = "".join(pieces[:last] + pieces[k:last] * rng.choice((1, 30)) + pieces[last:])
    elif kind == 5:
        text = "".join(pieces[:k] + pieces[min(len(pieces), k + rng.randrange(1, 5)) :])
    elif kind == 6:
        pieces[k] += "<a>" * DEEP + rng.choice(("", "</a>" * DEEP))
        text = "".join(pieces)
    else:
        text = rng.choice((_BOMB + text, re.sub(r"(\?>)", rf"\1{_BOMB}", text), text.replace(">", ">&b;", 3)))
    return text.encode("utf-8", "surrogatepass")


def by_cells(data: bytes, rng: Random) -> bytes:
    """Replace, drop or repeat a cell or a line of a table; change its separators."""
    pieces = re.split(r"([,;\t \n])", data.decode("utf-8", "replace"))
    k = rng.randrange(0, len(pieces), 2)
    kind = rng.randrange(6)
    if kind <= 2:
        pieces[k] = rng.choice(NUMBERS + TEXTS)
    elif kind == 3:
        pieces[k : k + 2] = []
    elif kind == 4:
        pieces[k : k + 2] = pieces[k : k + 2] * rng.choice((2, 40))
    elif k + 1 < len(pieces):
        pieces[k + 1] = rng.choice((",", ";", "\t", "\n", '"', "\r", ",,,,", "\n#"))
    return "".join(pieces).encode("utf-8", "surrogatepass")


def by_pickle(data: bytes, rng: Random) -> bytes:
    """Drop, repeat or exchange opcodes of the pickle in a ``.npy``, or put in hostile ones."""
    head, pickled = data[:128], data[128:]
    try:
        places = [place for _, _, place in pickletools.genops(pickled)]
    except ValueError:
        return by_bytes(data, rng)
    codes = [pickled[start:stop] for start, stop in zip(places, [*places[1:], len(pickled)], strict=True)]
    codes = [code for code in codes if code[:1] != b"\x95"]  # frames would have to fit
    k = rng.randrange(len(codes))
    kind = rng.randrange(5)
    if kind == 0:
        codes.pop(k)
    elif kind == 1:
        codes[k:k] = codes[k : k + rng.randrange(1, 6)] * rng.choice((1, 30))
    elif kind == 2:
        other = rng.randrange(len(codes))
        codes[k], codes[other] = codes[other], codes[k]
    elif kind == 3:
        codes[k] = rng.choice(codes)
    else:
        codes.insert(k, rng.choice(_OPCODES))
    return head + b"".join(codes)


_OPCODES = (
    b"cos\nsystem\n", b"cbuiltins\neval\n", b"cnumpy\ndtype\n", b"cnumpy._core.multiarray\nscalar\n",
    b"i__main__\nf\n", b"R", b"b", b"\x81", b"o", b"(", b"t", b"}", b"]", b"l", b"N", b"0", b"2", b"u", b"e",
    b"\x8e\xff\xff\xff\xff\xff\xff\x00\x00", b"\x8d\xff\xff\xff\xff\x00\x00\x00\x00", b"B\xff\xff\xff\x7f",
    b"r\xff\xff\xff\x7f", b"\x8b\xff\xff\xff\x7f", b"\x82\x01", b"P1\n", b"h\x00", b"F1e999\n", b"Fnan\n",
    b"I" + b"9" * 5000 + b"\n", b"(" * DEEP, b"]" * DEEP + b"a" * DEEP, b"K\x05", b"s", b"Q", b"\x85",
    b"\x8f", b"\x91", b"\x94",
)  # fmt: skip


def by_png(data: bytes, rng: Random) -> bytes:
    """Damage, drop, repeat or exchange chunks, and mostly put the checksums right again."""
    chunks = []
    place = 8
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    if not chunks:
        return by_bytes(data, rng)
    k = rng.randrange(len(chunks))
    name, body = chunks[k]
    kind = rng.randrange(6)
    if kind == 0:
        chunks.pop(k)
    elif kind == 1:
        chunks.insert(rng.randrange(len(chunks)), (name, body))
    elif name == b"IDAT" and kind <= 3:
        try:
            chunks[k] = name, zlib.compress(by_bytes(zlib.decompress(body), rng))
        except zlib.error:
            chunks[k] = name, zlib.compress(body)
    elif name == b"IHDR" and kind <= 4 and len(body) == 13:
        fields = list(struct.unpack(">IIBBBBB", body))
        field = rng.randrange(7)
        fields[field] = rng.choice(INTEGERS[:12]) & (0xFFFFFFFF if field < 2 else 0xFF)
        if field >= 2 and rng.random() < 0.7:
            fields[2], fields[3] = rng.choice((1, 2, 4, 8, 16)), rng.choice((0, 2, 3, 4, 6))
        chunks[k] = name, struct.pack(">IIBBBBB", *fields)
    else:
        chunks[k] = rng.choice((name, b"tRNS", b"PLTE", b"zTXt", b"iCCP", b"acTL")), by_bytes(body, rng)
    wrong = rng.random() < 0.1
    return data[:8] + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body) ^ wrong)
        for name, body in chunks
    )


def by_tiff(data: bytes, rng: Random) -> bytes:
    """Write a boundary number into an entry of a page's directory."""
    (place,) = struct.unpack_from("<I", data, 4) if len(data) >= 8 else (0,)
    if place + 2 > len(data):
        return by_bytes(data, rng)
    (entries,) = struct.unpack_from("<H", data, place)
    at = place + 2 + 12 * rng.randrange(max(1, min(entries, 30)))
    offset, code = rng.choice(((0, "<H"), (2, "<H"), (4, "<I"), (8, "<I"), (8, "<H")))
    small = rng.choice((0, 1, 2, 3, 4, 5, 8, 16, 32, 64, 256, 259, 273, 278, 279, 322, 50838, len(data)))
    limit = (1 << 8 * struct.calcsize(code)) - 1
    packed = struct.pack(code, rng.choice((small, rng.choice(INTEGERS))) & limit)
    return data[: at + offset] + packed + data[at + offset + len(packed) :]


def by_npy(data: bytes, rng: Random) -> bytes:
    """Change a word or number of the header, which is the source of a Python dict."""
    head, body = data[:128], data[128:]
    words = list(re.finditer(rb"[\w.<>|-]+", head[10:]))
    if not words:
        return by_bytes(data, rng)
    word = rng.choice(words)
    new = rng.choice((
        *(text.encode("utf-8", "replace")[:3000] for text in NUMBERS), b"True", b"|O", b"<c16", b"<U9",
        b"<f2", b"[('a','<f4')]", b"()", b"<m8", b"V9", b"|b1", b">u2", b"(" * 300, b"None", b"-" * 999,
    ))  # fmt: skip
    start = 10 + word.start()
    changed = head[:start] + new + head[10 + word.end() :]
    if rng.random() < 0.8:  # keep the stated length of the header right
        changed = changed[:8] + struct.pack("<H", (len(changed) - 10) & 0xFFFF) + changed[10:]
    return changed + body
