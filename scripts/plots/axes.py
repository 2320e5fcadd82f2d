"""What an axis of a plot may vary: the class, ready-made ways to apply a value, and to write it."""
import itertools
import os

from modules import errors, sd_models, sd_samplers, shared
from modules.generation.seeds import variation_chain
from scripts.plots.values import chosen, split


def do_nothing(p, x, xs):
    """For the axis that varies nothing."""


def apply_field(field):
    """Values go into the attribute `field` of the run."""
    def apply(p, x, xs):
        setattr(p, field, x)
    apply.field = field
    return apply


def apply_override(field, boolean=False):
    """Values go into the setting `field`, for the cell alone."""
    def apply(p, x, xs):
        p.override_settings[field] = str(x).lower() == "true" if boolean else x
    apply.setting = field
    return apply


PROMPTS = ("prompt", "negative_prompt", "hr_prompt", "hr_negative_prompt")


def _replaced(p, replace):
    for field in PROMPTS:
        if text := getattr(p, field, None):
            setattr(p, field, [replace(one) for one in text] if isinstance(text, list) else replace(text))


def _texts(p):
    for field in PROMPTS:
        text = getattr(p, field, None) or ""
        yield from text if isinstance(text, list) else [text]


def apply_prompt(p, x, xs):
    """Prompt S/R: the first value is replaced by this one wherever it stands."""
    confirm_search(p, xs)
    _replaced(p, lambda text: text.replace(xs[0], x))


def confirm_search(p, xs):
    """Raises UserError when the first value stands in no prompt."""
    if xs and not any(xs[0] in text for text in _texts(p)):
        raise errors.UserError(f"Prompt S/R cannot find {xs[0]!r}.", "It stands neither in the prompt nor in the negative prompt.",
                               "Write a part of the prompt as the first value.")


def apply_order(p, x, xs):
    """Prompt order: the words of the permutation `x` at the places where those words stand."""
    p.prompt = in_order(p.prompt, x)


def in_order(prompt, words):
    """`prompt` with the `words`, each of which stands in it, in this order. Raises UserError."""
    places = sorted((prompt.find(word), word) for word in words)
    pieces, end = [], 0
    for (start, present), word in zip(places, words):
        if start < end:
            raise errors.UserError(f"Prompt order cannot move {present!r}.", remedy="List words that stand in the prompt.",
                                   why="It does not stand in the prompt, or overlaps with another word.")
        pieces += [prompt[end:start], word]
        end = start + len(present)
    return "".join(pieces) + prompt[end:]


def confirm_order(p, xs):
    """Raises UserError when a word does not stand in the prompt."""
    if xs:
        in_order(p.prompt, xs[0])


def str_permutations(x):
    """The type of axes whose values are all orders of the given words."""
    return x


def apply_sampler(p, x, xs):
    """A sampler; a name such as "DPM++ 2M Karras" also says the schedule."""
    p.sampler_name, p.scheduler = sd_samplers.get_sampler_and_scheduler(x, p.scheduler)


def apply_hires_sampler(p, x, xs):
    """The sampler of the second pass."""
    name, schedule = sd_samplers.get_sampler_and_scheduler(x, p.hr_scheduler)
    p.hr_sampler_name, p.hr_scheduler = name, schedule


apply_hires_sampler.field = "hr_sampler_name"


def confirm_samplers(p, xs):
    """Raises UserError for a name that no sampler has."""
    for x in xs:
        sd_samplers.get_sampler_and_scheduler(x, None)


def checkpoint_titles():
    """What the lists of checkpoints offer."""
    return sorted(sd_models.checkpoint_tiles(), key=str.casefold)


def found_checkpoint(name):
    """The checkpoint that `name` means. Raises UserError."""
    info = sd_models.get_closet_checkpoint_match(name)
    if info is None:
        raise errors.UserError(f"There is no checkpoint {name!r}.", remedy="Choose one from the list.")
    return info


def apply_checkpoint(p, x, xs):
    p.override_settings["sd_model_checkpoint"] = found_checkpoint(x).title


def confirm_checkpoints(p, xs):
    for x in xs:
        found_checkpoint(x)


def apply_refiner_checkpoint(p, x, xs):
    p.refiner_checkpoint = "" if x.lower() in ("none", "") else found_checkpoint(x).title


def confirm_checkpoints_or_none(p, xs):
    confirm_checkpoints(p, [x for x in xs if x.lower() not in ("none", "")])


def _style_names(text):
    known = shared.prompt_styles.styles
    return [text] if text in known else split(text)


def apply_styles(p, x, xs):
    """One style, or several in one quoted value, beside those of the form."""
    p.styles = [*p.styles, *_style_names(x)]


