/* Compare: the selected picture beside another one, as a slider, side by side, as their difference, and by their parameters. */
"use strict";

const COMPARE_VIEWS = {slider: "Slider", sides: "Side by side", difference: "Difference"};

/** What the open dialog compares: tab, pictures {name, source, infotext}, choices, view. */
var comparison = null;

RESULT_TABS.forEach((tab) => listen(tab + "_compare", () => openCompare(tab)));

async function openCompare(tab) {
    const selected = selectedPicture(tab);
    if (selected) await comparePictures({...selected, name: "This picture"}, await choicesForCompare(tab), tab);
}

/** Compares a picture ({name, source, infotext}) with one of several; differences can be applied to the form of `tab`. */
async function comparePictures(first, choices, tab) {
    comparison = {tab, first, second: null, choices, view: localGet("compare_view", "slider")};
    const dialog = compareDialog();
    fillCompareChoices();
    openDialog(dialog, "Compare");
    if (comparison.choices.length) await chooseSecond("0");
    else sayInCompare("There is no other picture yet. Choose a file, or make another one.");
}

/** Pictures to compare with: the input of the job, its other pictures, then those of the jobs before. */
async function choicesForCompare(tab) {
    const id = shownTask(tab);
    const index = Math.max(0, selected_gallery_index());
    const jobs = [{id}, ...queueState.recent.filter((job) => job.id !== id && job.pictures_done).slice(0, 8)];
    const choices = [];
    const answers = await Promise.all(jobs.map((job) => callServer("/internal/result/" + encodeURIComponent(job.id)).catch(() => null)));
    for (const [place, answer] of answers.entries()) {
        if (!answer) continue;
        if (place === 0 && answer.kind === "img2img") choices.push({name: "Its input", source: addressOf("/internal/compare/input/" + encodeURIComponent(id)), infotext: ""});
        const pictures = answer.result ? answer.result.images : answer.pictures;
        pictures.forEach((picture, i) => {
            if (place === 0 && i === index) return;
            const what = picture.is_grid ? "Grid" : "Picture " + (i + 1);
            const name = place === 0 ? what + " of this job" : what + " of: " + (answer.title || "(empty prompt)").slice(0, 60);
            choices.push({name, source: addressOf(picture.url), infotext: picture.infotext || ""});
        });
    }
    return choices;
}

function compareDialog() {
    return dialogNamed("compare_dialog", {kind: "compare", title: "Compare", what: "comparison"}, compareParts);
}

function compareParts() {
    const views = Object.entries(COMPARE_VIEWS).map(([view, text]) => made("button", {type: "button", class: "plain", "data-view": view, text, onclick: () => showCompareView(view)}));
    const frame = (name) => made("figure", {class: name}, made("img", {alt: ""}), made("figcaption", {}));
    const stage = made("div", {class: "compare-stage"}, frame("first"), frame("second"), made("canvas", {}), made("div", {class: "compare-line"}));
    const range = (name, label, attributes) => made("label", {class: name}, label, made("input", {type: "range", ...attributes}));
    const drag = (event) => {
        const box = stage.getBoundingClientRect();
        if (event.buttons && comparison.view === "slider") splitCompare((event.clientX - box.left) / box.width * 100);
    };
    stage.addEventListener("pointerdown", (event) => { stage.setPointerCapture(event.pointerId); drag(event); event.preventDefault(); });
    stage.addEventListener("pointermove", drag);
    return [
        made("div", {class: "compare-tools"},
            made("label", {}, "With ", made("select", {onchange: (event) => chooseSecond(event.target.value).catch((error) => sayInCompare(error.message))})),
            made("input", {type: "file", accept: "image/*", hidden: true, onchange: (event) => chooseFile(event.target).catch((error) => sayInCompare(error.message))}),
            made("div", {class: "compare-views", role: "group", "aria-label": "View"}, ...views)),
        stage,
        range("compare-split", "Divider ", {min: 0, max: 100, step: 0.5, value: 50, oninput: (event) => splitCompare(Number(event.target.value))}),
        range("compare-gain", "Amplify ", {min: 1, max: 32, value: 4, oninput: () => drawDifference()}),
        made("p", {class: "compare-said", role: "status"}), made("section", {class: "compare-parameters"}),
    ];
}

function sayInCompare(text) {
    byId("compare_dialog").querySelector(".compare-said").textContent = text;
}

function splitCompare(percent) {
    const dialog = byId("compare_dialog");
    const split = Math.min(100, Math.max(0, percent));
    dialog.querySelector(".compare-stage").style.setProperty("--split", split + "%");
    dialog.querySelector(".compare-split input").value = split;
}

/** Writes the list of choices; it shows the one that is compared with, so that "A file…" can be chosen again. */
function fillCompareChoices() {
    const list = compareDialog().querySelector("select");
    list.replaceChildren(...comparison.choices.map((choice, i) => made("option", {value: i, text: choice.name})), made("option", {value: "file", text: "A file…"}));
    list.selectedIndex = comparison.choices.indexOf(comparison.second);
}

async function chooseSecond(value) {
    if (value === "file") {
        fillCompareChoices();
        byId("compare_dialog").querySelector("input[type=file]").click();
        return;
    }
    await showComparison(comparison.choices[Number(value)]);
}

