/* What a canvas shows: the part of picture and drawing that its window lets see, at any zoom. Only this part is ever painted. */
"use strict";

const CANVAS_MAX_SCALE = 64;
const CANVAS_MARGIN_PX = 8;
const CANVAS_SQUARE_PIXELS_FROM = 3; // from this zoom on, pixels of the picture are shown as squares

/**
 * The window on a picture. scale: CSS pixels per picture pixel; x, y: where the picture's corner is, in CSS pixels of the window.
 * A picture pixel p is therefore at p * scale + x.
 */
class CanvasView {
    constructor(stage) {
        this.stage = stage;
        this.back = made("canvas", {class: "canvas-back", "aria-hidden": "true"});
        this.front = made("canvas", {class: "canvas-front", "aria-hidden": "true"});
        stage.append(this.back, this.front);
        this.width = this.height = 0; // of the window, CSS pixels
        this.ratio = 1;
        this.scale = 1;
        this.x = this.y = 0;
        this.exact = {x: 0, y: 0};
        this.isFitted = true;
        this.levels = []; // the picture, then halves of it for small scales
        this.layer = null;
        this.tint = [240, 69, 58];
        this.dirty = null; // rectangle of the layer to draw in the next frame
        this.isStale = false; // everything is to be drawn in the next frame
        this.frame = 0;
        this.onView = () => {};
    }

    /** Shows another picture (canvas or bitmap; null: none) and its layer. */
    show(picture, layer) {
        this.levels = picture ? [picture] : [];
        for (let last = picture; last && Math.max(last.width, last.height) > 1024; last = this.levels[this.levels.length - 1]) {
            this.levels.push(halfOf(last));
        }
        this.layer = layer;
        if (this.isFitted) this.fit();
        else this.place(this.scale, this.x, this.y);
    }

    get picture() {
        return this.levels[0] || null;
    }

    resize() {
        const box = this.stage.getBoundingClientRect();
        const ratio = Math.min(2, window.devicePixelRatio || 1);
        const width = Math.round(box.width), height = Math.round(box.height);
        if (!width || !height || width === this.width && height === this.height && ratio === this.ratio) return;
        const dx = (width - this.width) / 2, dy = (height - this.height) / 2;
        Object.assign(this, {width, height, ratio});
        for (const canvas of [this.back, this.front]) {
            canvas.width = Math.round(width * ratio);
            canvas.height = Math.round(height * ratio);
        }
        if (this.isFitted) this.fit();
        else this.place(this.scale, this.x + dx, this.y + dy);
    }

    fittingScale() {
        if (!this.picture || !this.width) return 1;
        const room = Math.min((this.width - 2 * CANVAS_MARGIN_PX) / this.picture.width, (this.height - 2 * CANVAS_MARGIN_PX) / this.picture.height);
        return Math.min(Math.max(room, 0.01), 16);
    }

    fit() {
        if (!this.picture) return this.place(1, 0, 0);
        const scale = this.fittingScale();
        this.place(scale, Math.round((this.width - this.picture.width * scale) / 2), Math.round((this.height - this.picture.height * scale) / 2));
        this.isFitted = true;
    }

    /** Zooms by a factor and keeps the point (x, y) of the window where it is. */
    zoomBy(factor, x, y) {
        const smallest = Math.min(1, this.fittingScale()) / 4;
        const scale = Math.min(CANVAS_MAX_SCALE, Math.max(smallest, this.scale * factor));
        this.place(scale, x - (x - this.exact.x) * scale / this.scale, y - (y - this.exact.y) * scale / this.scale);
        this.isFitted = false;
    }

    panBy(dx, dy) {
        this.place(this.scale, this.exact.x + dx, this.exact.y + dy);
        this.isFitted = false;
    }

    /** Sets the view; a strip of the picture always stays inside the window. */
    place(scale, x, y) {
        this.scale = scale;
        if (this.picture) {
            const keep = 40;
            const width = this.picture.width * scale, height = this.picture.height * scale;
            x = Math.min(Math.max(x, Math.min(keep - width, 0)), Math.max(this.width - keep, 0));
            y = Math.min(Math.max(y, Math.min(keep - height, 0)), Math.max(this.height - keep, 0));
        }
        this.exact = {x, y}; // many small steps must not add up their rounding
        // Whole device pixels: the corner of the picture is sharp, and picture and drawing agree.
        this.x = Math.round(x * this.ratio) / this.ratio;
        this.y = Math.round(y * this.ratio) / this.ratio;
        this.isStale = true;
        this.draw();
        this.onView();
    }

    /** The point of the picture under a point of the screen. */
    pictureAt(clientX, clientY) {
        const box = this.front.getBoundingClientRect();
        return {x: (clientX - box.left - this.x) / this.scale, y: (clientY - box.top - this.y) / this.scale};
    }

    /** Says that pixels of the layer changed: they are drawn in the coming frame. */
    touch(box) {
        this.dirty = this.dirty ? joinBox(this.dirty, box) : {...box};
        this.draw();
    }

