"""Wildcards and dynamic prompts: templates that become another prompt for every picture."""
