/* The img2img tab: which canvas counts, what Generate sends of it, copies from canvas to canvas, sizes and steps that follow. */
"use strict";

/** The sub-tabs, from the server: name, id (as in element ids), tab, canvas, maskCanvas, kind, label. */
var img2imgModes = (window.easelPage || {}).modes || [];

function isChosenTab(id) {
    const button = byId(id + "-button");
    return Boolean(button && button.getAttribute("aria-selected") === "true");
}

function currentMode() {
    return img2imgModes.find((mode) => isChosenTab(mode.tab)) || img2imgModes[0];
}

function modeNamed(name) {
    return img2imgModes.find((mode) => mode.name === name);
}

/** The step before Generate's request: the job's id, and the pictures of the present canvas, sent to the server where they changed. */
async function submit_img2img() {
    const args = create_submit_args(arguments);
    try {
        args[1] = JSON.stringify(await picturesToSend());
        args[0] = newTask("img2img");
        return args;
    } catch (error) {
        showMessage(error.message, "error");
        throw error; // no request is made
    }
}

async function picturesToSend() {
    const mode = currentMode();
    const content = async (id) => (id && canvasOf(id) && canvasOf(id).hasPicture() ? canvasOf(id).exported() : null);
    return {mode: mode.name, resize_by: isChosenTab("img2img_tab_resize_by"), canvas: await content(mode.canvas), mask_canvas: await content(mode.maskCanvas)};
}

/* Tabs that extensions open by name or number */

function switch_to_img2img_tab(place) {
    switch_to_tab("img2img");
    whenInPage(() => byId(img2imgModes[place].tab + "-button")).then((button) => button.click(), () => null);
}

function switchToMode(name) {
    switch_to_img2img_tab(img2imgModes.findIndex((mode) => mode.name === name));
}

function switch_to_img2img() {
    switchToMode("img2img");
    return Array.from(arguments);
}

function switch_to_sketch() {
    switchToMode("sketch");
    return Array.from(arguments);
}

function switch_to_inpaint() {
    switchToMode("inpaint");
    return Array.from(arguments);
}

function switch_to_inpaint_sketch() {
    switchToMode("inpaint sketch");
    return Array.from(arguments);
}

/** Puts a picture (address or file) on the canvas of a sub-tab, which is opened first: a tab is not in the page before that. */
async function showOnCanvas(mode, picture) {
    switchToMode(mode.name);
    const canvas = await whenInPage(() => canvasOf(mode.canvas));
    await canvas.load(picture);
}

/* Copies */

/** The picture of a canvas with what is painted on it: an address where nothing is, else a new file. */
async function pictureOfCanvas(canvas) {
    const {image, paint} = await canvas.exported();
    const address = addressOfServerFile(image.path);
    if (!paint) return address;
    const {width, height} = canvas.pictureSize();
    const sheet = made("canvas", {width, height});
    const context = sheet.getContext("2d");
    for (const url of [address, addressOfServerFile(paint.path)]) {
        context.drawImage(await createImageBitmap(await fetchedPicture(url)), 0, 0, width, height);
    }
    return new File([await pngOfCanvas(sheet)], "picture.png", {type: "image/png"});
}

async function copyPicture(from, to) {
    const canvas = canvasOf(from.canvas);
    if (!canvas || !canvas.hasPicture()) {
        showMessage("There is no picture on this canvas yet.");
        return;
    }
    await showOnCanvas(to, await pictureOfCanvas(canvas));
}

for (const from of img2imgModes) {
    for (const to of img2imgModes) {
        if (from !== to) listen("img2img_copy_" + from.id + "_to_" + to.id, () => copyPicture(from, to));
    }
}

/* What follows from the picture and the numbers */

/** {width, height} of the picture on the present canvas, null when there is none. */
function presentPictureSize() {
    const canvas = currentMode() && canvasOf(currentMode().canvas);
    return canvas && canvas.hasPicture() ? canvas.pictureSize() : null;
}

function pictureSizeOr(width, height) {
    const size = presentPictureSize();
    if (!size) {
        showMessage("There is no picture on this canvas yet.");
        return [width, height];
    }
    const whole = (side) => Math.max(8, side - side % 8);
    return [whole(size.width), whole(size.height)];
}

/** "from 640x480 to 960x720", by the same rule as the engine. */
function scaledSizeText(size, scale) {
    if (!size) return "No picture yet";
    const down = (side) => Math.max(8, Math.trunc(side * scale) - Math.trunc(side * scale) % 8);
    return `from ${size.width}x${size.height} to ${down(size.width)}x${down(size.height)}`;
}

/** How many of the steps are run: strength leaves out the first ones, unless the setting asks for all of them. */
function stepsRunText(steps, strength, exact) {
    if (!(steps > 0) || !(strength >= 0)) return "";
    const run = exact ? steps : Math.trunc(Math.min(strength, 0.999) * steps) + 1;
    return `${run} of ${steps} ${steps === 1 ? "step" : "steps"} ${run === 1 ? "is" : "are"} run`;
}

function updateImg2img() {
    sayIn("img2img_scale_resolution_preview", scaledSizeText(presentPictureSize(), numberIn("img2img_scale")));
    sayIn("img2img_steps_run", stepsRunText(numberIn("img2img_steps"), numberIn("img2img_denoising_strength"), opts.img2img_fix_steps));
}

onUiLoaded(() => {
    onAfterUiUpdate(updateImg2img);
    for (const mode of img2imgModes) onCanvasChanged(mode.canvas, updateImg2img);
});
document.addEventListener("input", (event) => {
    if (event.target.closest && event.target.closest("#img2img_settings")) updateImg2img();
});
