/* The PNG Info tab: a picture file is dropped, chosen or pasted; what it says is shown as text and can be sent to other tabs. */
"use strict";

const TEXT_SHOWN_AT_FIRST = 4000;

/** The chosen file, and what the server read in it: {file, infotext, program, notes, texts, watermark}; null before the first. */
var pictureInfo = null;

function isPngInfoShown() {
    return uiElementIsVisible(byId("pnginfo_page"));
}

/** Reads a picture file and shows what it says. The last one chosen counts. */
async function readPictureInfo(file) {
    const reading = {file, infotext: "", program: "", notes: [], texts: {}, watermark: ""};
    pictureInfo = reading;
    showPictureItself(file);
    writePictureReport([made("p", {class: "quiet", text: "Reading " + (file.name || "the picture") + "…"})]);
    try {
        Object.assign(reading, await askAboutPicture("/internal/picture-info", file));
    } catch (error) {
        if (pictureInfo !== reading) return;
        pictureInfo = null;
        writePictureReport([made("p", {class: "error", text: error.message})]);
        return;
    }
    if (pictureInfo !== reading) return;
    writePictureReport(reportOf(reading));
    const box = textareaOf("pnginfo_generation_info");
    if (box) {
        box.value = reading.infotext;
        updateInput(box);
    }
}

function showPictureItself(file) {
    const image = byId("pnginfo_shown");
    if (!image) return;
    if (image.src) URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(file);
    image.hidden = false;
    image.onerror = () => { image.hidden = true; };
    image.onload = () => writePictureSize(image);
}

function writePictureSize(image) {
    const place = document.querySelector("#pnginfo_report .picture-size");
    if (place && image.naturalWidth) place.textContent = image.naturalWidth + " × " + image.naturalHeight;
}

function writePictureReport(children) {
    const report = byId("pnginfo_report");
    if (!report) return;
    report.replaceChildren(...children);
    writePictureSize(byId("pnginfo_shown"));
}

/** The elements of a report; every word of the file is put in as text. */
function reportOf(reading) {
    const by = reading.program ? "Made by " + reading.program : reading.infotext ? "Parameters of an unknown program" : "No parameters";
    const head = made("div", {class: "picture-head"}, made("h2", {text: by}), made("span", {class: "quiet", text: reading.file.name || ""}),
        made("span", {class: "quiet picture-size"}));
    const parts = [head];
    if (!reading.infotext) {
        parts.push(made("p", {text: "The picture holds no parameters. Another kind of program made it, or they were removed on its way."}));
    }
    if (reading.watermark) parts.push(made("p", {class: "picture-watermark", text: "Invisible watermark: " + reading.watermark}));
    if (reading.notes.length) {
        parts.push(made("ul", {class: "picture-notes", "aria-label": "What could not be expressed"}, ...reading.notes.map((note) => made("li", {text: note}))));
    }
    const own = Object.entries(reading.texts);
    if (reading.infotext) parts.push(textSection(isOneOf(reading.infotext, own) ? "parameters" : "parameters, translated", reading.infotext, true));
    for (const [name, text] of own) {
        if (text.trim() !== reading.infotext.trim()) parts.push(textSection(name, text, own.length < 8));
    }
    return parts;
}

function isOneOf(text, entries) {
    return entries.some(([, other]) => other.trim() === text.trim());
}

/** A text under its name, with a button that copies it; a long one is cut until it is asked for. */
function textSection(name, text, isOpen) {
    const shown = made("pre", {text: text.slice(0, TEXT_SHOWN_AT_FIRST), tabindex: "0"});
    const copy = made("button", {type: "button", class: "plain", text: "Copy", onclick: () => copyText(text)});
    const rest = text.length > TEXT_SHOWN_AT_FIRST && made("button", {type: "button", class: "plain",
        text: "Show all " + text.length.toLocaleString("en") + " characters", onclick: () => { shown.textContent = text; rest.remove(); }});
    return made("details", {open: isOpen}, made("summary", {}, made("span", {text: name})), shown, made("div", {class: "buttons"}, copy, rest));
}

async function copyText(text) {
    try {
        await navigator.clipboard.writeText(text);
        showMessage("Copied.");
    } catch {
        showMessage("The browser does not let this page write to the clipboard. Select the text and copy it.", "error");
    }
}

/* Choosing: by the button, by dropping a file or a picture of this page, by pasting */

document.addEventListener("change", (event) => {
    if (event.target.id !== "pnginfo_file" || !event.target.files[0]) return;
    readPictureInfo(event.target.files[0]);
    event.target.value = ""; // so that the same file can be chosen again
}, true);

function underPicture(event) {
    const zone = event.target.closest ? event.target.closest("#pnginfo_page") : null;
    const types = event.dataTransfer ? Array.from(event.dataTransfer.types) : [];
    return zone && (types.includes("Files") || types.includes("text/uri-list")) ? zone.querySelector(".drop-zone") : null;
}

for (const kind of ["dragenter", "dragover"]) {
    document.addEventListener(kind, (event) => {
        const zone = underPicture(event);
        if (!zone) return;
        markDropTarget(zone);
        event.preventDefault();
        event.dataTransfer.dropEffect = "copy";
    });
}

document.addEventListener("drop", (event) => {
    if (!underPicture(event)) return;
    event.preventDefault(); // the browser would open the file in place of the page
    markDropTarget(null);
    droppedPicture(event.dataTransfer).then((file) => file && readPictureInfo(file)).catch((error) => showMessage(error.message, "error"));
});

/** The file among dropped things; one of our own pictures is fetched by its address. */
async function droppedPicture(dropped) {
    if (dropped.files[0]) return dropped.files[0];
    const address = dropped.getData("text/uri-list").split(/\r?\n/).find((line) => line && !line.startsWith("#"));
    if (!address || new URL(address, document.baseURI).origin !== location.origin) throw new Error("Only files and pictures of this page can be dropped here.");
    const answer = await fetch(address);
    if (!answer.ok) throw new Error("The picture is no longer there.");
    return new File([await answer.blob()], decodeURIComponent(address.split(/[?#]/)[0].split("/").pop()) || "picture");
}

document.addEventListener("paste", (event) => {
    const file = isPngInfoShown() && event.clipboardData ? event.clipboardData.files[0] : null;
    if (!file) return;
    event.preventDefault();
    readPictureInfo(file);
});

/* Sending */

/** The file and its parameters for another tab; null, and a message, where there is nothing to send. */
function pictureToSend() {
    if (!pictureInfo) {
        showMessage("Choose a picture first.");
        return null;
    }
    return {source: pictureInfo.file, infotext: pictureInfo.infotext, notes: foreignNotes(pictureInfo)};
}

/** What each button does, by the last part of its id. */
const PICTURE_DESTINATIONS = {
    txt2img: (picture) => {
        if (picture.infotext) return sendParameters("txt2img", picture);
        return showMessage("The picture holds no parameters that could be sent.");
    },
    img2img: (picture) => sendToImg2img("img2img", picture),
    inpaint: (picture) => sendToImg2img("inpaint", picture),
    extras: (picture) => pictureToExtras(picture),
};

for (const [name, send] of Object.entries(PICTURE_DESTINATIONS)) {
    listen("pnginfo_send_to_" + name, () => {
        const picture = pictureToSend();
        return picture && send(picture);
    });
}
