"""Hypernetworks under the names of A1111's `hypernetworks`."""
