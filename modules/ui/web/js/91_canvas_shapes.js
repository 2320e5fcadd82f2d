/* Shapes as rows of pixels: brush strokes, outlines, areas of one colour. A pixel is inside when its centre is. */
"use strict";

/**
 * A piece of a brush stroke from a to b, each {x, y, r} in picture pixels. hardness 1: every pixel whose centre is at most r from the line;
 * below: full up to hardness * r, then falling smoothly to nothing at r. Returns the rectangle that may have changed.
 */
function coverSegment(layer, a, b, hardness) {
    const r = Math.max(a.r, b.r);
    const y0 = Math.max(0, Math.floor(Math.min(a.y, b.y) - r));
    const y1 = Math.min(layer.height, Math.ceil(Math.max(a.y, b.y) + r) + 1);
    const box = {x0: Math.floor(Math.min(a.x, b.x) - r), y0, x1: Math.ceil(Math.max(a.x, b.x) + r) + 1, y1};
    for (let y = y0; y < y1; y++) {
        const ends = rowOfSegment(a, b, r, y + 0.5);
        if (!ends) continue;
        const from = Math.max(0, Math.floor(ends[0] - 0.5));
        const to = Math.min(layer.width, Math.ceil(ends[1] + 0.5));
        if (hardness >= 1) coverHard(layer.cover, a, b, y + 0.5, from, to);
        else coverSoft(layer.cover, a, b, y + 0.5, from, to, hardness);
        layer.row(y, from, to);
    }
    if (r < 1) { // a brush this thin may miss every centre; the pixel under it is meant
        for (const point of [a, b]) if (point.x >= 0 && point.x < layer.width) layer.span(Math.floor(point.y), Math.floor(point.x), Math.floor(point.x) + 1);
    }
    return box;
}

function coverHard(cover, a, b, y, from, to) {
    const dx = b.x - a.x, dy = b.y - a.y;
    const squared = dx * dx + dy * dy;
    const py = y - a.y;
    for (let x = from; x < to; x++) {
        const px = x + 0.5 - a.x;
        const t = squared ? Math.min(1, Math.max(0, (px * dx + py * dy) / squared)) : 0;
        const qx = px - t * dx, qy = py - t * dy;
        const r = a.r + t * (b.r - a.r);
        cover[x] = qx * qx + qy * qy <= r * r ? 255 : 0;
    }
}

function coverSoft(cover, a, b, y, from, to, hardness) {
    const dx = b.x - a.x, dy = b.y - a.y;
    const squared = dx * dx + dy * dy;
    const py = y - a.y;
    for (let x = from; x < to; x++) {
        const px = x + 0.5 - a.x;
        const t = squared ? Math.min(1, Math.max(0, (px * dx + py * dy) / squared)) : 0;
        const qx = px - t * dx, qy = py - t * dy;
        const r = a.r + t * (b.r - a.r);
        const inner = Math.max(0, Math.min(hardness * r, r - 1)); // an edge of one pixel at least, or there would be steps
        const u = (Math.sqrt(qx * qx + qy * qy) - inner) / (r - inner);
        cover[x] = u <= 0 ? 255 : u >= 1 ? 0 : Math.round(255 * (1 - u * u * (3 - 2 * u)));
    }
}

/** Where the row at height y meets everything within r of the line from a to b: [left, right], or null. */
function rowOfSegment(a, b, r, y) {
    const dx = b.x - a.x, dy = b.y - a.y;
    let first = 0, last = 1;
    if (dy !== 0) {
        const t0 = (y - a.y - r) / dy, t1 = (y - a.y + r) / dy;
        first = Math.max(0, Math.min(t0, t1));
        last = Math.min(1, Math.max(t0, t1));
    } else if (Math.abs(y - a.y) > r) {
        return null;
    }
    if (first > last) return null;
    const half = (t) => Math.sqrt(Math.max(0, r * r - (y - a.y - t * dy) ** 2));
    const length = Math.hypot(dx, dy);
    const within = (t) => Math.min(last, Math.max(first, t));
    // The outermost point lies where the radius is square to the line, or at an end.
    const normal = length ? Math.abs(dx) / length * r * Math.sign(dx * dy || 1) : 0;
    const left = dy ? within((y - a.y - normal) / dy) : dx < 0 ? 1 : 0;
    const right = dy ? within((y - a.y + normal) / dy) : dx < 0 ? 0 : 1;
    return [a.x + left * dx - half(left), a.x + right * dx + half(right)];
}

