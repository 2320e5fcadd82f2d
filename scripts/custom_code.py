"""Custom code: Python typed into the page makes the pictures; only there with --allow-code."""
import textwrap

from modules import errors, scripts, shared
from modules.processing import Processed

NAME = "<custom code>"
EXAMPLE = """\
from modules.processing import process_images

p.width = 768
p.height = 768
p.steps = 10

return process_images(p)
"""


class Script(scripts.Script):
    """The text is the body of a function of `p`, the run, and `display(pictures, seed, infotext)`."""

    def title(self):
        return "Custom code"

    def show(self, is_img2img):
        return bool(shared.cmd_opts.allow_code)

    def ui(self, is_img2img):
        import gradio as gr  # here, since a server without a page starts sooner without it

        code = gr.Code(EXAMPLE, language="python", label="Python code", elem_id=self.elem_id("code"))
        indent = gr.Number(2, label="Indent level", precision=0, elem_id=self.elem_id("indent_level"))
        return [code, indent]

    def run(self, p, code, indent_level):
        if not shared.cmd_opts.allow_code:
            raise errors.UserError("Code typed into the page is not run here.", remedy="Start the program with --allow-code.")
        shown = Shown()
        returned = body_of(code, max(1, int(indent_level or 1)))(p, shown)
        return returned if isinstance(returned, Processed) else shown.processed(p)


class Shown:
    """The function `display`, and what it was given last."""

    def __init__(self):
        self.pictures, self.seed, self.infotext = [], -1, ""

    def __call__(self, pictures, seed=None, infotext=None):
        self.pictures = list(pictures)
        self.seed = self.seed if seed is None else seed
        self.infotext = self.infotext if infotext is None else infotext

    def processed(self, p):
        """The pictures as the result of the run."""
        return Processed(p, self.pictures, self.seed, self.infotext)


def body_of(code, indent):
    """The function of p and display with `code`, indented by this many spaces, as its body. Raises UserError."""
    body = textwrap.indent(textwrap.dedent(code or "").strip("\n") or "pass", " " * indent)
    names = {"__name__": NAME}
    try:
        exec(compile(f"def body(p, display):\n{body}\n", NAME, "exec"), names)
    except SyntaxError as error:
        raise errors.UserError(f"The code cannot be read: {error.msg}.", f"It is in line {max(1, (error.lineno or 2) - 1)}.",
                               "Correct the Python code.") from error
    return names["body"]
