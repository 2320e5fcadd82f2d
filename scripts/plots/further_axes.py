"""Axes that no table lists: every other setting that changes pictures, and the controls of always-on scripts."""
from modules import scripts, shared
from scripts.plots.axes import AxisOption, apply_override, boolean_choice, choices_of

SPENT_BEFORE = ("sd_model_checkpoint", "k_sched_type")  # the run has its checkpoint and schedule from elsewhere


def setting_axes(known):
    """An axis for each setting on which pictures depend and that none of the axes `known` varies."""
    taken = {getattr(axis.apply, "setting", None) for axis in known} | {getattr(axis.apply, "field", None) for axis in known}
    found = []
    for key, option in shared.opts.data_labels.items():
        if getattr(option, "affects_picture", False) and key not in taken and key not in SPENT_BEFORE:
            kind, choices = _kind(option.default, choices_of(option))
            if kind is not None:
                apply = apply_override(key, boolean=isinstance(option.default, bool))
                found.append(AxisOption(f"[Settings] {option.label}", kind, apply, choices=choices))
    return found


def script_axes(is_img2img):
    """An axis for each number, switch and list among the controls of always-on scripts of the tab."""
    runner = scripts.scripts_img2img if is_img2img else scripts.scripts_txt2img
    found = []
    for script in runner.alwayson_scripts if runner is not None else ():
        for place, control in enumerate(script.controls or ()):
            values = _values(control)
            kind, choices = _kind(getattr(control, "value", None), list(values))
            if kind is not None and getattr(control, "label", None) and not getattr(control, "multiselect", False):
                found.append(AxisOption(f"[{script.title()}] {control.label}", kind, apply_control(script, place, values), choices=choices))
    return found


def apply_control(script, place, values):
    """Values go to a control of `script`; `values` maps the texts of a list to what the script is given."""
    def apply(p, x, xs):
        args = list(p.script_args)
        args[script.args_from + place] = values.get(x, x)
        p.script_args = args
    return apply


def _values(control):
    """Text of each choice -> what the script is given for it."""
    if isinstance(getattr(control, "value", None), bool):
        return {"True": True, "False": False}
    choices = [choice if isinstance(choice, (list, tuple)) else (choice, choice) for choice in getattr(control, "choices", None) or ()]
    by_place = getattr(control, "type", None) == "index"
    return {str(text): place if by_place else value for place, (text, value) in enumerate(choices)}


def _kind(value, choices):
    """The type of an axis whose untouched value is this, and a function of its choices; None for what is no axis."""
    if isinstance(value, bool):
        return str, boolean_choice()
    if choices and isinstance(value, str):
        return str, lambda: choices
    return (type(value), None) if isinstance(value, (int, float)) else (None, None)
