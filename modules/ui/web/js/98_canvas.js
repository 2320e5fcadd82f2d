/* Canvases: a picture, what is drawn over it, and what goes to the server. canvasOf(id) is how the page reaches one. */
"use strict";

var pictureCanvases = {};
var canvasListeners = {};

/** The canvas of that element id; it can be given a picture before its tab was ever shown. */
function canvasOf(id) {
    if (!pictureCanvases[id]) pictureCanvases[id] = new PictureCanvas(id);
    return pictureCanvases[id];
}

/** Calls f(canvas) when a picture comes or goes, and after each change of what is drawn. */
function onCanvasChanged(id, f) {
    (canvasListeners[id] = canvasListeners[id] || []).push(f);
}

class PictureCanvas {
    constructor(id) {
        this.id = id;
        this.kind = null; // known once its place is in the page
        this.picture = null; // {shown, width, height, upload, source}; shown includes new borders
        this.borders = NO_BORDERS;
        this.layer = null; // made with the first stroke
        this.history = new CanvasHistory();
        this.revision = 0; // of what is drawn
        this.ticket = 0; // of the newest load
        this.loading = Promise.resolve();
        this.before = null; // the state ahead of the loads that are under way
        this.tool = "brush";
        this.brush = {size: 40, hardness: 1, opacity: 1, colour: "#ffffff", pressure: true, removes: false, followsPicture: false, tolerance: 0.12, visibility: 1};
        this.isDrawingHidden = this.isFullscreen = false;
        this.root = made("div", {class: "canvas"});
        this.keeper = new CanvasKeeper(this);
    }

    /** Takes its place in the page; again when gradio has made the place anew. */
    attach(place) {
        if (!this.kind) this.build(place.dataset.kind);
        place.dataset.ready = "yes";
        place.append(this.root);
        this.view.resize();
        this.setHeight();
    }

    build(kind) {
        this.kind = kind;
        if (kind === "mask") this.brush.visibility = 0.6;
        if (kind === "sketch") this.brush.hardness = 0.9;
        const colour = kind === "sketch" ? opts.img2img_sketch_default_brush_color : opts.img2img_inpaint_sketch_default_brush_color;
        if (isColour(colour)) this.brush.colour = colour.toLowerCase();
        this.stage = made("div", {class: "canvas-stage", tabindex: "0", role: "application", "aria-label": {view: "Picture", sketch: "Picture to sketch on", mask: "Picture to mask", paint_mask: "Picture to paint on"}[kind]});
        this.view = new CanvasView(this.stage);
        if (isColour(opts.img2img_inpaint_mask_brush_color)) this.view.tint = colourParts(opts.img2img_inpaint_mask_brush_color);
        this.extending = new CanvasExtend(this);
        this.input = new CanvasInput(this);
        this.chooser = made("input", {type: "file", accept: "image/*", hidden: true, "aria-label": "Choose a picture"});
        this.chooser.addEventListener("change", () => { if (this.chooser.files[0]) this.load(this.chooser.files[0]); this.chooser.value = ""; });
        this.empty = made("div", {class: "canvas-empty"}, made("span", {class: "easel-icon icon-picture"}),
            made("p", {}, "Drop a picture here, paste it, or ", made("button", {type: "button", text: "choose a file", onclick: () => this.chooseFile()})));
        this.note = made("div", {class: "canvas-note", role: "status"});
        this.grip = made("div", {class: "canvas-grip", role: "separator", tabindex: "0", "aria-orientation": "horizontal", "aria-label": "Height of the canvas", title: "Drag to change the height; double click: as high as the picture needs"});
        this.stage.append(this.extending.frame, this.empty, this.note);
        this.bar = new CanvasBar(this);
        this.root.append(this.bar.row, this.bar.options || "", this.stage, this.grip, this.chooser);
        this.root.dataset.kind = kind;
        this.view.onView = () => { this.extending.draw(); this.bar.refreshView(); this.input.placeRing(); };
        new ResizeObserver(() => safe(() => { this.setHeight(); this.view.resize(); })).observe(this.stage);
        listenToDrops(this);
        listenToGrip(this);
        this.setTool("brush");
        this.showVisibility();
        this.showPicture();
        this.loading = Promise.all([this.loading, this.keeper.restore().catch((error) => console.warn("canvas not restored", error))]);
    }

    draws() {
        return this.kind !== null && this.kind !== "view";
    }

    paints() {
        return this.kind === "sketch" || this.kind === "paint_mask";
    }

