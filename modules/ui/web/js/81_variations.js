/* Variations around the selected picture, and a sweep of one slider: both fill in the X/Y/Z plot, run it, and leave the form as it was. */
"use strict";

const PLOT_SCRIPT = "X/Y/Z plot";
/** Control -> the axis that varies it, for the sliders that have one. */
const SWEPT = {steps: "Steps", cfg_scale: "CFG Scale", image_cfg_scale: "Image CFG Scale", width: "Width", height: "Height", subseed_strength: "Var. strength",
    denoising_strength: "Denoising", hires_steps: "Hires steps", hr_scale: "Hires upscale", hr_resize_x: "Hires width", hr_resize_y: "Hires height", hr_cfg: "Hires CFG scale",
    switch_at: "Refiner switch at", mask_blur: "Mask blur", inpaint_full_res_padding: "Masked area padding", seed_resize_from_w: "Resize seed from width",
    seed_resize_from_h: "Resize seed from height"};

GENERATING_TABS.forEach((tab) => listen(tab + "_explore", () => openVariations(tab)));

function numberField(label, attributes) {
    const input = made("input", {type: "number", ...attributes});
    return {input, row: made("label", {}, label, input)};
}

function openVariations(tab) {
    const picture = selectedPicture(tab);
    if (!picture) return;
    if (!picture.infotext) return showMessage("This picture holds no parameters, so nothing can be varied.");
    const count = numberField("Variations per strength", {min: 1, max: 50, step: 1, value: 4});
    const rows = numberField("Strengths", {min: 1, max: 20, step: 1, value: 3});
    const from = numberField("From", {min: 0.01, max: 1, step: 0.01, value: 0.05});
    const to = numberField("To", {min: 0.01, max: 1, step: 0.01, value: 0.3});
    const fields = [count, rows, from, to];
    const explore = async () => {
        closeDialog(byId("variations_dialog"));
        const [seeds, strengths, first, last] = fields.map(({input}) => Math.min(Number(input.max), Math.max(Number(input.min), Number(input.value))));
        await exploreVariations(tab, picture.infotext, {seeds, strengths, first, last});
    };
    freshDialog("variations_dialog", {kind: "variations", title: "Variations of this picture"}, [
        made("p", {class: "quiet", text: "Each column is another variation seed, each row goes further away. A cell that you send to the form becomes the next starting point: what it was varied by is kept as a chain."}),
        made("div", {class: "variation-fields"}, ...fields.map(({row}) => row)),
        made("div", {class: "dialog-buttons"}, made("button", {type: "button", id: "variations_go", class: "dialog-button", text: "Explore",
            onclick: () => explore().catch((error) => showMessage(error.message, "error"))}))]);
}

/** The value of a key in an infotext's line of parameters, as text; "" where it is not there. */
function infotextValue(infotext, key) {
    const line = infotext.trim().split("\n").pop();
    const found = line.match(new RegExp("(?:^|, )" + key + ': (?:"([^"]*)"|([^,]*))'));
    return found ? found[1] || found[2] || "" : "";
}

/** What a picture was varied by so far, its own variation included: "12:0.2, 77:0.1". */
function chainOf(infotext) {
    const [seed, strength, chain] = ["Variation seed", "Variation seed strength", "Variation chain"].map((key) => infotextValue(infotext, key));
    return [strength ? seed + ":" + strength : "", chain].filter(Boolean).join(", ");
}

/** Numbers from first to last, rounded to hundredths, as the plot's values. */
function evenly(first, last, count) {
    return Array.from({length: count}, (_, i) => Math.round((count > 1 ? first + (last - first) * i / (count - 1) : first) * 100) / 100).join(", ");
}

async function exploreVariations(tab, infotext, {seeds, strengths, first, last}) {
    await sendToForm(tab, {infotext});
    const base = 1 + Math.floor(Math.random() * 2 ** 31);
    const chain = chainOf(infotext);
    await runPlot(tab, {subseed: -1, subseed_strength: 0, variations: chain},
        [["X", "Var. seed", Array.from({length: seeds}, (_, i) => base + i).join(", ")], ["Y", "Var. strength", evenly(first, last, strengths)]], true);
}

/** The value that stands for an axis in the plot's list; gradio keeps the choices of the page in its configuration. */
function axisNumber(tab, letter, type) {
    const id = "script_" + tab + "_xyz_plot_" + letter.toLowerCase() + "_type";
    const list = window.gradio_config.components.find((component) => component.props && component.props.elem_id === id);
    const choice = list && list.props.choices.find(([text]) => text === type);
    if (!choice) throw new Error("The plot has no axis " + type + " here.");
    return choice[1];
}

/** Runs a plot over axes [letter, type, values]; the form is afterwards as `kept` leaves it, without the script. */
async function runPlot(tab, kept, axes, needsExtra) {
    const memory = formMemories[tab];
    const before = await memory.read();
    const named = (letter, what) => Object.keys(before).find((name) => name.endsWith("/" + letter + " " + what));
    const values = {...kept, script: PLOT_SCRIPT, ...(needsExtra ? {extra: true} : {})};
    for (const letter of ["X", "Y", "Z"]) {
        const axis = axes.find(([name]) => name === letter) || [letter, "Nothing", ""];
        values[named(letter, "type")] = axisNumber(tab, letter, axis[1]);
        values[named(letter, "values")] = axis[2];
    }
    (await memory.take(values)).forEach((note) => showMessage(note, "error"));
    await answeredPress(tab + "_generate");
    await memory.take({...Object.fromEntries(Object.keys(values).filter((name) => !(name in kept)).map((name) => [name, before[name]])), ...kept, script: before.script});
}

/* A sweep: a right click on a slider */

function sweptSlider(element) {
    const block = element.closest && element.closest(".gradio-slider");
    const tab = block && GENERATING_TABS.find((name) => block.id.startsWith(name + "_"));
    const axis = tab && SWEPT[block.id.slice(tab.length + 1)];
    return axis ? {tab, axis, block} : null;
}

/** Five values around the present one, within the slider's range and on its steps. */
function sweepValues(block) {
    const number = block.querySelector("input[type=number]");
    const range = block.querySelector("input[type=range]");
    const [low, high, step] = [Number(range.min), Number(range.max), Number(range.step) || 1];
    const now = Number(number.value);
    const reach = Math.max(step * 2, Math.min((high - low) / 4, Math.abs(now) * 0.5 || (high - low) / 4));
    const onStep = (value) => Math.round(Math.min(high, Math.max(low, low + Math.round((value - low) / step) * step)) * 1e4) / 1e4;
    return Array.from(new Set([-1, -0.5, 0, 0.5, 1].map((part) => onStep(now + part * reach)))).join(", ");
}

var sweepFor = null;
document.addEventListener("contextmenu", (event) => { sweepFor = sweptSlider(event.target); }, true);

for (const [control, axis] of Object.entries(SWEPT)) {
    const selector = GENERATING_TABS.map((tab) => "#" + tab + "_" + control + ".gradio-slider").join(", ");
    appendContextMenuOption(selector, "Sweep “" + axis + "” around its value", () => {
        if (!sweepFor) return;
        const {tab, block} = sweepFor;
        runPlot(tab, {}, [["X", axis, sweepValues(block)]], axis === "Var. strength").catch((error) => showMessage(error.message, "error"));
    });
}
