/* The img2img tab: which canvas counts, what Generate sends of it, copies from canvas to canvas, sizes and steps that follow. */
"use strict";

/** The sub-tabs, from the server: name, id (as in element ids), tab, canvas, maskCanvas. */
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
    tabTasks.img2img.sending++;
    try {
        args[1] = JSON.stringify(await picturesToSend());
        args[0] = newTask("img2img");
        return args;
    } catch (error) {
        showMessage(error.message, "error");
        throw error; // no request is made
    } finally {
        tabTasks.img2img.sending--;
    }
}

async function picturesToSend() {
    const mode = currentMode();
    const content = async (id) => (id ? canvasOf(id).exported() : null);
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

/** What is seen on one canvas, with its paint, goes to another one. */
async function copyPicture(from, to) {
    const canvas = canvasOf(from.canvas);
    if (!canvas || !canvas.hasPicture()) {
        showMessage("There is no picture on this canvas yet.");
        return;
    }
    await showOnCanvas(to, await canvas.copySource());
}

for (const from of img2imgModes) {
    for (const to of img2imgModes) {
        if (from !== to) listen("img2img_copy_" + from.id + "_to_" + to.id, () => copyPicture(from, to));
    }
}

/* What follows from the picture and the numbers */

/** {width, height} of the picture on the present canvas, null when there is none. */
function presentPictureSize() {
    const canvas = currentMode() && currentMode().canvas && canvasOf(currentMode().canvas);
    return canvas && canvas.hasPicture() ? canvas.pictureSize() : null;
}

function inWholeLatents(side) {
    return Math.max(8, side - side % 8);
}

function pictureSizeOr(width, height) {
    const size = presentPictureSize();
    if (!size) showMessage("There is no picture here to take the size from.");
    return size ? [inWholeLatents(size.width), inWholeLatents(size.height)] : [width, height];
}

/** Sizes of the pictures when they were looked at last, by canvas. */
var lastPictureSizes = {};

/** Width and height that were the picture's own stay so when it gets new borders, or gives way to another one. */
function followPictureSize(canvas) {
    const before = lastPictureSizes[canvas.id];
    const size = canvas.hasPicture() ? canvas.pictureSize() : null;
    if (!size) return;
    lastPictureSizes[canvas.id] = size;
    if (!before || before.width === size.width && before.height === size.height) return;
    const isOwn = numberIn("img2img_width") === inWholeLatents(before.width) && numberIn("img2img_height") === inWholeLatents(before.height);
    if (isOwn && canvas.id === currentMode().canvas) byId("img2img_detect_image_size_btn").click();
}

/** "from 640x480 to 960x720", by the same rule as the engine. */
function scaledSizeText(size, scale) {
    if (!size) return "No picture yet";
    const scaled = (side) => inWholeLatents(Math.trunc(side * scale));
    return `from ${size.width}x${size.height} to ${scaled(size.width)}x${scaled(size.height)}`;
}

/** How many of the steps are run: strength leaves out the first ones, unless the setting asks for all of them. */
function stepsRunText(steps, strength, exact) {
    if (!(steps > 0) || !(strength >= 0)) return "";
    const run = exact ? steps : Math.trunc(Math.min(strength, 0.999) * steps) + 1;
    return `${run} of ${steps} ${steps === 1 ? "step" : "steps"} ${run === 1 ? "is" : "are"} run`;
}

function updateImg2img() {
    const isBatch = currentMode() && !currentMode().canvas;
    const scale = numberIn("img2img_scale");
    sayIn("img2img_scale_resolution_preview", isBatch ? "Every picture by its own size" : scaledSizeText(presentPictureSize(), scale));
    sayIn("img2img_steps_run", stepsRunText(numberIn("img2img_steps"), numberIn("img2img_denoising_strength"), opts.img2img_fix_steps));
}

onUiLoaded(() => {
    onAfterUiUpdate(updateImg2img);
    for (const mode of img2imgModes.filter((each) => each.canvas)) {
        onCanvasChanged(mode.canvas, updateImg2img);
        onCanvasChanged(mode.canvas, (canvas) => followPictureSize(canvas));
    }
});
document.addEventListener("input", (event) => {
    if (event.target.closest && event.target.closest("#img2img_settings")) updateImg2img();
});
