"""Errors as answers: every failure of a route becomes JSON with one sentence and the right status."""
import json
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from modules.errors import RequestError, UserError, report
from modules.jobs.job import Job


class JobFailed(UserError):
    """The job behind a request did not come to its result."""

    def __init__(self, job: Job):
        self.status = 409 if job.status in ("cancelled", "unfinished") else 400
        if job.status == "failed":
            super().__init__(what=job.error or "The job failed.")
        elif job.status == "cancelled":
            super().__init__(what="The job was cancelled before it began.")
        else:
            super().__init__(what="The job was not finished, since the program is ending.", remedy="It is offered again at the next start.")


def error_body(kind: str, sentence: str) -> dict[str, Any]:
    """The form in which API clients expect errors."""
    return {"error": kind, "detail": sentence, "body": "", "errors": ""}


def json_answer(status: int, content: Any, headers: dict[str, str] | None = None) -> JSONResponse:
    """JSON that is written whatever text it holds: lone surrogates, which UTF-8 has no bytes for, are replaced."""
    return SafeJSONResponse(content, status_code=status, headers=headers)


class SafeJSONResponse(JSONResponse):
    """JSON with non-ASCII characters escaped, so that every text can be sent; NaN and infinities become null."""

    def render(self, content: Any) -> bytes:
        try:
            return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")
        except ValueError:
            return json.dumps(_finite(content), separators=(",", ":"), default=str).encode("ascii")


def _finite(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {str(key): _finite(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(member) for member in value]
    return value


def field_problem(field: str, sentence: str) -> dict[str, Any]:
    """One entry of the `detail` list of a 422 answer."""
    return {"loc": ["body", field], "msg": sentence, "type": "value_error"}


async def answer_user_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, UserError)
    body = error_body(type(error).__name__, str(error))
    if isinstance(error, RequestError) and request.url.path.startswith("/sdapi/"):
        # Clients look for the field in the list that FastAPI answers with; the sentence alone stands in `errors`.
        body |= {"detail": [field_problem(error.field, str(error))], "errors": str(error)}
    return json_answer(error.status, body)


async def answer_validation_error(request: Request, error: Exception) -> JSONResponse:
    """422 without the input: it may hold NaN, which JSON cannot, or megabytes."""
    assert isinstance(error, RequestValidationError)
    problems = [{"loc": [str(part)[:80] if isinstance(part, str) else part for part in problem["loc"]],
                 "msg": str(problem["msg"])[:300], "type": problem["type"]} for problem in error.errors()[:20]]
    return json_answer(422, {"detail": problems})


async def answer_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return json_answer(404, {"detail": "Not Found"}, error.headers)
    return json_answer(error.status_code, error_body("HTTPException", str(error.detail)), error.headers)


async def answer_strange_text(request: Request, error: Exception) -> JSONResponse:
    """Half of a surrogate pair in a text, which JSON can say and neither files nor tables can hold."""
    return json_answer(422, error_body("MalformedText", "A text in the request is no valid Unicode."))


async def answer_unexpected(request: Request, error: Exception) -> JSONResponse:
    report(f"{request.method} {request.url.path} failed.", error)
    return json_answer(500, error_body("InternalError", "The request failed because of an error in the program; the log has the details."))


def add_error_answers(app: FastAPI) -> None:
    """Answer errors of all routes of the app in this way."""
    app.add_exception_handler(UserError, answer_user_error)
    app.add_exception_handler(RequestValidationError, answer_validation_error)
    app.add_exception_handler(HTTPException, answer_http_exception)
    app.add_exception_handler(UnicodeEncodeError, answer_strange_text)
    app.add_exception_handler(Exception, answer_unexpected)