    /* The picture */

    hasPicture() {
        return this.picture !== null;
    }

    /** {width, height} of the upright picture with its new borders; null without a picture. */
    pictureSize() {
        return this.picture && {width: this.picture.shown.width, height: this.picture.shown.height};
    }

    /** Shows a picture: a File or Blob, or an address. What was drawn goes, unless keepDrawing and the size is the same. */
    load(source, {keepDrawing = false} = {}) {
        const ticket = ++this.ticket;
        const kept = this.before = this.settledState();
        const take = (picture) => {
            const fits = keepDrawing && kept.layer && kept.layer.width === picture.shown.width && kept.layer.height === picture.shown.height;
            const history = fits && !kept.history.hasBorders() ? kept.history : new CanvasHistory(); // borders were those of the other picture
            this.setState({picture, borders: NO_BORDERS, layer: fits ? kept.layer : null, history});
        };
        this.root.dataset.loading = "";
        this.loading = openedForCanvas(source, (shown) => { if (ticket === this.ticket) take({shown, width: shown.width, height: shown.height}); })
            .then((picture) => {
                if (ticket !== this.ticket) return false;
                this.before = null;
                const present = this.picture; // maybe enlarged already
                if (present && (present.original || present.shown) === picture.shown) Object.assign(present, {upload: picture.upload, source: picture.source});
                else take(picture);
                if (picture.width * picture.height > CANVAS_LARGE_PIXELS) showMessage("A picture of " + picture.width + " × " + picture.height + " pixels: drawing works at full size, but is slower.");
                if (kept.layer && this.layer !== kept.layer && kept.history.past.length) this.offerBack(kept, "The picture was replaced, with what was drawn on it.");
                this.changed();
                this.keeper.note();
                return true;
            }, (error) => {
                if (ticket !== this.ticket) return false;
                this.before = null;
                this.setState(kept);
                showMessage(error.message, "error");
                return false;
            }).finally(() => { if (ticket === this.ticket) delete this.root.dataset.loading; });
        return this.loading;
    }

    clear() {
        this.giveUpLoading();
        this.setState({picture: null, borders: NO_BORDERS, layer: null, history: new CanvasHistory()});
    }

    giveUpLoading() {
        this.ticket++;
        this.before = null;
        delete this.root.dataset.loading;
    }

    removePicture() {
        const kept = this.settledState();
        this.clear();
        if (kept.history.past.length) this.offerBack(kept, "The picture was removed, with what was drawn on it.");
    }

    chooseFile() {
        this.chooser.click();
    }

    state() {
        return {picture: this.picture, borders: this.borders, layer: this.layer, history: this.history};
    }

    /** The state without a picture whose load is still under way. */
    settledState() {
        return this.before || this.state();
    }

    setState(state) {
        Object.assign(this, state);
        this.changed();
        if (!state.picture || state.picture.source) this.keeper.note();
        if (this.kind) this.showPicture();
    }

    offerBack(state, text) {
        const message = showMessage(text);
        message.querySelector("span").after(made("button", {type: "button", class: "plain", text: "Bring it back", onclick: () => { this.giveUpLoading(); this.setState(state); message.remove(); }}));
    }

    showPicture() {
        this.root.toggleAttribute("data-picture", this.hasPicture());
        if (!this.picture) this.isFullscreen && this.toggleFullscreen();
        this.extending.toggle(false);
        this.input.strokeEnd = null;
        const size = this.pictureSize();
        this.note.textContent = size ? size.width + " × " + size.height : "";
        this.view.isFitted = true;
        if (size && !this.sizeChosen) this.brush.size = Math.max(4, Math.round(Math.max(size.width, size.height) / 16));
        this.setHeight();
        this.view.resize();
        this.view.show(this.picture && this.picture.shown, this.layer);
        this.bar.refresh();
    }

    changed() {
        this.revision++;
        if (this.bar) this.bar.refresh();
        for (const f of canvasListeners[this.id] || []) safe(() => f(this));
    }

    /* Drawing */

    ensureLayer() {
        if (!this.layer) this.layer = new CanvasLayer(this.picture.shown.width, this.picture.shown.height, this.paints() ? 4 : 1);
        this.view.layer = this.layer;
    }

    beginStroke(erases) {
        this.ensureLayer();
        this.layer.begin(erases ? "erase" : "add", colourParts(this.brush.colour), this.paints() ? this.brush.opacity : 1);
    }

