/* Mouse, pen, fingers and keys on a canvas. */
"use strict";

/** The keys of a canvas; settings of these names change them. */
const CANVAS_KEYS = {
    canvas_hotkey_zoom: "Alt", canvas_hotkey_adjust: "Ctrl", canvas_hotkey_shrink_brush: "Q", canvas_hotkey_grow_brush: "W", canvas_hotkey_move: "F",
    canvas_hotkey_fullscreen: "S", canvas_hotkey_reset: "R", canvas_hotkey_overlap: "O",
};

function canvasKey(name) {
    return opts[name] || CANVAS_KEYS[name];
}

function holdsKey(event, name) {
    return {Alt: event.altKey, Ctrl: event.ctrlKey || event.metaKey, Shift: event.shiftKey}[name] || false;
}

class CanvasInput {
    constructor(canvas) {
        this.canvas = canvas;
        this.action = null; // what the pointer is doing: "stroke", "lasso", "move" or nothing
        this.pointer = null; // its id
        this.fingers = new Map();
        this.last = null;
        this.points = [];
        this.isMoveHeld = false;
        this.sawPen = false;
        const {stage} = canvas;
        this.ring = made("div", {class: "canvas-ring", hidden: true});
        this.outline = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        this.outline.setAttribute("class", "canvas-outline");
        this.outline.append(document.createElementNS("http://www.w3.org/2000/svg", "polyline"), document.createElementNS("http://www.w3.org/2000/svg", "polyline"));
        stage.append(this.outline, this.ring);
        const on = (name, f, options) => stage.addEventListener(name, (event) => safe(() => f.call(this, event)), options);
        on("pointerdown", this.down);
        on("pointermove", this.move);
        on("pointerup", this.up);
        on("pointercancel", this.lost);
        on("pointerleave", () => { this.ring.hidden = true; });
        on("wheel", this.wheel, {passive: false});
        on("contextmenu", (event) => { if (canvas.draws()) { event.preventDefault(); event.stopPropagation(); } });
    }

    down(event) {
        const {canvas} = this;
        if (!canvas.picture || event.target.closest("button, .canvas-extend-handle, .canvas-empty")) return;
        if (event.pointerType === "touch") {
            this.fingers.set(event.pointerId, {x: event.clientX, y: event.clientY});
            if (!canvas.draws() && this.fingers.size < 2 && !canvas.isFullscreen) return; // one finger scrolls the page
        }
        canvas.stage.setPointerCapture(event.pointerId);
        canvas.stage.focus({preventScroll: true});
        if (event.pointerType === "pen" && !this.sawPen) {
            this.sawPen = true;
            canvas.root.dataset.pen = "";
        }
        if (this.fingers.size === 2) return this.beginPinch();
        if (this.action) return;
        this.pointer = event.pointerId;
        this.begin(event, this.wantedAction(event));
    }

    wantedAction(event) {
        const {canvas} = this;
        const palm = event.pointerType === "touch" && this.sawPen; // where there is a pen, fingers only move the view
        if (event.button === 1 || this.isMoveHeld || canvas.tool === "move" || palm || !canvas.draws() || canvas.extending.isOn) return "move";
        return {brush: "stroke", eraser: "stroke"}[canvas.tool] || canvas.tool;
    }

    begin(event, action) {
        const {canvas} = this;
        const at = canvas.view.pictureAt(event.clientX, event.clientY);
        const erases = event.button === 2 || (event.buttons & 32) !== 0 || canvas.tool === "eraser" || canvas.brush.removes && canvas.tool !== "brush";
        if (event.button === 1) event.preventDefault();
        if (canvas.isDrawingHidden && action !== "move") canvas.toggleDrawing();
        if (action === "fill") return canvas.fill(at, erases);
        if (action === "pick") return canvas.pick(at);
        this.action = action;
        this.erases = erases;
        this.last = {x: event.clientX, y: event.clientY};
        if (action === "stroke") this.beginStroke(event, at);
        if (action === "lasso") this.points = [at];
        this.showCursor(event);
    }

