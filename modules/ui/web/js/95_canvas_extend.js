/* Enlarging a canvas for outpainting: a border is dragged outwards, or the numbers of pixels are typed. */
"use strict";

const CANVAS_SIZE_STEP_PX = 8; // sizes that a model takes
const NO_BORDERS = Object.freeze({left: 0, top: 0, right: 0, bottom: 0});

function addedBorders(one, other, sign) {
    return Object.fromEntries(Object.keys(NO_BORDERS).map((side) => [side, one[side] + (sign || 1) * other[side]]));
}

/** Handles around the picture and the boxes for numbers. */
class CanvasExtend {
    constructor(canvas) {
        this.canvas = canvas;
        this.isOn = false;
        this.drag = null;
        this.boxes = {};
        this.frame = made("div", {class: "canvas-extend-frame", hidden: true}, made("span", {class: "canvas-extend-size"}));
        for (const [x, y] of [[-1, 0], [1, 0], [0, -1], [0, 1], [-1, -1], [1, -1], [-1, 1], [1, 1]]) {
            const handle = made("div", {class: "canvas-extend-handle", "data-x": String(x), "data-y": String(y), title: "Drag outwards to extend the picture"});
            handle.addEventListener("pointerdown", (event) => safe(() => this.begin(event, handle, x, y)));
            handle.addEventListener("pointermove", (event) => safe(() => this.move(event)));
            handle.addEventListener("pointerup", (event) => safe(() => this.end(event)));
            handle.addEventListener("pointercancel", () => { this.drag = null; this.draw(); });
            this.frame.append(handle);
        }
        this.panel = this.numbers();
    }

    numbers() {
        const box = (side) => {
            this.boxes[side] = made("input", {type: "number", min: "0", step: "8", value: "0", inputmode: "numeric", "aria-label": "Pixels " + (side === "top" || side === "bottom" ? "at the " : "on the ") + side});
            this.boxes[side].addEventListener("keydown", (event) => { if (event.key === "Enter") safe(() => this.apply()); });
            return made("label", {class: "canvas-number"}, made("span", {text: side[0].toUpperCase() + side.slice(1)}), this.boxes[side]);
        };
        return made("div", {class: "canvas-extend-panel", role: "group", "aria-label": "Extend the picture", hidden: true},
            made("span", {class: "canvas-hint", text: "Drag a border outwards, or pixels:"}), box("left"), box("top"), box("right"), box("bottom"),
            made("button", {type: "button", class: "canvas-do", text: "Extend", onclick: () => safe(() => this.apply())}));
    }

    toggle(on) {
        this.isOn = on === undefined ? !this.isOn : on;
        this.frame.hidden = this.panel.hidden = !this.isOn;
        this.fit();
        this.canvas.bar.refresh();
    }

    /** Shows the picture with room around it to drag into. */
    fit() {
        const {view} = this.canvas;
        view.fit();
        if (this.isOn) view.zoomBy(0.7, view.width / 2, view.height / 2);
        this.draw();
    }

    apply() {
        const borders = Object.fromEntries(Object.keys(NO_BORDERS).map((side) => [side, Math.max(0, Math.round(Number(this.boxes[side].value) || 0))]));
        for (const box of Object.values(this.boxes)) box.value = "0";
        if (this.canvas.extend(borders)) this.fit();
    }

    begin(event, handle, x, y) {
        if (event.button !== 0) return;
        event.preventDefault();
        event.stopPropagation();
        handle.setPointerCapture(event.pointerId);
        this.drag = {x, y, fromX: event.clientX, fromY: event.clientY, borders: NO_BORDERS};
    }

    move(event) {
        if (!this.drag) return;
        const {scale} = this.canvas.view;
        const {width, height} = this.canvas.pictureSize();
        const outX = (event.clientX - this.drag.fromX) * this.drag.x / scale;
        const outY = (event.clientY - this.drag.fromY) * this.drag.y / scale;
        const whole = (out, size) => Math.max(0, event.shiftKey ? Math.round(out) : Math.round((size + out) / CANVAS_SIZE_STEP_PX) * CANVAS_SIZE_STEP_PX - size);
        const x = this.drag.x ? whole(outX, width) : 0;
        const y = this.drag.y ? whole(outY, height) : 0;
        this.drag.borders = {left: this.drag.x < 0 ? x : 0, right: this.drag.x > 0 ? x : 0, top: this.drag.y < 0 ? y : 0, bottom: this.drag.y > 0 ? y : 0};
        for (const [side, box] of Object.entries(this.boxes)) box.value = String(this.drag.borders[side]);
        this.draw();
    }

    end() {
        if (!this.drag) return;
        this.drag = null;
        this.apply();
    }

    /** Puts frame and handles around the picture, with the borders that are being dragged. */
    draw() {
        if (!this.isOn || !this.canvas.picture) return;
        const {view} = this.canvas;
        const {width, height} = this.canvas.pictureSize();
        const borders = this.drag ? this.drag.borders : NO_BORDERS;
        Object.assign(this.frame.style, {
            left: view.x - borders.left * view.scale + "px", top: view.y - borders.top * view.scale + "px",
            width: (width + borders.left + borders.right) * view.scale + "px", height: (height + borders.top + borders.bottom) * view.scale + "px",
        });
        this.frame.firstChild.textContent = this.drag ? width + borders.left + borders.right + " × " + (height + borders.top + borders.bottom) : "";
    }
}
