"""A file that cannot be loaded."""
raise RuntimeError("nothing works here")
