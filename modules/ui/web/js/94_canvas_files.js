/* Pictures on their way into a canvas and out of it: files, addresses, uploads, PNG without loss. */
"use strict";

const CANVAS_MAX_PIXELS = 8192 * 8192; // what the server takes
const CANVAS_MAX_SIDE = 16384; // what browsers can show
const CANVAS_LARGE_PIXELS = 4096 * 4096;

/** The path on the server behind an address of one of its files; null for other addresses. */
function serverPathOf(url) {
    const address = new URL(url, document.baseURI);
    const at = address.pathname.indexOf("/file=");
    return address.origin === location.origin && at >= 0 ? decodeURIComponent(address.pathname.slice(at + "/file=".length)) : null;
}

function addressOfServerFile(path) {
    return addressOf("/gradio_api/file=" + path.split(/[\\/]/).map(encodeURIComponent).join("/").replaceAll("%3A", ":"));
}

/** fetch, with a sentence in place of the browser's words when nobody answers. */
async function askServer(address, options) {
    try {
        return await fetch(address, options);
    } catch {
        throw new Error("The server does not answer. Start it again, then try once more.");
    }
}

/** Sends a file to the server; returns its path there. */
async function uploadToServer(blob, name) {
    const form = new FormData();
    form.append("files", blob, name);
    const answer = await askServer(addressOf("/gradio_api/upload"), {method: "POST", body: form});
    if (!answer.ok) throw new Error("The picture could not be sent to the server (status " + answer.status + ").");
    return (await answer.json())[0];
}

/** Whether the server still has a file: uploads are deleted after a day, and when it starts again. */
async function isOnServer(path) {
    const answer = await askServer(addressOfServerFile(path), {headers: {range: "bytes=0-0"}, cache: "no-store"});
    return answer.ok;
}

/** A file that is sent when it is first needed, and again when the server has lost it. */
class CanvasUpload {
    constructor(makeBlob, name, knownPath) {
        this.makeBlob = makeBlob;
        this.name = name;
        this.sent = knownPath ? Promise.resolve(knownPath) : null;
    }

    async path() {
        if (this.sent) {
            const path = await this.sent.catch(() => null);
            if (path && await isOnServer(path)) return path;
        }
        return this.send();
    }

    send() {
        this.blob = this.blob || Promise.resolve(this.makeBlob());
        this.sent = this.blob.then((blob) => uploadToServer(blob, this.name));
        return this.sent;
    }
}

/* Loading */

/** A picture to draw on: {shown, width, height, upload, source}. Throws an Error with a sentence for the person. */
async function openedForCanvas(source, onFirstLook) {
    const blob = typeof source === "string" ? await fetchedPicture(source) : source;
    await refuseHuge(blob);
    const upload = new CanvasUpload(() => blob, nameForUpload(source, blob), typeof source === "string" ? serverPathOf(source) : null);
    const path = upload.sent || upload.send();
    path.catch(() => {}); // awaited below, when the first look is over
    let shown = await createImageBitmap(blob).catch(() => null); // turned as its EXIF says
    if (shown) onFirstLook(shown);
    const known = await callServer("/internal/canvas/picture", {path: await path});
    if (!shown || shown.width !== known.width || shown.height !== known.height) {
        // A kind of file that this browser does not read, or turns otherwise: the server's view is the one that counts.
        const answer = await fetch(addressOf("/internal/canvas/shown?path=" + encodeURIComponent(await path)));
        if (!answer.ok) throw new Error("The picture cannot be shown here.");
        shown = await createImageBitmap(await answer.blob());
    }
    return {shown, width: shown.width, height: shown.height, upload, source: blob};
}

/** Looks at the size before anything is decoded: a small file can hold more pixels than there is memory. */
async function refuseHuge(blob) {
    const url = URL.createObjectURL(blob);
    const image = made("img", {src: url});
    await new Promise((resolve) => { image.onload = image.onerror = resolve; });
    URL.revokeObjectURL(url);
    if (image.naturalWidth * image.naturalHeight <= CANVAS_MAX_PIXELS && Math.max(image.naturalWidth, image.naturalHeight) <= CANVAS_MAX_SIDE) return;
    throw new Error("The picture of " + image.naturalWidth + " × " + image.naturalHeight + " pixels is too large: " + Math.floor(CANVAS_MAX_PIXELS / 1e6) + " megapixels are the limit. Make it smaller and try again.");
}

