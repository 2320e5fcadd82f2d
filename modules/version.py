"""The version of the program, as infotexts and the footer name it."""
VERSION = "0.1.0"


def version_text() -> str:
    """The form that infotexts carry."""
    return f"easel-{VERSION}"
