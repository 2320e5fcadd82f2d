/* Canvases outlast a reload: the browser keeps picture and drawing of each tab, as tiles, so that little is written after a stroke. */
"use strict";

const CANVAS_KEPT_DAYS = 2; // of tabs that were closed

/** Keys are [tab, canvas, "picture"] and [tab, canvas, number of a tile]. A browser that refuses costs convenience, not function. */
const keptCanvases = {
    database: null,

    open() {
        if (!this.database) {
            this.database = new Promise((resolve, reject) => {
                const asked = indexedDB.open("easel-canvases", 1);
                asked.onupgradeneeded = () => asked.result.createObjectStore("parts");
                asked.onsuccess = () => resolve(asked.result);
                asked.onerror = () => reject(asked.error);
            });
            this.database.then(() => this.forgetOld()).catch(() => {});
        }
        return this.database;
    },

    /** Runs f(store) in one transaction; resolves with its result when everything is written. */
    async change(f) {
        const transaction = (await this.open()).transaction("parts", "readwrite");
        const result = f(transaction.objectStore("parts"));
        return new Promise((resolve, reject) => {
            transaction.oncomplete = () => resolve(result && result.result);
            transaction.onerror = transaction.onabort = () => reject(transaction.error);
        });
    },

    /** A name for this tab that stays through reloads; it begins with the time. */
    tab() {
        try {
            if (!sessionStorage.easelTab) sessionStorage.easelTab = Date.now() + "-" + randomId();
            return sessionStorage.easelTab;
        } catch {
            return Date.now() + "-unknown";
        }
    },

    parts(id) {
        return IDBKeyRange.bound([this.tab(), id], [this.tab(), id, []]);
    },

    async forgetOld() {
        const keys = await this.change((store) => store.getAllKeys());
        const limit = Date.now() - CANVAS_KEPT_DAYS * 24 * 3600 * 1000;
        const old = keys.filter(([tab]) => tab !== this.tab() && parseInt(tab, 10) < limit);
        if (old.length) await this.change((store) => { for (const key of old) store.delete(key); });
    },
};

/** Writes what changed on one canvas, a moment after the last change. */
class CanvasKeeper {
    constructor(canvas) {
        this.canvas = canvas;
        this.tiles = new Set(); // to be written
        this.isNew = false; // everything is to be written
        this.timer = null;
        this.restoring = 0; // the ticket of the load that puts back what is kept: until another one begins, nothing new is to be kept
        document.addEventListener("visibilitychange", () => { if (document.hidden && this.timer) this.write(); });
    }

    /** tiles: numbers of tiles that changed; without them everything did. */
    note(tiles) {
        if (this.restoring && this.restoring === this.canvas.ticket) return;
        if (tiles) for (const index of tiles) this.tiles.add(index);
        else this.isNew = true;
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.write(), 400);
    }

    write() {
        clearTimeout(this.timer);
        this.timer = null;
        const {canvas} = this;
        const {picture, layer, borders} = canvas;
        if (layer && layer.stroke) return this.note([]); // in the middle of a line
        const {isNew} = this;
        const wanted = isNew ? Array.from({length: layer ? layer.columns * layer.rows : 0}, (_, index) => index) : Array.from(this.tiles);
        this.isNew = false;
        this.tiles.clear();
        const tiles = layer ? wanted.map((index) => [index, layer.tileBytes(index)]) : [];
        this.writing = keptCanvases.change((store) => {
            const at = (part) => [keptCanvases.tab(), canvas.id, part];
            if (isNew) store.delete(keptCanvases.parts(canvas.id));
            if (isNew && picture) store.put({source: picture.source, name: picture.source.name, borders}, at("picture"));
            for (const [index, bytes] of tiles) {
                if (areZero(new Uint32Array(bytes.buffer))) store.delete(at(index));
                else store.put(packedTile(bytes), at(index));
            }
        }).catch((error) => console.warn("canvas not kept", error));
    }

    /** Puts back what an earlier load of this tab left, unless the canvas has got a picture meanwhile. */
    async restore() {
        const {canvas} = this;
        const range = keptCanvases.parts(canvas.id);
        const [keys, parts] = await Promise.all([keptCanvases.change((store) => store.getAllKeys(range)), keptCanvases.change((store) => store.getAll(range))]);
        const kept = keys.findIndex((key) => key[2] === "picture");
        if (kept < 0 || canvas.picture || canvas.ticket) return;
        const {source, name, borders} = parts[kept];
        const tiles = new Map(keys.map((key, i) => [key[2], parts[i]]).filter(([index]) => index !== "picture"));
        const loading = canvas.load(name ? new File([source], name, {type: source.type}) : source);
        this.restoring = canvas.ticket;
        if (!await loading) return;
        this.restoring = 0;
        if (Object.values(borders).some((pixels) => pixels)) {
            canvas.ensureLayer();
            canvas.setBorders(borders);
        }
        if (tiles.size) {
            canvas.ensureLayer();
            canvas.layer.words.fill(0);
            canvas.layer.swapped(tiles);
        }
        canvas.resetView();
        canvas.changed();
        this.note();
    }
}
