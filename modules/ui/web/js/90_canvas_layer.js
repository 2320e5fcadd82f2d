/* What is drawn over a picture: plain arrays at the picture's own size, so that every pixel is known and the same in every browser. */
"use strict";

const CANVAS_TILE_PX = 256; // a power of two: places inside a tile are found by shifting

/**
 * One drawn layer. `channels` 1: a mask, 0..255 with 255 = repaint; 4: colours, RGBA, not multiplied by alpha.
 * A stroke holds, for each tile that it touches, how the tile was before and how strongly the stroke covers each pixel, so that crossing
 * its own path does not darken it, and so that it can be taken back.
 */
class CanvasLayer {
    constructor(width, height, channels) {
        this.width = width;
        this.height = height;
        this.channels = channels;
        this.columns = Math.ceil(width / CANVAS_TILE_PX);
        this.rows = Math.ceil(height / CANVAS_TILE_PX);
        this.words = new Uint32Array(Math.ceil(width * height * channels / 4));
        this.data = new Uint8Array(this.words.buffer, 0, width * height * channels);
        this.cover = new Uint8Array(width); // scratch: how strongly the row that is being drawn is covered
        this.stroke = null;
    }

    /** Starts a stroke. mode: "add" or "erase"; colour [r, g, b] and opacity 0..1 count for "add" on colours. */
    begin(mode, colour, opacity) {
        this.stroke = {mode, colour: colour || [0, 0, 0], opacity: opacity === undefined ? 1 : opacity, tiles: new Map()};
    }

    /** Draws what this.cover says into row y, columns from (included) to `to` (excluded). */
    row(y, from, to) {
        if (y < 0 || y >= this.height) return;
        const end = Math.min(to, this.width);
        for (let x = Math.max(0, from); x < end;) {
            const stop = Math.min(end, (Math.floor(x / CANVAS_TILE_PX) + 1) * CANVAS_TILE_PX);
            const tile = this.touched(Math.floor(y / CANVAS_TILE_PX) * this.columns + Math.floor(x / CANVAS_TILE_PX));
            if (this.channels === 1) this.blendMask(tile, y, x, stop);
            else this.blendColour(tile, y, x, stop);
            x = stop;
        }
    }

    /** Draws a whole row piece at full strength. */
    span(y, from, to) {
        this.cover.fill(255, Math.max(0, from), Math.max(0, to));
        this.row(y, from, to);
    }

    blendMask(tile, y, from, to) {
        const {mode} = this.stroke;
        const {before, covered} = tile;
        let inTile = (y % CANVAS_TILE_PX) * CANVAS_TILE_PX + from % CANVAS_TILE_PX;
        let at = y * this.width + from;
        for (let x = from; x < to; x++, inTile++, at++) {
            const cover = this.cover[x];
            if (cover <= covered[inTile]) continue;
            covered[inTile] = cover;
            const old = before[inTile];
            if (mode === "add") this.data[at] = old + Math.round((255 - old) * cover / 255);
            else this.data[at] = Math.round(old * (255 - cover) / 255);
        }
    }

    blendColour(tile, y, from, to) {
        const {mode, colour, opacity} = this.stroke;
        const {before, covered} = tile;
        const data = this.data;
        let inTile = (y % CANVAS_TILE_PX) * CANVAS_TILE_PX + from % CANVAS_TILE_PX;
        let at = (y * this.width + from) * 4;
        for (let x = from; x < to; x++, inTile++, at += 4) {
            const cover = this.cover[x];
            if (cover <= covered[inTile]) continue;
            covered[inTile] = cover;
            const old = inTile * 4;
            if (mode === "erase") {
                const alpha = Math.round(before[old + 3] * (255 - cover) / 255);
                for (let c = 0; c < 3; c++) data[at + c] = alpha ? before[old + c] : 0;
                data[at + 3] = alpha;
                continue;
            }
            const added = cover / 255 * opacity;
            const kept = before[old + 3] / 255 * (1 - added);
            const alpha = added + kept;
            for (let c = 0; c < 3; c++) data[at + c] = alpha ? Math.round((colour[c] * added + before[old + c] * kept) / alpha) : 0;
            data[at + 3] = Math.round(alpha * 255);
        }
    }

    touched(index) {
        let tile = this.stroke.tiles.get(index);
        if (tile) return tile;
        tile = {before: this.tileBytes(index), covered: new Uint8Array(CANVAS_TILE_PX * CANVAS_TILE_PX)};
        this.stroke.tiles.set(index, tile);
        return tile;
    }

    /** Calls f(start in the layer, start in the tile, bytes) for each row of a tile. */
    tileRows(index, f) {
        const x = index % this.columns * CANVAS_TILE_PX;
        const y = Math.floor(index / this.columns) * CANVAS_TILE_PX;
        const bytes = Math.min(CANVAS_TILE_PX, this.width - x) * this.channels;
        const rows = Math.min(CANVAS_TILE_PX, this.height - y);
        for (let row = 0; row < rows; row++) f(((y + row) * this.width + x) * this.channels, row * CANVAS_TILE_PX * this.channels, bytes);
    }

