"""Hypernetworks under the names of A1111's `hypernetworks`."""
from modules.hypernetworks import hypernetwork as hypernetwork
