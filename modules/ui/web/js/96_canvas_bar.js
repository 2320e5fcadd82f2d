/* The row of tools above a canvas. */
"use strict";

const CANVAS_TOOLS = [
    {name: "brush", title: "Brush (B)", key: "B"},
    {name: "eraser", title: "Eraser (E); the right mouse button erases with every tool", key: "E"},
    {name: "lasso", title: "Lasso (L): everything inside the line", key: "L"},
    {name: "fill", title: "Fill (G)", key: "G"},
    {name: "pick", title: "Take a colour from the picture (I)", key: "I", paintsOnly: true},
    {name: "move", title: "Move the view (hold F, or drag with the middle mouse button)"},
];

class CanvasBar {
    constructor(canvas) {
        this.canvas = canvas;
        this.buttons = {};
        this.fields = {};
        const {kind} = canvas;
        const draws = kind !== "view";
        const tools = draws ? CANVAS_TOOLS.filter((tool) => !tool.paintsOnly || canvas.paints()).map((tool) => this.toolButton(tool)) : [];
        const history = draws ? [
            this.button("undo", "Undo (Ctrl+Z)", () => canvas.undo()), this.button("redo", "Redo (Ctrl+Shift+Z)", () => canvas.redo()),
            kind === "mask" && this.button("invert", "Invert the mask", () => canvas.invert()),
            this.button("clear", kind === "mask" ? "Clear the mask" : "Clear the drawing", () => canvas.clearDrawing())] : [];
        const sight = [
            this.button("minus", "Smaller (Alt+wheel)", () => this.zoom(1 / 1.5)), this.percent(), this.button("plus", "Larger (Alt+wheel)", () => this.zoom(1.5)),
            this.button("fit", "Fit the picture into the canvas (R)", () => canvas.resetView()),
            this.button("fullscreen", "Fill the window (S)", () => canvas.toggleFullscreen())];
        const rest = [
            kind === "mask" && this.button("extend", "Extend the picture beyond its borders (outpainting)", () => canvas.extending.toggle()),
            draws && this.button("show", "Show or hide what is drawn (O)", () => canvas.toggleDrawing())];
        const files = [this.button("picture", "Choose another picture", () => canvas.chooseFile()), this.button("close", "Remove the picture", () => canvas.removePicture())];
        const group = (name, parts) => (parts.filter(Boolean).length ? made("div", {class: "canvas-group", role: "group", "aria-label": name}, ...parts) : null);
        this.row = made("div", {class: "canvas-bar", role: "toolbar", "aria-label": "Canvas tools"},
            group("Tools", tools), group("Changes", history), group("View", sight), group("More", rest), group("Picture", files));
        this.options = draws ? this.optionsRow() : null;
    }

    button(icon, title, action) {
        const button = made("button", {type: "button", class: "plain easel-icon icon-" + icon, title, "aria-label": title, text: icon, onclick: () => safe(action)});
        this.buttons[icon] = button;
        return button;
    }

    toolButton({name, title}) {
        return this.button(name, title, () => this.canvas.setTool(name));
    }

    percent() {
        const title = "Zoom. Press for 100 %";
        this.buttons.percent = made("button", {type: "button", class: "plain canvas-percent", title, onclick: () => safe(() => this.zoom(1 / this.canvas.view.scale))});
        return this.buttons.percent;
    }

    zoom(factor) {
        const {view} = this.canvas;
        view.zoomBy(factor, view.width / 2, view.height / 2);
    }

    optionsRow() {
        const {canvas} = this;
        const {brush} = canvas;
        const parts = [];
        if (canvas.paints()) {
            const colour = made("input", {type: "color", value: brush.colour, class: "canvas-colour", "aria-label": "Colour", title: "Colour of the brush"});
            colour.addEventListener("input", () => { brush.colour = colour.value; });
            this.fields.colour = colour;
            parts.push(colour);
        }
        parts.push(this.sizeField());
        parts.push(this.percentField("hardness", "Hardness", "brush eraser"));
        if (canvas.paints()) parts.push(this.percentField("opacity", "Opacity", "brush lasso fill"));
        parts.push(this.choice("pressure", "Pen pressure", "The harder a pen is pressed, the broader the line", "brush eraser"));
        parts.push(this.choice("removes", "Remove", "Take away instead of adding", "lasso fill"));
        if (!canvas.paints()) parts.push(this.choice("followsPicture", "By colours", "Fill what has about the same colour in the picture; otherwise what lines of the mask enclose", "fill"));
        parts.push(this.percentField("tolerance", "Tolerance", "fill"));
        const shown = canvas.kind === "mask" && this.percentField("visibility", "Mask opacity", "");
        if (shown) shown.classList.add("canvas-visibility");
        return made("div", {class: "canvas-options"}, ...parts, canvas.extending.panel, shown || "");
    }