async function fetchedPicture(url) {
    const answer = await askServer(url);
    if (!answer.ok) throw new Error("The picture is no longer there.");
    return answer.blob();
}

function nameForUpload(source, blob) {
    if (source.name) return source.name;
    const kind = (blob.type.split("/")[1] || "png").split("+")[0];
    return "picture." + (kind === "jpeg" ? "jpg" : kind);
}

/** The picture among dropped or pasted things: a file, or the address of a picture of this page; null when there is none. */
function pictureAmong(transfer) {
    const file = Array.from(transfer.files || []).find((item) => item.type.startsWith("image/") || /\.(avif|bmp|gif|jpe?g|png|webp)$/i.test(item.name));
    if (file) return file;
    if ((transfer.files || []).length) return transfer.files[0]; // the server says what is wrong with it
    const address = (transfer.getData("text/uri-list") || "").split(/\r?\n/).find((line) => line && !line.startsWith("#"));
    return address && new URL(address, document.baseURI).origin === location.origin && serverPathOf(address) ? address : null;
}

/* The picture with new borders */

/** A canvas with the picture in it; the new area continues the colours of the picture's border. */
function withFilledBorders(picture, {left, top, right, bottom}) {
    const {width, height} = picture;
    const wide = made("canvas", {width: width + left + right, height: height + top + bottom});
    const context = wide.getContext("2d");
    context.imageSmoothingEnabled = false;
    const columns = [[0, 1, 0, left], [0, width, left, width], [width - 1, 1, left + width, right]];
    const rows = [[0, 1, 0, top], [0, height, top, height], [height - 1, 1, top + height, bottom]];
    for (const [fromX, fromWidth, x, w] of columns) {
        for (const [fromY, fromHeight, y, h] of rows) {
            if (w > 0 && h > 0) context.drawImage(picture, fromX, fromY, fromWidth, fromHeight, x, y, w, h);
        }
    }
    return wide;
}

function pngOfCanvas(canvas) {
    return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The picture is too large for this browser."))), "image/png"));
}

/* PNG of a drawn layer: written here, since a canvas would multiply colours by alpha and lose their last bits */

let crcTable = null;

function crc32(parts) {
    if (!crcTable) {
        crcTable = Uint32Array.from({length: 256}, (_, i) => {
            for (let bit = 0; bit < 8; bit++) i = i & 1 ? i >>> 1 ^ 0xedb88320 : i >>> 1;
            return i;
        });
    }
    let crc = 0xffffffff;
    for (const part of parts) for (let i = 0; i < part.length; i++) crc = crcTable[(crc ^ part[i]) & 255] ^ crc >>> 8;
    return ~crc >>> 0;
}

function bigEndian(number) {
    return Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number);
}

function pngChunk(name, content) {
    const kind = new TextEncoder().encode(name);
    return [bigEndian(content.length), kind, content, bigEndian(crc32([kind, content]))];
}

/** The layer as a PNG file: greyscale for a mask, RGBA for colours, 8 bits each. */
async function pngOfLayer(layer) {
    const {width, height, channels} = layer;
    const data = layer.data.slice(); // drawing may go on meanwhile
    const header = new Uint8Array([...bigEndian(width), ...bigEndian(height), 8, channels === 1 ? 0 : 6, 0, 0, 0]);
    const stream = new CompressionStream("deflate");
    const packed = new Response(stream.readable).arrayBuffer();
    const writer = stream.writable.getWriter();
    const bytes = width * channels;
    const rowsAtOnce = Math.max(1, Math.floor(1_000_000 / bytes));
    for (let y = 0; y < height; y += rowsAtOnce) {
        const rows = Math.min(rowsAtOnce, height - y);
        const band = new Uint8Array(rows * (bytes + 1)); // each row begins with the number of its filter: 0, none
        for (let row = 0; row < rows; row++) band.set(data.subarray((y + row) * bytes, (y + row + 1) * bytes), row * (bytes + 1) + 1);
        await writer.write(band);
    }
    await writer.close();
    const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
    const content = new Uint8Array(await packed);
    return new Blob([signature, ...pngChunk("IHDR", header), ...pngChunk("IDAT", content), ...pngChunk("IEND", new Uint8Array(0))], {type: "image/png"});
}