/** A picture from the person's disk; its parameters are read by the server where it holds some. */
async function chooseFile(input) {
    const file = input.files[0];
    if (!file) return;
    input.value = ""; // so that the same file can be chosen again
    const asked = comparison;
    const choice = {name: file.name, source: URL.createObjectURL(file), infotext: await infotextIn(file).catch(() => "")};
    if (comparison !== asked) return;
    comparison.choices.push(choice);
    await showComparison(choice);
}

async function showComparison(second) {
    comparison.second = second;
    fillCompareChoices();
    const asked = comparison;
    const isLate = () => comparison !== asked || comparison.second !== second;
    const dialog = byId("compare_dialog");
    const stage = dialog.querySelector(".compare-stage");
    const load = async (name, picture) => {
        const image = stage.querySelector("." + name + " img");
        image.src = picture.source;
        stage.querySelector("." + name + " figcaption").textContent = picture.name;
        await image.decode().catch(() => { if (!isLate()) throw new Error("The picture cannot be shown: " + picture.name); });
        return image;
    };
    const [first, other] = await Promise.all([load("first", comparison.first), load("second", second)]);
    if (isLate()) return; // another one was chosen since
    stage.style.setProperty("--aspect", first.naturalWidth / first.naturalHeight);
    const sizes = (image) => image.naturalWidth + "x" + image.naturalHeight;
    comparison.note = sizes(first) === sizes(other) ? "" : "Sizes differ: " + sizes(first) + " and " + sizes(other) + "; the second is scaled to the first. ";
    splitCompare(50);
    showCompareView(comparison.view);
    await showParameterDifference();
}

function showCompareView(view) {
    comparison.view = view in COMPARE_VIEWS ? view : "slider";
    localSet("compare_view", comparison.view);
    const dialog = byId("compare_dialog");
    dialog.dataset.view = comparison.view;
    for (const button of dialog.querySelectorAll(".compare-views button")) button.setAttribute("aria-pressed", String(button.dataset.view === comparison.view));
    if (comparison.second) drawDifference();
}

/** Pixels of an image element at the size of the first picture. */
function pixelsOf(image, width, height) {
    const sheet = made("canvas", {width, height});
    const context = sheet.getContext("2d", {willReadFrequently: true});
    context.drawImage(image, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
}

/** Draws |first - second|, amplified, and says how many pixels differ. */
function drawDifference() {
    const stage = byId("compare_dialog").querySelector(".compare-stage");
    const first = stage.querySelector(".first img");
    const {naturalWidth: width, naturalHeight: height} = first;
    const one = pixelsOf(first, width, height);
    const two = pixelsOf(stage.querySelector(".second img"), width, height);
    const gain = Number(byId("compare_dialog").querySelector(".compare-gain input").value);
    const {changed, most} = differenceInto(one.data, two.data, gain);
    const canvas = stage.querySelector("canvas");
    Object.assign(canvas, {width, height});
    canvas.getContext("2d").putImageData(one, 0, 0);
    const total = width * height;
    const outcome = changed ? `${changed.toLocaleString("en")} of ${total.toLocaleString("en")} pixels differ (${(changed / total * 100).toFixed(1)} %), by at most ${most} levels.` : "Both are equal in every pixel.";
    sayInCompare((comparison.note || "") + outcome);
}

/** Writes the amplified difference of two pixel arrays (RGBA) over the first: {changed: pixels, most: levels}. */
function differenceInto(one, two, gain) {
    let changed = 0, most = 0;
    for (let i = 0; i < one.length; i += 4) {
        let here = 0;
        for (let channel = 0; channel < 3; channel++) {
            const difference = Math.abs(one[i + channel] - two[i + channel]);
            if (difference > here) here = difference;
            one[i + channel] = difference * gain;
        }
        one[i + 3] = 255;
        if (here) changed++;
        if (here > most) most = here;
    }
    return {changed, most};
}

/* Parameters */

async function showParameterDifference() {
    const section = byId("compare_dialog").querySelector(".compare-parameters");
    const asked = comparison;
    const {first, second} = asked;
    if (!second.infotext || !first.infotext) {
        section.replaceChildren(made("p", {class: "quiet", text: "One of them holds no parameters to compare."}));
        return;
    }
    const {rows} = await callServer("/internal/compare/parameters", {first: first.infotext, second: second.infotext});
    if (comparison !== asked || comparison.second !== second) return; // another one was chosen since
    if (!rows.length) {
        section.replaceChildren(made("p", {class: "quiet", text: "The parameters are the same."}));
        return;
    }
    const cells = rows.map((row) => made("tr", {},
        made("td", {}, made("label", {}, made("input", {type: "checkbox", checked: row.applies, disabled: !row.applies, "data-key": row.key}), row.key)),
        made("td", {text: row.first || "–"}), made("td", {text: row.second || "–"})));
    section.replaceChildren(
        made("table", {}, made("thead", {}, made("tr", {}, ...["Parameter", first.name, second.name].map((text) => made("th", {text})))), made("tbody", {}, ...cells)),
        made("div", {class: "dialog-buttons"}, made("button", {type: "button", class: "dialog-button", text: "Apply to the form", title: "The ticked parameters get the values of the right column", onclick: () => safe(applyDifference)})));
}

function applyDifference() {
    const dialog = byId("compare_dialog");
    const only = Array.from(dialog.querySelectorAll("[data-key]:checked"), (box) => box.dataset.key);
    closeDialog(dialog);
    return sendToForm(comparison.tab, {infotext: comparison.second.infotext, only});
}
