"""Which addresses lie in the open internet, and which on this machine or in its own network."""
import ipaddress


def is_public(text: str) -> bool:
    """Whether an IP address is one of the open internet."""
    address = ipaddress.ip_address(text.partition("%")[0])
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    teredo = getattr(address, "teredo", None)
    inner = inner or (teredo[1] if teredo else None)
    return address.is_global and not address.is_multicast and (inner is None or inner.is_global)
