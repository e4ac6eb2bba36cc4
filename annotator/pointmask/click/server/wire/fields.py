"""What the page sends, read strictly: a field that is missing, unknown, repeated or out of range is refused.

So a mistake is never silently ignored, and nothing behind this module sees a value of another type.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NoReturn

from starlette.requests import Request

from pointmask.click.server.wire.answers import Refusal

MOST_BODY = 2**20
"""Bytes of a request's body."""

_MOST_DEPTH = 20
_MOST_DIGITS = 18  # of a whole number, which then fits into 64 bits
_WHOLE = re.compile(rf"-?[0-9]{{1,{_MOST_DIGITS}}}", re.ASCII)
_DECIMAL = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}", re.ASCII)


def wrong(message: str, fix: str = "reload the page; if it happens again, tell the authors") -> NoReturn:
    """
    Refuse a request as malformed.

    Raises
    ------
    Refusal
        With status 400.
    """
    raise Refusal(400, "invalid", message, fix)


class Fields:
    """
    Named values, each of which is to be taken once; see `done`.

    Parameters
    ----------
    values : Mapping
        As they were sent.
    what : str
        Where they were, for messages.
    """

    def __init__(self, values: Mapping[str, Any], what: str) -> None:
        self._values, self._what = dict(values), what

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def done(self) -> None:
        """
        Say that all fields were taken.

        Raises
        ------
        Refusal
            If others are left.
        """
        if self._values:
            wrong(f"{self._what}: {_shown(', '.join(sorted(self._values)))} is not known here")

    def take(self, name: str, *default: Any) -> Any:  # noqa: ANN401 - as it was sent
        """Take any value; `default`, if given, where it is missing."""
        if name in self._values:
            return self._values.pop(name)
        return default[0] if default else wrong(f"{self._what}: {name} is missing")

    def whole(self, name: str, low: int, high: int, *default: int) -> int:
        """Take a whole number between two others, both included."""
        value = self.take(name, *default)
        if type(value) is not int or not low <= value <= high:
            wrong(f"{self._what}: {name} is {_shown(value)}, not a whole number from {low:,} to {high:,}")
        return value

    def number(self, name: str, low: float, high: float, *default: float) -> float:
        """Take a number between two others, both included."""
        value = self.take(name, *default)
        if isinstance(value, str):  # of a query
            with suppress(ValueError):
                value = float(value)
        if type(value) not in (int, float) or not low <= value <= high:
            wrong(f"{self._what}: {name} is {_shown(value)}, not a number from {low:g} to {high:g}")
        return float(value)

    def text(self, name: str, most: int, *default: str) -> str:
        """Take a text of at most so many characters, none of them a control character."""
        value = self.take(name, *default)
        if not isinstance(value, str) or len(value) > most or any(ord(char) < 32 for char in value):
            wrong(
                f"{self._what}: {name} is {_shown(value)}, not a text of at most {most} characters without "
                "control characters"
            )
        return value

    def one_of(self, name: str, known: Iterable[Any], *default: Any) -> Any:  # noqa: ANN401
        """Take one of several values."""
        value, options = self.take(name, *default), tuple(known)
        if not any(type(value) is type(option) and value == option for option in options):
            wrong(f"{self._what}: {name} is {_shown(value)}, not one of {_shown(list(options))}")
        return value


def of_query(request: Request, *texts: str) -> Fields:
    """
    Read the query of an address.

    Parameters
    ----------
    request : Request
    *texts : str
        Names whose values are texts; others are numbers if they look like one.

    Raises
    ------
    Refusal
        If a name is repeated.
    """
    pairs = request.query_params.multi_items()
    if len({name for name, _ in pairs}) < len(pairs):
        wrong(f"{request.url.path}: a name of the query is repeated")
    values = {name: value if name in texts else _number_or_text(value) for name, value in pairs}
    return Fields(values, request.url.path)


async def of_body(request: Request) -> Fields:
    """
    Read a body that is one JSON object.

    Raises
    ------
    Refusal
        With status 400, or 415 if it is not sent as JSON.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(
            415,
            "type",
            f"the body is sent as {_shown(kind)}",
            "send it as application/json, as the page does",
        )
    return Fields(_object(parse(await request.body()), request.url.path), request.url.path)


def fields_of(value: object, what: str) -> Fields:
    """
    Read an object within a body.

    Raises
    ------
    Refusal
        If it is none.
    """
    return Fields(_object(value, what), what)


def parse(data: bytes) -> Any:  # noqa: ANN401 - any JSON
    """
    Parse JSON of finite numbers, without repeated names, at most 20 levels deep.

    Raises
    ------
    Refusal
        If it is something else.
    """
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_without_repeats,
            parse_constant=_no_number,
            parse_float=_finite,
            parse_int=_whole,
        )
        too_deep = not _is_shallow(value)
    except RecursionError:
        too_deep = True
    except (ValueError, UnicodeDecodeError) as error:
        wrong(f"the body is no JSON ({_shown(str(error))})")
    if too_deep:
        wrong(f"the body is nested deeper than {_MOST_DEPTH} levels")
    return value


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        wrong(f"{what}: {_shown(value)} is no JSON object")
    return value


def _number_or_text(value: str) -> float | str:
    if _WHOLE.fullmatch(value):
        return int(value)
    return float(value) if _DECIMAL.fullmatch(value) else value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name is repeated in an object")
    return made


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is not finite")
    return value


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"{text[:20]}... has more than {_MOST_DIGITS} digits")
    return int(text)


def _is_shallow(value: object) -> bool:
    level = [value]
    for _ in range(_MOST_DEPTH + 1):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return True
        level = below
    return False


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