    drawSegment(a, b) {
        this.view.touch(coverSegment(this.layer, a, b, this.brush.hardness));
    }

    endStroke() {
        this.stepDone(this.layer.commit());
    }

    stepDone(tiles) {
        if (!tiles.size) return;
        this.history.push({tiles});
        this.keeper.note(tiles.keys());
        this.changed();
    }

    cancelStroke() {
        this.view.touch(this.layer.boundsOf(this.layer.stroke.tiles));
        this.layer.cancel();
    }

    fillOutline(points, erases) {
        this.beginStroke(erases);
        this.view.touch(coverOutline(this.layer, points));
        this.endStroke();
    }

    fill(at, erases) {
        const x = Math.floor(at.x), y = Math.floor(at.y);
        const {width, height} = this.pictureSize();
        if (x < 0 || y < 0 || x >= width || y >= height) return;
        this.beginStroke(erases);
        const {data} = this.layer;
        const start = y * width + x;
        const isSet = !this.paints() && data[start] >= 128;
        const same = this.paints() || this.brush.followsPicture
            ? similarTo(this.seenPixels(), start, Math.round(this.brush.tolerance * 255))
            : (index) => data[index] >= 128 === isSet;
        this.view.touch(coverArea(this.layer, x, y, same));
        this.endStroke();
    }

    wholeLayer(mode) {
        this.ensureLayer();
        const tiles = this.layer.whole(mode);
        this.view.touch({x0: 0, y0: 0, x1: this.layer.width, y1: this.layer.height});
        this.stepDone(tiles);
    }

    invert() {
        this.wholeLayer("invert");
    }

    clearDrawing() {
        if (this.layer) this.wholeLayer("clear");
    }

    /** RGBA bytes of the picture with the colours that are drawn over it. */
    seenPixels() {
        return seenOn(this).getContext("2d").getImageData(0, 0, this.picture.shown.width, this.picture.shown.height).data;
    }

    pick(at) {
        const [r, g, b] = seenOn(this, {x: Math.floor(at.x), y: Math.floor(at.y), width: 1, height: 1}).getContext("2d").getImageData(0, 0, 1, 1).data;
        this.brush.colour = "#" + [r, g, b].map((value) => value.toString(16).padStart(2, "0")).join("");
        this.setTool("brush");
    }

    /** Enlarges picture and mask; the new area is masked. Returns whether it was done. */
    extend(borders) {
        const {width, height} = this.pictureSize();
        const wide = width + borders.left + borders.right, high = height + borders.top + borders.bottom;
        if (wide === width && high === height) return false;
        if (wide * high > CANVAS_MAX_PIXELS || Math.max(wide, high) > CANVAS_MAX_SIDE) {
            showMessage("A picture of " + wide + " × " + high + " pixels would be too large.", "error");
            return false;
        }
        this.ensureLayer();
        this.setBorders(borders);
        this.history.push({borders: addedBorders(NO_BORDERS, borders, -1)});
        this.changed();
        return true;
    }

    setBorders(change) {
        this.borders = addedBorders(this.borders, change);
        const original = this.picture.original || this.picture.shown;
        const isOriginal = Object.values(this.borders).every((pixels) => pixels === 0);
        const shown = isOriginal ? original : withFilledBorders(original, this.borders);
        const upload = new CanvasUpload(() => pngOfCanvas(shown), "extended.png");
        this.picture = {...this.picture, original, shown, extended: isOriginal ? null : upload};
        this.layer = this.layer.withBorders(change);
        this.keeper.note();
        this.input.strokeEnd = null;
        this.note.textContent = shown.width + " × " + shown.height;
        this.view.isFitted = true;
        this.view.show(shown, this.layer);
        if (this.extending.isOn) this.extending.fit();
    }

    undo() {
        this.step("undo");
    }

    redo() {
        this.step("redo");
    }

    step(direction) {
        if (this.input.action) return;
        const done = this.history[direction]((step) => {
            if (step.borders) {
                this.setBorders(step.borders);
                return {borders: addedBorders(NO_BORDERS, step.borders, -1)};
            }
            this.view.touch(this.layer.boundsOf(step.tiles));
            this.keeper.note(step.tiles.keys());
            return {tiles: this.layer.swapped(step.tiles)};
        });
        if (done) this.changed();
    }

    /* Tools and view */

    setTool(name) {
        this.tool = name;
        this.stage.dataset.tool = name;
        if (this.extending.isOn) this.extending.toggle(false);
        this.bar.refresh();
    }