/** Everything inside a closed outline of {x, y}, also where it crosses itself. Returns the rectangle that may have changed. */
function coverOutline(layer, points) {
    const crossings = new Map();
    const box = {x0: layer.width, y0: layer.height, x1: 0, y1: 0};
    points.forEach((a, i) => {
        const b = points[(i + 1) % points.length];
        const top = Math.max(0, Math.ceil(Math.min(a.y, b.y) - 0.5));
        const bottom = Math.min(layer.height, Math.ceil(Math.max(a.y, b.y) - 0.5));
        for (let y = top; y < bottom; y++) {
            if (!crossings.has(y)) crossings.set(y, []);
            crossings.get(y).push({x: a.x + (y + 0.5 - a.y) / (b.y - a.y) * (b.x - a.x), turn: a.y < b.y ? 1 : -1});
        }
    });
    for (const [y, found] of crossings) {
        found.sort((one, other) => one.x - other.x);
        let winding = 0;
        found.forEach((crossing, i) => {
            winding += crossing.turn;
            if (!winding || i + 1 === found.length) return;
            const from = Math.max(0, Math.ceil(crossing.x - 0.5));
            const to = Math.min(layer.width, Math.ceil(found[i + 1].x - 0.5));
            if (from >= to) return;
            layer.span(y, from, to);
            joinBox(box, {x0: from, y0: y, x1: to, y1: y + 1});
        });
    }
    return box;
}

/** Everything that hangs together with the pixel (x, y) over pixels for which same(index) holds. Returns the changed rectangle. */
function coverArea(layer, x, y, same) {
    const {width, height} = layer;
    const seen = new Uint8Array(width * height);
    const box = {x0: x, y0: y, x1: x + 1, y1: y + 1};
    const stack = [x, y];
    while (stack.length) {
        const row = stack.pop();
        let from = stack.pop();
        const start = row * width;
        if (seen[start + from]) continue;
        let to = from + 1;
        while (from > 0 && !seen[start + from - 1] && same(start + from - 1)) from--;
        while (to < width && !seen[start + to] && same(start + to)) to++;
        seen.fill(1, start + from, start + to);
        layer.span(row, from, to);
        joinBox(box, {x0: from, y0: row, x1: to, y1: row + 1});
        for (const next of [row - 1, row + 1]) {
            if (next < 0 || next >= height) continue;
            let inside = false;
            for (let at = next * width + from; at < next * width + to; at++) {
                const fits = !seen[at] && same(at);
                if (fits && !inside) stack.push(at - next * width, next);
                inside = fits;
            }
        }
    }
    return box;
}

/** A test for coverArea: colours of `pixels` (RGBA bytes) that differ from that at `index` by at most `tolerance` in every channel. */
function similarTo(pixels, index, tolerance) {
    const [r, g, b, a] = pixels.subarray(index * 4, index * 4 + 4);
    return (other) => {
        const at = other * 4;
        return Math.abs(pixels[at] - r) <= tolerance && Math.abs(pixels[at + 1] - g) <= tolerance
            && Math.abs(pixels[at + 2] - b) <= tolerance && Math.abs(pixels[at + 3] - a) <= tolerance;
    };
}

function joinBox(box, other) {
    box.x0 = Math.min(box.x0, other.x0);
    box.y0 = Math.min(box.y0, other.y0);
    box.x1 = Math.max(box.x1, other.x1);
    box.y1 = Math.max(box.y1, other.y1);
    return box;
}