    beginStroke(event, at) {
        const {canvas} = this;
        const point = {...at, r: this.radius(event)};
        canvas.beginStroke(this.erases);
        canvas.drawSegment(event.shiftKey && this.strokeEnd ? this.strokeEnd : point, point); // Shift: a straight line from the last stroke
        this.point = point;
    }

    radius(event) {
        const {brush} = this.canvas;
        const pressure = brush.pressure && event.pointerType === "pen" && event.pressure > 0 ? event.pressure : 1;
        return Math.max(0.5, brush.size / 2 * pressure);
    }

    move(event) {
        const {canvas} = this;
        if (this.fingers.has(event.pointerId)) this.fingers.set(event.pointerId, {x: event.clientX, y: event.clientY});
        if (this.fingers.size === 2) return this.pinch();
        this.showCursor(event);
        if (this.isMoveHeld && !this.action && canvas.picture) { // held F: the view follows the mouse without a button
            if (this.hover) canvas.view.panBy(event.clientX - this.hover.x, event.clientY - this.hover.y);
            this.hover = {x: event.clientX, y: event.clientY};
            return;
        }
        this.hover = {x: event.clientX, y: event.clientY};
        if (!this.action || event.pointerId !== this.pointer) return;
        if (this.action === "move") {
            canvas.view.panBy(event.clientX - this.last.x, event.clientY - this.last.y);
            this.last = {x: event.clientX, y: event.clientY};
            return;
        }
        const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
        for (const one of events.length ? events : [event]) this.follow(one);
        if (this.action === "lasso") this.drawOutline();
    }

    follow(event) {
        const at = this.canvas.view.pictureAt(event.clientX, event.clientY);
        if (this.action === "lasso") return this.points.push(at);
        const point = {...at, r: this.radius(event)};
        this.canvas.drawSegment(this.point, point);
        this.point = point;
    }

    up(event) {
        this.fingers.delete(event.pointerId);
        if (event.pointerId !== this.pointer) return;
        const {action} = this;
        this.action = this.pointer = null;
        this.drawOutline(true);
        if (action === "stroke") {
            this.strokeEnd = this.point;
            this.canvas.endStroke();
        }
        if (action === "lasso") this.canvas.fillOutline(this.points, this.erases);
        this.showCursor(event);
    }

    lost(event) {
        this.fingers.delete(event.pointerId);
        if (event.pointerId === this.pointer) this.cancel();
    }

    /** Gives up what the pointer is doing. Returns whether there was something. */
    cancel() {
        const {action} = this;
        this.action = this.pointer = null;
        this.drawOutline(true);
        if (action === "stroke") this.canvas.cancelStroke();
        return action !== null;
    }

    /* Two fingers */

    beginPinch() {
        this.cancel(); // the first finger may have begun a line
        this.held = this.between();
    }