    largestBrush() {
        const size = this.pictureSize() || {width: 512, height: 512};
        return Math.max(64, Math.min(1000, Math.round(Math.max(size.width, size.height) / 2)));
    }

    setBrushSize(size) {
        this.sizeChosen = true;
        this.brush.size = Math.min(this.largestBrush(), Math.max(1, size));
        this.input.placeRing();
        this.bar.refresh();
    }

    stepBrush(direction) {
        this.setBrushSize(Math.round(this.brush.size + direction * Math.max(1, this.brush.size * 0.1)));
    }

    toggleDrawing() {
        this.isDrawingHidden = !this.isDrawingHidden;
        this.showVisibility();
        this.bar.refresh();
    }

    showVisibility() {
        this.view.front.style.opacity = this.isDrawingHidden ? "0" : String(this.brush.visibility);
    }

    resetView() {
        this.view.fit();
        this.extending.draw();
    }

    toggleFullscreen() {
        this.isFullscreen = !this.isFullscreen;
        this.root.toggleAttribute("data-fullscreen", this.isFullscreen);
        document.body.classList.toggle("has-lightbox", this.isFullscreen); // the page behind does not scroll
        this.setHeight();
        this.view.resize();
        this.view.fit();
        this.bar.refresh();
    }

    /** As high as the picture needs at the width that there is, unless the height was chosen by hand. */
    setHeight() {
        if (!this.stage) return;
        const most = Math.min(opts.img2img_editor_height || 720, Math.max(320, window.innerHeight * 0.8));
        const size = this.pictureSize();
        const needed = size ? this.stage.clientWidth * size.height / size.width + 2 * CANVAS_MARGIN_PX : 240;
        const height = this.chosenHeight || Math.round(Math.min(most, Math.max(240, needed)));
        this.stage.style.height = this.isFullscreen ? "" : height + "px";
    }

    /* To the server */

    /** Waits for a picture that is on its way, and for another one that follows it. */
    async settled() {
        for (let loading = null; loading !== this.loading;) {
            loading = this.loading;
            await loading;
        }
    }

    /** {image, mask, paint}, each {path} of a file on the server or null; sends only what changed since the last time. */
    async exported() {
        await this.settled();
        if (!this.picture) return {image: null, mask: null, paint: null};
        const image = this.picture.extended || this.picture.upload;
        const [path, drawn] = await Promise.all([image.path(), this.drawnPath()]);
        const file = drawn && {path: drawn};
        return {image: {path}, mask: this.kind === "mask" ? file : null, paint: this.paints() ? file : null};
    }

    async drawnPath() {
        if (!this.layer || this.layer.isEmpty()) return null;
        if (!this.sent || this.sent.revision !== this.revision) {
            const {layer} = this;
            this.sent = {revision: this.revision, upload: new CanvasUpload(() => pngOfLayer(layer), this.paints() ? "paint.png" : "mask.png")};
        }
        return this.sent.upload.path();
    }

    /** What another canvas loads to show the same: the picture as it came, or, when painted or enlarged, a PNG of what is seen. */
    async copySource() {
        await this.settled();
        if (!this.picture) return null;
        const isPainted = this.paints() && this.layer && !this.layer.isEmpty();
        if (!isPainted && !this.picture.extended) return this.picture.source;
        return new File([await pngOfCanvas(seenOn(this))], "copy.png", {type: "image/png"});
    }
}

function isColour(text) {
    return /^#[0-9a-f]{6}$/i.test(text || "");
}

/** [red, green, blue] of "#rrggbb". */
function colourParts(text) {
    return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
}

/** A canvas with a part of the picture (all of it without `part`) and the colours drawn over it. */
function seenOn({picture, layer}, part) {
    const {x, y, width, height} = part || {x: 0, y: 0, width: picture.shown.width, height: picture.shown.height};
    const seen = made("canvas", {width, height});
    const context = seen.getContext("2d", {willReadFrequently: true});
    context.drawImage(picture.shown, -x, -y);
    if (!layer || layer.channels !== 4) return seen;
    const over = made("canvas", {width, height});
    const image = new ImageData(width, height);
    for (let row = 0; row < height; row++) {
        const at = ((y + row) * layer.width + x) * 4;
        image.data.set(layer.data.subarray(at, at + width * 4), row * width * 4);
    }
    over.getContext("2d").putImageData(image, 0, 0);
    context.drawImage(over, 0, 0);
    return seen;
}
