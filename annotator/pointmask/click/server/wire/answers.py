"""How the server answers: JSON of finite numbers, and errors that name the value, the rule and the fix."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response


class Refusal(Exception):  # noqa: N818 - it is an answer
    """
    A request that is not done, and why.

    Parameters
    ----------
    status : int
        Of HTTP.
    code : str
        One word for the page.
    message : str
        Names the value and the rule.
    fix : str
        What to do.
    more : Mapping, optional
        Further fields of the answer, beside ``error``.
    headers : Mapping, optional
        Further headers.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        fix: str,
        more: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.fix = status, code, message, fix
        self.more, self.headers = dict(more or {}), dict(headers or {})


def json_answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """
    Answer with JSON.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Names may hold bytes that are no UTF-8, which Python carries as lone surrogates.
    body = text.encode("utf-8", "backslashreplace")
    return Response(body, status, headers, media_type="application/json")


def error_answer(refusal: Refusal) -> Response:
    """Answer with an error."""
    error = {"code": refusal.code, "message": refusal.message, "fix": refusal.fix}
    return json_answer({"error": error, **refusal.more}, refusal.status, refusal.headers)