    /** A copy of a tile; tiles at the right and lower border are filled up with zeros. */
    tileBytes(index) {
        const tile = new Uint8Array(CANVAS_TILE_PX * CANVAS_TILE_PX * this.channels);
        this.tileRows(index, (at, inTile, bytes) => tile.set(this.data.subarray(at, at + bytes), inTile));
        return tile;
    }

    setTile(index, tile) {
        this.tileRows(index, (at, inTile, bytes) => this.data.set(tile.subarray(inTile, inTile + bytes), at));
    }

    /** Ends the stroke. Returns a Map of packed tiles as they were before; it is empty when no pixel changed. */
    commit() {
        const changed = new Map();
        for (const [index, tile] of this.stroke.tiles) {
            if (!sameBytes(tile.before, this.tileBytes(index))) changed.set(index, packedTile(tile.before));
        }
        this.stroke = null;
        return changed;
    }

    /** Drops the stroke as if it had not begun. */
    cancel() {
        for (const [index, tile] of this.stroke.tiles) this.setTile(index, tile.before);
        this.stroke = null;
    }

    /** Puts packed tiles in place; returns those that they replaced, packed. */
    swapped(tiles) {
        const replaced = new Map();
        for (const [index, tile] of tiles) {
            replaced.set(index, packedTile(this.tileBytes(index)));
            this.setTile(index, unpackedTile(tile, CANVAS_TILE_PX * CANVAS_TILE_PX * this.channels));
        }
        return replaced;
    }

    /** The rectangle that tiles cover: {x0, y0, x1, y1}. */
    boundsOf(tiles) {
        const box = {x0: this.width, y0: this.height, x1: 0, y1: 0};
        for (const index of tiles.keys()) {
            const x = index % this.columns * CANVAS_TILE_PX;
            const y = Math.floor(index / this.columns) * CANVAS_TILE_PX;
            box.x0 = Math.min(box.x0, x);
            box.y0 = Math.min(box.y0, y);
            box.x1 = Math.max(box.x1, Math.min(this.width, x + CANVAS_TILE_PX));
            box.y1 = Math.max(box.y1, Math.min(this.height, y + CANVAS_TILE_PX));
        }
        return box;
    }

    /** Clears everything, or inverts a mask; returns the tiles that this changes, packed, as they were before. */
    whole(mode) {
        const before = new Map();
        for (let index = 0; index < this.columns * this.rows; index++) {
            const tile = this.tileBytes(index);
            if (mode === "invert" || !areZero(new Uint32Array(tile.buffer))) before.set(index, packedTile(tile));
        }
        if (mode === "clear") this.words.fill(0);
        else for (let i = 0; i < this.words.length; i++) this.words[i] = ~this.words[i];
        return before;
    }

    isEmpty() {
        return areZero(this.words);
    }

    /** A larger layer (a smaller one for negative borders) with the same content; new pixels of a mask are set. */
    withBorders({left, top, right, bottom}) {
        const wider = new CanvasLayer(this.width + left + right, this.height + top + bottom, this.channels);
        if (this.channels === 1 && left + top + right + bottom > 0) wider.data.fill(255);
        const from = Math.max(0, -left);
        const count = (Math.min(this.width, wider.width - left) - from) * this.channels;
        for (let y = Math.max(0, -top); y < Math.min(this.height, wider.height - top); y++) {
            const at = (y * this.width + from) * this.channels;
            wider.data.set(this.data.subarray(at, at + count), ((y + top) * wider.width + from + left) * this.channels);
        }
        return wider;
    }
}

function areZero(words) {
    for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
    return true;
}

function sameBytes(one, other) {
    const a = new Uint32Array(one.buffer);
    const b = new Uint32Array(other.buffer);
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
    return true;
}

/** The tile as [count, word, count, word, …] where that is at most half as long, otherwise as it is. */
function packedTile(bytes) {
    const words = new Uint32Array(bytes.buffer);
    const runs = new Uint32Array(words.length / 2);
    let length = 0;
    for (let i = 0; i < words.length;) {
        let end = i + 1;
        while (end < words.length && words[end] === words[i]) end++;
        if (length + 2 > runs.length) return {bytes};
        runs[length++] = end - i;
        runs[length++] = words[i];
        i = end;
    }
    return {runs: runs.slice(0, length)};
}

function unpackedTile(packed, size) {
    if (packed.bytes) return packed.bytes;
    const words = new Uint32Array(size / 4);
    let at = 0;
    for (let i = 0; i < packed.runs.length; i += 2) {
        words.fill(packed.runs[i + 1], at, at + packed.runs[i]);
        at += packed.runs[i];
    }
    return new Uint8Array(words.buffer);
}

function packedBytes(tiles) {
    let sum = 0;
    for (const tile of tiles.values()) sum += (tile.bytes || tile.runs).byteLength;
    return sum;
}
