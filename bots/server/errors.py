"""Errors that are sent to clients, in the protocol's form."""

import logging
from collections.abc import Sequence

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from bots.server.protocol import CompletionRequest, ContentPart, Error, ErrorBody, ErrorType, Message, StreamOptions
from charbot.errors import BusyError, CharbotError

_FIELDS = {*CompletionRequest.model_fields, *Message.model_fields, *ContentPart.model_fields, *StreamOptions.model_fields}

_log = logging.getLogger("charbot.server")


class ProtocolError(Exception):
    """An error with its HTTP status."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """`param` is the field of the request that is wrong, `code` the protocol's word for the error."""
        super().__init__(message)
        self._status, self._headers = status, headers
        kind: ErrorType
        kind = "server_error" if status >= 500 else "rate_limit_error" if status == 429 else "invalid_request_error"
        self.body = ErrorBody(error=Error(message=message, type=kind, param=param, code=code))

    def response(self) -> JSONResponse:
        """Return the response that tells the client."""
        return JSONResponse(self.body.model_dump(), self._status, self._headers)


def protocol_error(error: Exception) -> ProtocolError:
    """Return what a client is told of an error. What only an operator can mend is logged."""
    if isinstance(error, ProtocolError):
        return error
    if isinstance(error, RequestValidationError):
        return _invalid_body(error)
    if isinstance(error, BusyError):
        return ProtocolError(503, str(error), headers={"Retry-After": "1"})
    if isinstance(error, CharbotError):
        _log.warning("%s", error)
        return ProtocolError(500, str(error))
    _log.error("a request failed", exc_info=error)
    return ProtocolError(500, "charbot failed; the server's log says why")


def _invalid_body(error: RequestValidationError) -> ProtocolError:
    """Return the error for a body that is not a CompletionRequest: its first problem."""
    problem, *others = error.errors()
    path = _path(problem["loc"])
    if problem["type"] == "json_invalid":
        return ProtocolError(400, f"the body is not JSON: {problem['ctx']['error']}")
    if not path:
        return ProtocolError(400, "the body must be a JSON object, sent with `Content-Type: application/json`")
    # Where a field may have several types, each of them has its problem.
    problems = [problem["msg"], *(other["msg"] for other in others if _path(other["loc"]) == path)]
    message = ", or ".join(text[0].lower() + text[1:] for text in problems)
    return ProtocolError(400, f"`{path}`: {message}", param=path)


def _path(location: Sequence[int | str]) -> str:
    """Return where in the body a problem is, such as `messages[0].role`."""
    # Between the names of fields and the numbers of items, pydantic has names of the types that it tried.
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" if part in _FIELDS else "" for part in location)
    return "".join(parts).removeprefix(".")