def confirm_styles(p, xs):
    known = shared.prompt_styles.styles
    for name in itertools.chain.from_iterable(map(_style_names, xs)):
        if name not in known:
            raise errors.UserError(f"There is no style named {name!r}.", remedy="Choose one from the Styles list.")


def apply_uni_pc_order(p, x, xs):
    p.override_settings["uni_pc_order"] = min(x, p.steps - 1)


apply_uni_pc_order.setting = "uni_pc_order"


def apply_face_restore(p, x, xs):
    """The name of a model, or true or false."""
    p.restore_faces = x.lower() not in ("false", "no", "0", "off", "none")
    if x.lower() in ("codeformer", "gfpgan"):
        p.override_settings["face_restoration_model"] = {"codeformer": "CodeFormer", "gfpgan": "GFPGAN"}[x.lower()]


apply_face_restore.setting = "face_restoration_model"


def confirm_chains(p, xs):
    """Raises UserError for what is no chain of seeds and strengths."""
    for x in xs:
        variation_chain(x)


def size_of(text):
    """Width and height of a text such as "512x768", whole multiples of 8. Raises UserError."""
    width, _, height = text.lower().partition("x")
    try:
        size = int(width) // 8 * 8, int(height) // 8 * 8
    except ValueError:
        size = (0, 0)
    if min(size) < 8:
        raise errors.UserError(f"{text!r} is no size.", remedy="Write width and height as in 512x768.")
    return size


def apply_size(p, x, xs):
    p.width, p.height = size_of(x)


def confirm_sizes(p, xs):
    for x in xs:
        size_of(x)


def confirm_range(min_val, max_val, axis_label):
    """A check that refuses numbers outside of min_val..max_val."""
    def confirm(p, xs):
        for x in xs:
            if not min_val <= x <= max_val:
                raise errors.UserError(f"{axis_label} must be from {min_val} to {max_val}, not {x}.")
    return confirm


def choices_of(option):
    """The choices of a setting as texts, none where it has none."""
    arguments = option.component_args if option is not None else None
    arguments = arguments() if callable(arguments) else arguments
    return [str(choice) for choice in (arguments or {}).get("choices") or ()]


def boolean_choice(reverse=False):
    """The choices of an axis that switches something."""
    return lambda: ["False", "True"] if reverse else ["True", "False"]


def format_value(p, opt, x):
    """The bare value, numbers to eight decimals."""
    return str(round(x, 8) if isinstance(x, float) else x)


def format_sampler(p, opt, x):
    """The name as the lists have it, with the schedule that the value said too."""
    name, schedule = sd_samplers.get_sampler_and_scheduler(x, None)
    return name if schedule == "Automatic" else f"{name} {schedule}"


def format_value_add_label(p, opt, x):
    """The name of the axis and the value."""
    return f"{opt.label}: {format_value(p, opt, x)}"


def format_value_join_list(p, opt, x):
    """Words with commas between them."""
    return ", ".join(x)


def format_nothing(p, opt, x):
    """For the axis that varies nothing."""
    return ""


def format_remove_path(p, opt, x):
    """A file without its folder."""
    return os.path.basename(x)


class AxisOption:
    """One thing that may vary along an axis.

    `apply(p, x, xs)` puts the value x of all values xs into the copy p of a run. `type`: int, float, str or str_permutations.
    `confirm(p, xs)` raises before the first picture. `choices()` lists the values that a person may pick. `prepare(text)` reads the
    value box in its own way. `cost` from 0 to 1: how much time a change of the value takes; costly ones change least often.
    """

    is_img2img = None

    def __init__(self, label, type, apply, format_value=format_value_add_label, confirm=None, cost=0.0, choices=None, prepare=None):
        self.label, self.type, self.apply, self.format_value = label, type, apply, format_value
        self.confirm, self.cost, self.choices, self.prepare = confirm, cost, choices, prepare

    @property
    def is_available(self):
        """Whether this program has the setting that the axis varies."""
        setting = getattr(self.apply, "setting", None)
        return setting is None or setting in shared.opts.data_labels

    def fits(self, is_img2img):
        """Whether the tab offers it."""
        return self.is_img2img is None or self.is_img2img == is_img2img

    def picked(self, text):
        """`text` as one of the choices. Raises ValueError where the axis knows its names otherwise."""
        if self.choices is None or self.confirm is not None:
            return text
        return chosen(text, [str(choice) for choice in self.choices()])


class AxisOptionImg2Img(AxisOption):
    """For the img2img tab alone."""

    is_img2img = True


class AxisOptionTxt2Img(AxisOption):
    """For the txt2img tab alone."""

    is_img2img = False
