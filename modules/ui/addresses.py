"""Where the page is found: its address, the certificate of https, and the public address of --share."""
from __future__ import annotations

import argparse
import secrets
import ssl

from modules.errors import UserError


def page_address(args: argparse.Namespace, host: str, port: int) -> str:
    """What to type into a browser on this machine."""
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    path = (args.subpath or "").strip("/")
    return f"{'https' if args.tls_certfile else 'http'}://{shown}:{port}/{path}".rstrip("/")


def check_certificate(args: argparse.Namespace) -> None:
    """Raises UserError unless the files for https fit each other, or none are named."""
    if args.tls_keyfile and not args.tls_certfile:
        raise UserError("A key for https is of no use without its certificate.", remedy="Name it with --tls-certfile.")
    if not args.tls_certfile:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(args.tls_certfile, args.tls_keyfile, password=_no_password)
    except ssl.SSLError as error:
        raise UserError("The certificate and the key for https cannot be used.", f"{error.reason or error}.",
                        "Both must be PEM files that belong to each other, the key without a password.") from error
    except OSError as error:
        raise UserError("The certificate or the key for https cannot be read.", f"{error.strerror}.",
                        "Check --tls-certfile and --tls-keyfile.") from error


def _no_password() -> str:
    return ""  # instead of asking for one in the terminal, which nobody may be looking at


def public_address(port: int) -> str:
    """The address below gradio.live that leads to this port. Raises UserError."""
    from gradio.networking import setup_tunnel

    try:
        return setup_tunnel("127.0.0.1", port, secrets.token_urlsafe(32), None, None)
    except Exception as error:  # it fetches a program, starts it and talks to a server: nearly anything can be raised
        raise UserError("No public address could be opened for --share.", f"{error}", "Check the connection to the internet.") from error
