"""Small components under the names of A1111's `ui_components`, which extensions use and derive from."""
import gradio as gr

from modules.ui.gradio3.construction import config_as


class FormComponent:
    """A component of a form."""

    def get_expected_parent(self):
        return gr.components.Form


class _Plain:
    """A subclass that the page draws like the component it derives from."""

    drawn_as: type

    def get_block_name(self):
        return self.drawn_as.__name__.lower()

    def get_config(self, cls=None):
        return config_as(self, cls or self.drawn_as)


class ToolButton(_Plain, gr.Button):
    """A small button with one sign on it."""

    drawn_as = gr.Button

    def __init__(self, value="", *args, **kwargs):  # by name: gradio drops what it finds in *args
        classes = kwargs.pop("elem_classes", None) or []
        kwargs.pop("tooltip", None)
        super().__init__(value, *args, elem_classes=["tool", *([classes] if isinstance(classes, str) else classes)],
                         **{"size": "sm", "min_width": 36, "scale": 0, **kwargs})


class ResizeHandleRow(_Plain, gr.Row):
    """A row whose two columns can be made wider."""

    drawn_as = gr.Row

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.elem_classes = [*self.elem_classes, "resize-handle-row"]


class FormRow(_Plain, gr.Row):
    """A row of controls."""

    drawn_as = gr.Row


class FormColumn(_Plain, gr.Column):
    """A column of controls."""

    drawn_as = gr.Column


class FormGroup(_Plain, gr.Group):
    """A group of controls."""

    drawn_as = gr.Group


class FormHTML(_Plain, gr.HTML):
    """HTML between controls."""

    drawn_as = gr.HTML


class FormColorPicker(_Plain, gr.ColorPicker):
    """A colour among controls."""

    drawn_as = gr.ColorPicker


class DropdownMulti(_Plain, gr.Dropdown):
    """A list of which several entries can be chosen."""

    drawn_as = gr.Dropdown

    def __init__(self, choices=None, *args, **kwargs):
        super().__init__(choices, *args, **{"multiselect": True, **kwargs})


class DropdownEditable(_Plain, gr.Dropdown):
    """A list that takes further entries."""

    drawn_as = gr.Dropdown

    def __init__(self, choices=None, *args, **kwargs):
        super().__init__(choices, *args, **{"allow_custom_value": True, **kwargs})


class InputAccordion(_Plain, gr.Checkbox):
    """A switch with what belongs to it: `with InputAccordion(False, label="Upscale") as enabled:`; the rest is seen while it is on.

    The element id is that of the whole; the switch has `<id>-checkbox`. The style sheet hides what is off, it stays in the page.
    """

    drawn_as = gr.Checkbox
    global_index = 0

    def __init__(self, value=None, setup=False, **kwargs):
        kwargs.pop("open", None)
        self.accordion_id = kwargs.pop("elem_id", None)
        if self.accordion_id is None:
            self.accordion_id = f"input-accordion-{InputAccordion.global_index}"
            InputAccordion.global_index += 1
        label, visible = kwargs.pop("label", None) or "Accordion", kwargs.pop("visible", True)
        classes = kwargs.pop("elem_classes", None) or []
        self.accordion = gr.Column(elem_id=self.accordion_id, visible=visible, elem_classes=[
            "gradio-group", "input-accordion", *([classes] if isinstance(classes, str) else classes)])
        with self.accordion:
            self.head = gr.Row(elem_classes=["gradio-row", "form-row", "part-head"])
            with self.head:
                super().__init__(bool(value), label=label, elem_id=f"{self.accordion_id}-checkbox", container=False, interactive=True,
                                 min_width=120, scale=1)
            self.body = gr.Column(elem_classes=["part-body"])

    def get_config(self, cls=None):
        # gradio's own checkbox takes no class to read its properties from.
        return gr.components.Component.get_config(self, cls or gr.Checkbox) | {"label": self.label, "show_label": True}

    def extra(self):
        """A column in the header, as a scope."""
        with self.head:
            return gr.Column(elem_id=f"{self.accordion_id}-extra", elem_classes=["input-accordion-extra"], min_width=0)

    def __enter__(self):
        self.body.__enter__()
        return self

    def __exit__(self, exc_type, exc_val, exc_tb):
        self.body.__exit__(exc_type, exc_val, exc_tb)
