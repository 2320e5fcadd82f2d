"""Which addresses lie in the open internet, and connections to these alone."""
import http.client
import ipaddress
import socket
import ssl


class NotPublic(Exception):
    """A host that lies on this machine or in its own network."""


def is_public(text: str) -> bool:
    """Whether an IP address is one of the open internet."""
    address = ipaddress.ip_address(text.partition("%")[0])
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    teredo = getattr(address, "teredo", None)
    inner = inner or (teredo[1] if teredo else None)
    return address.is_global and not address.is_multicast and (inner is None or inner.is_global)


def connection_to(host: str, port: int, *, is_tls: bool = True, allows_local: bool = False, wait_s: float) -> http.client.HTTPConnection:
    """A connection to a host. All addresses that its name stands for are looked at first, and it is made to one of these very
    addresses: a name that stands for another one a moment later gains nothing. Raises NotPublic, OSError.
    """
    found = [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not (allows_local or all(map(is_public, found))):
        raise NotPublic
    connection = http.client.HTTPConnection(host, port, timeout=wait_s)
    plain = socket.create_connection((found[0], port), timeout=wait_s)
    try:
        connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if is_tls else plain
    except BaseException:
        plain.close()
        raise
    return connection
