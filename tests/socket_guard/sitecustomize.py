"""Lets a Python process reach this machine only, and writes down every attempt to reach another.

Python imports this module by itself when its folder is in PYTHONPATH; EASEL_SOCKET_GUARD names the file for the attempts.
"""
import os
import socket

LOOPBACK = {"localhost", "::1", "0.0.0.0", "::", ""}


def is_local(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    return host is None or (isinstance(host, str) and (host in LOOPBACK or host.startswith("127.")))


def refuse(host: object) -> None:
    report = os.environ.get("EASEL_SOCKET_GUARD")
    if report:
        with open(report, "a", encoding="utf-8") as file:
            file.write(f"{host}\n")
    raise OSError(f"tests reach this machine only, not {host}")


def install() -> None:
    real_connect, real_connect_ex, real_lookup = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded(real):
        def connect(self, address):
            if self.family in (socket.AF_INET, socket.AF_INET6) and not is_local(address[0]):
                refuse(address[0])
            return real(self, address)

        return connect

    def getaddrinfo(host, *args, **keywords):
        if not is_local(host):
            refuse(host)
        return real_lookup(host, *args, **keywords)

    socket.socket.connect = guarded(real_connect)
    socket.socket.connect_ex = guarded(real_connect_ex)
    socket.getaddrinfo = getaddrinfo


install()
