"""Errors that a person can act on, the two cancellation signals, and the log."""
import logging
import sys
from collections.abc import Callable

log = logging.getLogger("easel")


class UserError(Exception):
    """Something that could not be done: what, why, and what to do about it, each one sentence.

    `status` is the HTTP status that the API answers with.
    """

    status = 400

    def __init__(self, what: str, why: str = "", remedy: str = ""):
        self.what, self.why, self.remedy = what, why, remedy
        super().__init__(" ".join(part for part in (what, why, remedy) if part))


class RequestError(UserError):
    """A value in a request that cannot be accepted; `field` is the name of the field as the API spells it."""

    status = 422

    def __init__(self, field: str, what: str, why: str = "", remedy: str = ""):
        self.field = field
        super().__init__(what, why, remedy)


class NotFound(UserError):
    """A name in a request that stands for nothing here."""

    status = 404


class Cancelled(BaseException):
    """Base of the cancellation signals; not an Exception, so that an extension's `except Exception` cannot eat it."""


class Interrupted(Cancelled):
    """The job is to stop; what is finished is kept."""


class Skipped(Cancelled):
    """The current batch is to be dropped; the job goes on with the next."""


def report(message: str, exc: BaseException | None = None, *, exc_info: bool = False) -> None:
    """Write a message to the log, with the traceback of `exc` where one is given, or with `exc_info` of the error being handled."""
    exc = sys.exc_info()[1] if exc is None and exc_info else exc
    if exc is None:
        log.error(message)
    else:
        log.error(message, exc_info=(type(exc), exc, exc.__traceback__))


# Names that extensions expect here.

def display(error: BaseException, task: str, *, full_traceback: bool = False) -> None:
    """Report an error that came up in a task."""
    report(f"{task}: {type(error).__name__}: {error}", error)


display_once = display


def print_error_explanation(message: str) -> None:
    """Say something in the log that cannot be overlooked."""
    log.error(message)


def run(code: Callable[[], object], task: str) -> None:
    """Run a function; an error is reported."""
    try:
        code()
    except Exception as error:  # that is what it is for
        display(error, task)
