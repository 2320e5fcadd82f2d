"""The login of the whole server: HTTP Basic, for every route."""
import argparse
import base64
import binascii
import hmac
from collections.abc import Iterable, Mapping
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from modules.errors import UserError


def logins_of(args: argparse.Namespace) -> dict[str, str]:
    """User names and passwords that the command line names. Raises UserError for a form that cannot be meant."""
    pairs: list[str] = []
    for flag in ("gradio_auth", "api_auth"):
        pairs += (getattr(args, flag, None) or "").split(",")
    for flag in ("gradio_auth_path", "api_auth_path"):
        if path := getattr(args, flag, None):
            pairs += _lines_of(path, "--" + flag.replace("_", "-"))
    return _parsed(pair.strip() for pair in pairs)


def _lines_of(path: str, flag: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8-sig").replace(",", "\n").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(what=f"The logins in {path} cannot be read.", why=str(error), remedy=f"Check {flag}.") from error


def _parsed(pairs: Iterable[str]) -> dict[str, str]:
    logins = {}
    for pair in filter(None, pairs):
        user, colon, password = pair.partition(":")
        if not (user and colon and password):
            raise UserError(what="A login has to have the form user:password.", why="One on the command line or in the file has not.",
                            remedy="Check --gradio-auth, --api-auth, and the files of --gradio-auth-path and --api-auth-path.")
        if "/" in user:
            raise UserError(what="The name of a user may not hold a slash.", remedy="Check the logins.")
        logins[user] = password
    return logins


def user_of(authorization: str, logins: Mapping[str, str]) -> str | None:
    """The user that a Basic Authorization header proves to be, or None. Takes the same time for wrong users and wrong passwords."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        given = base64.b64decode(encoded.strip(), validate=True) if scheme.lower() == "basic" else b""
    except binascii.Error:
        return None
    found = None
    for user, password in logins.items():
        if hmac.compare_digest(given, f"{user}:{password}".encode()):
            found = user
    return found


def admins_of(args: argparse.Namespace, logins: Mapping[str, str]) -> frozenset[str]:
    """The users who may see and stop the jobs of all others: those that --admins names, or else the first login."""
    named = frozenset(filter(None, (name.strip() for name in (getattr(args, "admins", None) or "").split(","))))
    if unknown := named - logins.keys():
        raise UserError(what=f"--admins names {min(unknown)}, who has no login.", remedy="Check --admins and the logins.")
    return named or frozenset(list(logins)[:1])


class Login:
    """ASGI middleware: no route, file, document or event stream without a login.

    Puts the user's name into scope["easel_user"], and whether that is an administrator into scope["easel_admin"].
    """

    def __init__(self, app: ASGIApp, logins: Mapping[str, str], admins: frozenset[str] = frozenset()):
        self.app, self.logins, self.admins = app, logins, admins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or not self.logins:
            await self.app(scope, receive, send)
            return
        header = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"), "")
        user = user_of(header, self.logins)
        if user is not None:
            scope["easel_user"], scope["easel_admin"] = user, user in self.admins
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            body = b'{"error": "Unauthorized", "detail": "This server needs a user name and a password.", "body": "", "errors": ""}'
            await send({"type": "http.response.start", "status": 401, "headers": [
                (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()),
                (b"www-authenticate", b'Basic realm="Easel", charset="UTF-8"')]})
            await send({"type": "http.response.body", "body": body})