    /** The slider runs with the square of its place: small sizes need the finer steps. */
    sizeField() {
        const {canvas} = this;
        const slider = made("input", {type: "range", min: "0", max: "1000", "aria-label": "Brush size"});
        const number = made("input", {type: "number", min: "1", max: "1000", "aria-label": "Brush size in pixels", inputmode: "numeric"});
        slider.addEventListener("input", () => canvas.setBrushSize(1 + (canvas.largestBrush() - 1) * (slider.value / 1000) ** 2));
        number.addEventListener("change", () => canvas.setBrushSize(Number(number.value) || 1));
        Object.assign(this.fields, {slider, number});
        return made("label", {class: "canvas-range", "data-tools": "brush eraser", title: "Size of the brush in pixels (Q, W or Ctrl+wheel)"}, made("span", {text: "Size"}), slider, number);
    }

    percentField(name, label, tools) {
        const {canvas} = this;
        const slider = made("input", {type: "range", min: "0", max: "100", value: String(Math.round(canvas.brush[name] * 100)), "aria-label": label});
        const value = made("output", {text: slider.value + " %"});
        slider.addEventListener("input", () => {
            canvas.brush[name] = slider.value / 100;
            value.textContent = slider.value + " %";
            canvas.showVisibility();
        });
        return made("label", {class: "canvas-range", "data-tools": tools || null}, made("span", {text: label}), slider, value);
    }

    choice(name, label, title, tools) {
        const box = made("input", {type: "checkbox", checked: this.canvas.brush[name]});
        box.addEventListener("change", () => { this.canvas.brush[name] = box.checked; this.refresh(); });
        return made("label", {class: "canvas-choice", title, "data-tools": tools, "data-choice": name}, box, made("span", {text: label}));
    }

    /** Brings the row up to date with the canvas. */
    refresh() {
        const {canvas, buttons, fields} = this;
        const {tool} = canvas;
        for (const {name} of CANVAS_TOOLS) if (buttons[name]) buttons[name].setAttribute("aria-pressed", String(name === tool && !canvas.extending.isOn));
        if (buttons.extend) buttons.extend.setAttribute("aria-pressed", String(canvas.extending.isOn));
        if (buttons.show) buttons.show.setAttribute("aria-pressed", String(!canvas.isDrawingHidden));
        buttons.fullscreen.setAttribute("aria-pressed", String(canvas.isFullscreen));
        if (buttons.undo) buttons.undo.disabled = !canvas.history.past.length;
        if (buttons.redo) buttons.redo.disabled = !canvas.history.future.length;
        if (!this.options) return;
        for (const field of this.options.querySelectorAll("[data-tools]")) field.hidden = canvas.extending.isOn || !field.dataset.tools.split(" ").includes(tool);
        const tolerance = fields.slider && this.options.querySelector('[aria-label="Tolerance"]');
        if (tolerance && !canvas.paints() && !canvas.brush.followsPicture) tolerance.closest("label").hidden = true;
        if (fields.colour) fields.colour.value = canvas.brush.colour;
        fields.number.value = String(Math.round(canvas.brush.size));
        fields.slider.value = String(Math.round(1000 * Math.sqrt((canvas.brush.size - 1) / Math.max(1, canvas.largestBrush() - 1))));
    }

    refreshView() {
        const percent = Math.round(this.canvas.view.scale * 100) + " %";
        this.buttons.percent.textContent = percent;
        this.buttons.percent.setAttribute("aria-label", "Zoom " + percent + ". Press for 100 %");
    }
}
