/* Undo and redo of a canvas: for each step only the tiles that it changed, packed. */
"use strict";

const CANVAS_UNDO_STEPS = 50;
const CANVAS_UNDO_BYTES = 512 * 1024 * 1024; // steps beyond this are forgotten, oldest first: the page must not die of its memory

/** Steps are {tiles: Map} for drawing and {borders: {left, top, right, bottom}} for an enlarged canvas. */
class CanvasHistory {
    constructor() {
        this.past = [];
        this.future = [];
    }

    push(step) {
        this.past.push(step);
        this.future = [];
        let bytes = this.past.reduce((sum, entry) => sum + CanvasHistory.bytesOf(entry), 0);
        while (this.past.length > 1 && (this.past.length > CANVAS_UNDO_STEPS || bytes > CANVAS_UNDO_BYTES)) {
            bytes -= CanvasHistory.bytesOf(this.past.shift());
        }
    }

    static bytesOf(step) {
        if (step.bytes === undefined) step.bytes = step.tiles ? packedBytes(step.tiles) : 0;
        return step.bytes;
    }

    /** Takes the newest step and hands it to reverse(step), which returns the step that leads back. Returns whether there was one. */
    undo(reverse) {
        return CanvasHistory.move(this.past, this.future, reverse);
    }

    redo(reverse) {
        return CanvasHistory.move(this.future, this.past, reverse);
    }

    static move(from, to, reverse) {
        const step = from.pop();
        if (!step) return false;
        to.push(reverse(step));
        return true;
    }

    hasBorders() {
        return [...this.past, ...this.future].some((step) => step.borders);
    }
}
