"""Advanced prompt matrix: every way to choose from the groups of a prompt such as "a <red|blue> cat"."""
import itertools
import math
import re

from modules import errors, processing, scripts
from scripts.parts.results import MOST_PICTURES

# A group holds a bar; <lora:name:1> and the like begin with a word and a colon.
GROUP = re.compile(r"<(?!\s*\w+:)([^<>]*\|[^<>]*)>")


class Script(scripts.Script):
    """One picture for each choice, all with one seed; a batch count above 1 goes through all of them again with the next seed."""

    def title(self):
        return "Advanced prompt matrix"

    def ui(self, is_img2img):
        import gradio as gr  # here, since a server without a page starts sooner without it

        return [gr.HTML("<p>Write groups such as &lt;red|blue|&gt; into the prompt: one picture is made for each choice.</p>")]

    def run(self, p, _info):
        texts = variants(p.prompt[0] if isinstance(p.prompt, list) else p.prompt)
        check_count(len(texts) * p.n_iter)
        processing.fix_seed(p)
        p.seed = [p.seed + done for done in range(p.n_iter) for _ in texts]
        p.prompt = texts * p.n_iter
        p.negative_prompt = [p.negative_prompt] * len(p.prompt)
        p.batch_size, p.n_iter, p.do_not_save_grid = 1, len(p.prompt), True
        return processing.process_images(p)

    def planned(self, p, _info):
        """What the run will make, in a sentence."""
        count = variant_count(p.prompt) * p.n_iter
        check_count(count)
        return f"{count:,} picture{'s' * (count != 1)}."


def check_count(count):
    """Raises UserError for more pictures than anybody wants to wait for."""
    if count > MOST_PICTURES:
        raise errors.UserError(f"The groups of the prompt make {count:,} pictures.", f"The most are {MOST_PICTURES:,}.",
                               "Leave choices out.")


def variant_count(prompt):
    """How many variants a prompt has."""
    return math.prod(group.count("|") + 1 for group in GROUP.findall(prompt))


def variants(prompt):
    """The prompt with one choice from each group, the leftmost group changing slowest. Raises UserError for too many."""
    check_count(variant_count(prompt))
    pieces = GROUP.split(prompt)
    choices = [[choice.strip() for choice in group.split("|")] for group in pieces[1::2]]
    return ["".join(itertools.chain.from_iterable(itertools.zip_longest(pieces[::2], chosen, fillvalue="")))
            for chosen in itertools.product(*choices)]