    between() {
        const [a, b] = Array.from(this.fingers.values());
        return {x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y))};
    }

    pinch() {
        const {view} = this.canvas;
        const now = this.between();
        const box = this.canvas.stage.getBoundingClientRect();
        view.panBy(now.x - this.held.x, now.y - this.held.y);
        view.zoomBy(now.apart / this.held.apart, now.x - box.left, now.y - box.top);
        this.held = now;
    }

    /* Wheel and keys */

    wheel(event) {
        const {canvas} = this;
        if (!canvas.picture) return;
        const turn = -event.deltaY * (event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 300 : 1);
        if (holdsKey(event, canvasKey("canvas_hotkey_adjust")) && canvas.draws()) {
            canvas.setBrushSize(canvas.brush.size * 1.0015 ** turn + Math.sign(turn) * 0.5);
            this.showCursor(event);
        } else if (holdsKey(event, canvasKey("canvas_hotkey_zoom")) || canvas.isFullscreen) {
            const box = canvas.stage.getBoundingClientRect();
            canvas.view.zoomBy(1.002 ** turn, event.clientX - box.left, event.clientY - box.top);
            this.usedAlt = event.altKey;
            this.showCursor(event);
        } else {
            return;
        }
        event.preventDefault();
    }

    keyDown(event) {
        const {canvas} = this;
        const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
        const is = (name) => key === String(canvasKey(name)).toUpperCase();
        if (key === "Escape") return this.cancel() || canvas.isFullscreen && (canvas.toggleFullscreen(), true);
        if (!canvas.picture) return false;
        if ((event.ctrlKey || event.metaKey) && !event.altKey && canvas.draws()) {
            if (key === "Z") return event.shiftKey ? canvas.redo() : canvas.undo(), true;
            return key === "Y" && (canvas.redo(), true);
        }
        if (event.ctrlKey || event.metaKey || event.altKey) return false;
        if (is("canvas_hotkey_move") || key === " " && !event.target.closest("button, input")) return this.holdMove(), true;
        if (is("canvas_hotkey_fullscreen")) return canvas.toggleFullscreen(), true;
        if (is("canvas_hotkey_reset")) return canvas.resetView(), true;
        if (!canvas.draws()) return false;
        if (is("canvas_hotkey_overlap")) return canvas.toggleDrawing(), true;
        if (is("canvas_hotkey_shrink_brush")) return canvas.stepBrush(-1), true;
        if (is("canvas_hotkey_grow_brush")) return canvas.stepBrush(1), true;
        const tool = CANVAS_TOOLS.find((one) => one.key === key && (!one.paintsOnly || canvas.paints()));
        return Boolean(tool) && (canvas.setTool(tool.name), true);
    }

    holdMove() {
        this.isMoveHeld = true;
        this.canvas.stage.dataset.held = "";
    }

    keyUp(event) {
        const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
        if (key === " " || key === String(canvasKey("canvas_hotkey_move")).toUpperCase()) this.release();
        if (key === "Alt" && this.usedAlt) { // not the menu of the browser
            event.preventDefault();
            this.usedAlt = false;
        }
    }

    release() {
        this.isMoveHeld = false;
        delete this.canvas.stage.dataset.held;
    }

    /* What is seen of the pointer */

    showCursor(event) {
        const {canvas, ring} = this;
        const box = canvas.stage.getBoundingClientRect();
        this.cursor = {x: event.clientX - box.left, y: event.clientY - box.top};
        const onPicture = canvas.picture && canvas.draws() && !canvas.extending.isOn && !this.isMoveHeld && event.pointerType !== "touch";
        ring.hidden = !(onPicture && (canvas.tool === "brush" || canvas.tool === "eraser"));
        this.placeRing();
    }

    placeRing() {
        if (this.ring.hidden || !this.cursor) return;
        const size = Math.max(3, this.canvas.brush.size * this.canvas.view.scale);
        Object.assign(this.ring.style, {width: size + "px", height: size + "px", transform: `translate(${this.cursor.x - size / 2}px, ${this.cursor.y - size / 2}px)`});
        this.canvas.stage.toggleAttribute("data-small-ring", size < 9);
    }

    drawOutline(none) {
        const {view} = this.canvas;
        const text = none ? "" : this.points.map((point) => `${(point.x * view.scale + view.x).toFixed(1)},${(point.y * view.scale + view.y).toFixed(1)}`).join(" ");
        for (const line of this.outline.children) line.setAttribute("points", text);
    }
}

/** The canvas that keys are for: the one under the pointer, or the one with the focus; never while text is typed. */
function canvasForKeys(event) {
    const typing = event.target.closest && event.target.closest("textarea, select, [contenteditable=true], input:not([type=range]):not([type=checkbox]):not([type=color])");
    if (typing || presentDialog() || modal && !modal.hidden) return null;
    const canvases = Object.values(pictureCanvases).filter((canvas) => canvas.root.isConnected);
    return canvases.find((canvas) => canvas.root.matches(":hover")) || canvases.find((canvas) => canvas.root.contains(document.activeElement)) || null;
}

/* On the window, ahead of the page's own keys: Escape that ends a line or leaves the full window does not stop the job too. */
window.addEventListener("keydown", (event) => safe(() => {
    const canvas = canvasForKeys(event);
    if (!canvas || !canvas.input.keyDown(event)) return;
    event.preventDefault();
    event.stopPropagation();
}), true);

document.addEventListener("keyup", (event) => safe(() => {
    for (const canvas of Object.values(pictureCanvases)) if (canvas.input) canvas.input.keyUp(event);
}), true);

window.addEventListener("blur", () => {
    for (const canvas of Object.values(pictureCanvases)) if (canvas.input) canvas.input.release();
});
