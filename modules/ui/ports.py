"""The address that the server listens on."""
from __future__ import annotations

import argparse
import errno
import socket

from modules.errors import UserError

DEFAULT_PORT = 7860
TRIES = 10


def bound_socket(args: argparse.Namespace) -> tuple[str, socket.socket]:
    """The host and a socket that is bound to it. Without --port the next free port from 7860 on is taken.

    Raises UserError when the named port is in use, or the address cannot be listened on.
    """
    host = args.server_name or ("0.0.0.0" if args.listen else "127.0.0.1")
    wanted = [args.port] if args.port is not None else list(range(DEFAULT_PORT, DEFAULT_PORT + TRIES))
    for port in wanted:
        try:
            return host, _bound(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                reason = f"{error.strerror}."
                raise UserError(f"Easel cannot listen on {host}:{port}.", reason, "Choose another address or port.") from error
    tried = f"Port {wanted[0]} is" if len(wanted) == 1 else f"The ports {wanted[0]} to {wanted[-1]} are"
    raise UserError(f"{tried} in use.", "Another program, perhaps another Easel, listens there.", "Stop it, or choose another with --port.")


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off: otherwise every answer waits 40 ms for an acknowledgement.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # A port stays unusable for a minute after a restart otherwise; on Windows the option would let two programs share it.
    if not hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening
