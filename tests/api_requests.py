"""Requests that tests of the API share."""
TINY_REQUEST = {"prompt": "a cat", "steps": 2, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler"}