    draw() {
        if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.paint(); });
    }

    paint() {
        if (!this.width) return;
        if (this.isStale) {
            this.isStale = false;
            this.dirty = null;
            this.paintPicture();
            this.paintLayer(0, 0, this.front.width, this.front.height);
            return;
        }
        if (!this.dirty) return;
        const zoom = this.scale * this.ratio, x = this.x * this.ratio, y = this.y * this.ratio;
        const {x0, y0, x1, y1} = this.dirty;
        this.dirty = null;
        this.paintLayer(Math.floor(x0 * zoom + x) - 1, Math.floor(y0 * zoom + y) - 1, Math.ceil(x1 * zoom + x) + 1, Math.ceil(y1 * zoom + y) + 1);
    }

    paintPicture() {
        const context = this.back.getContext("2d");
        context.setTransform(1, 0, 0, 1, 0, 0);
        context.clearRect(0, 0, this.back.width, this.back.height);
        if (!this.picture) return;
        const zoom = this.scale * this.ratio;
        let level = 0;
        while (level + 1 < this.levels.length && this.levels[level + 1].width >= this.picture.width * zoom) level++;
        const source = this.levels[level];
        context.translate(this.x * this.ratio, this.y * this.ratio);
        const width = this.picture.width * zoom, height = this.picture.height * zoom;
        context.fillStyle = this.checks(context);
        context.fillRect(0, 0, width, height);
        context.imageSmoothingEnabled = this.scale < CANVAS_SQUARE_PIXELS_FROM;
        context.imageSmoothingQuality = "high";
        context.drawImage(source, 0, 0, width, height);
    }

    /** What is seen through transparent parts. */
    checks(context) {
        if (this.pattern) return this.pattern;
        const tile = made("canvas", {width: 16, height: 16});
        const drawing = tile.getContext("2d");
        drawing.fillStyle = "#ffffff";
        drawing.fillRect(0, 0, 16, 16);
        drawing.fillStyle = "#d9dee3";
        drawing.fillRect(0, 0, 8, 8);
        drawing.fillRect(8, 8, 8, 8);
        this.pattern = context.createPattern(tile, "repeat");
        return this.pattern;
    }

    /** Paints the layer into a rectangle of the window, in device pixels. */
    paintLayer(left, top, right, bottom) {
        const context = this.front.getContext("2d");
        const x0 = Math.max(0, left), y0 = Math.max(0, top);
        const width = Math.min(this.front.width, right) - x0, height = Math.min(this.front.height, bottom) - y0;
        if (width <= 0 || height <= 0) return;
        if (!this.layer) return context.clearRect(x0, y0, width, height);
        const image = context.createImageData(width, height);
        const samples = Math.min(this.layer.channels === 1 ? 4 : 3, Math.max(1, Math.ceil(1 / (this.scale * this.ratio))));
        const columns = sampledPlaces(x0, width, this.x * this.ratio, this.scale * this.ratio, samples, this.layer.width);
        const rows = sampledPlaces(y0, height, this.y * this.ratio, this.scale * this.ratio, samples, this.layer.height);
        if (this.layer.channels === 1) sampleMask(image, this.layer, columns, rows, samples, this.tint);
        else sampleColours(image, this.layer, columns, rows, samples);
        context.putImageData(image, x0, y0);
    }
}

function halfOf(picture) {
    const half = made("canvas", {width: Math.ceil(picture.width / 2), height: Math.ceil(picture.height / 2)});
    const context = half.getContext("2d");
    context.imageSmoothingQuality = "medium";
    context.drawImage(picture, 0, 0, half.width, half.height);
    return half;
}

/** For `count` device pixels from `start`, `samples` places of the picture each; -1 outside of it. */
function sampledPlaces(start, count, offset, zoom, samples, limit) {
    const places = new Int32Array(count * samples);
    for (let i = 0; i < places.length; i++) {
        const place = Math.floor((start + (i + 0.5) / samples - offset) / zoom);
        places[i] = place >= 0 && place < limit ? place : -1;
    }
    return places;
}

/** Masks as one colour whose alpha is the mean of the mask below each device pixel. */
function sampleMask(image, layer, columns, rows, samples, [red, green, blue]) {
    const out = new Uint32Array(image.data.buffer);
    const colour = blue << 16 | green << 8 | red;
    const {data, width} = layer;
    const share = samples * samples;
    for (let y = 0; y < image.height; y++) {
        for (let x = 0; x < image.width; x++) {
            let sum = 0;
            for (let j = y * samples; j < (y + 1) * samples; j++) {
                if (rows[j] < 0) continue;
                const start = rows[j] * width;
                for (let i = x * samples; i < (x + 1) * samples; i++) if (columns[i] >= 0) sum += data[start + columns[i]];
            }
            if (sum) out[y * image.width + x] = (sum / share << 24 | colour) >>> 0;
        }
    }
}

function sampleColours(image, layer, columns, rows, samples) {
    const out = image.data;
    const {data, words, width} = layer;
    const share = samples * samples;
    for (let y = 0; y < image.height; y++) {
        for (let x = 0; x < image.width; x++) {
            let r = 0, g = 0, b = 0, alpha = 0;
            for (let j = y * samples; j < (y + 1) * samples; j++) {
                if (rows[j] < 0) continue;
                const start = rows[j] * width;
                for (let i = x * samples; i < (x + 1) * samples; i++) {
                    if (columns[i] < 0 || !words[start + columns[i]]) continue;
                    const at = (start + columns[i]) * 4;
                    const weight = data[at + 3];
                    r += data[at] * weight;
                    g += data[at + 1] * weight;
                    b += data[at + 2] * weight;
                    alpha += weight;
                }
            }
            if (!alpha) continue;
            const at = (y * image.width + x) * 4;
            out[at] = r / alpha;
            out[at + 1] = g / alpha;
            out[at + 2] = b / alpha;
            out[at + 3] = alpha / share;
        }
    }
}
