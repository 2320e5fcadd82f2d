/* The Gallery tab: its tools, choosing pictures by mouse and keys, and what is done with the chosen ones. */
"use strict";

const MOST_CHOSEN = 5000; // what the server changes at once

const GALLERY_HELP = [
    ["red fox", "both words, in prompt, negative prompt or file name"], ['"red fox" -night', "a phrase; without a word"],
    ["prompt:fox negative:blurry", "in one of the prompts only"], ["cfg>7 steps:20..30", "numbers of any parameter"],
    ["sampler:euler seed=1234", "contains; is exactly"], ["model:dream size=512x768", "any parameter by its name"],
    ["date:2026-11 date>=2026-11-03", "days, months, years; also today"], ["is:starred tag:poster", "your own marks"], ["folder:grids name:0001", "where the file lies"],
];

function buildGallery() {
    const button = (id, text, title, onclick) => made("button", {type: "button", id, class: "dialog-button", text, title, onclick: () => act(onclick)});
    const act = (action) => safeAsync(action);
    const search = made("input", {type: "search", id: "gallery_search", placeholder: "Search: fox cfg>7 sampler:euler is:starred", "aria-label": "Search in the gallery", spellcheck: "false"});
    onEdit("gallery_search", search, 250, () => searchGallery({query: search.value}));
    const order = made("select", {id: "gallery_order", "aria-label": "Order", onchange: (event) => searchGallery({order: event.target.value})},
        ...Object.entries(GALLERY_ORDERS).map(([value, text]) => made("option", {value, text})));
    const folder = made("select", {id: "gallery_folder", "aria-label": "Folder", onchange: (event) => searchGallery({folder: event.target.value})},
        made("option", {value: "", text: "All folders"}));
    const size = made("input", {type: "range", id: "gallery_size", min: 90, max: 320, step: 10, value: localGet("gallery_cell", "160"), "aria-label": "Size of the thumbnails",
        title: "Size of the thumbnails", oninput: (event) => { localSet("gallery_cell", event.target.value); layOutGallery(); }});
    const help = made("dl", {id: "gallery_help", hidden: true}, ...GALLERY_HELP.flatMap(([query, meaning]) => [made("dt", {}, made("code", {text: query})), made("dd", {text: meaning})]));
    byId("gallery_tools").append(search,
        button("gallery_help_button", "?", "What can be searched for", () => { help.hidden = !help.hidden; }),
        button("gallery_starred", "★", "Only pictures with a star", toggleStarredSearch), folder, order, size,
        button("gallery_refresh", "Refresh", "List the folders again", () => loadGallery(true).then(fillGalleryFolders)),
        button("gallery_bin", "Bin", "What was deleted", toggleBin), help);
    const scroll = byId("gallery_scroll");
    scroll.addEventListener("scroll", () => requestAnimationFrame(drawGallery), {passive: true});
    scroll.addEventListener("click", (event) => safe(() => clickInGallery(event)));
    scroll.addEventListener("dblclick", (event) => safe(() => enlargeFromGallery(numberAt(event))));
    scroll.addEventListener("keydown", (event) => safe(() => keyInGallery(event)));
    scroll.addEventListener("dragstart", dragFromGallery);
    new ResizeObserver(() => requestAnimationFrame(layOutGallery)).observe(scroll);
    fillGalleryFolders();
}

async function fillGalleryFolders() {
    const {folders} = await callServer(galleryAddress("/folders"));
    const list = byId("gallery_folder");
    list.replaceChildren(made("option", {value: "", text: "All folders"}),
        ...folders.map(({label, count}) => made("option", {value: label, text: label + " (" + count.toLocaleString("en") + ")"})));
    list.value = folders.some(({label}) => label === galleryView.folder) ? galleryView.folder : "";
}

function toggleStarredSearch() {
    const search = byId("gallery_search");
    const without = search.value.replace(/\s*\bis:starred\b\s*/, " ").trim();
    search.value = without === search.value.trim() ? (without + " is:starred").trim() : without;
    return searchGallery({query: search.value});
}

/* Choosing */

function numberAt(event) {
    const cell = event.target.closest(".gallery-cell");
    return cell ? Number(cell.dataset.number) : null;
}

function clickInGallery(event) {
    const number = numberAt(event);
    if (number === null) return;
    if (event.shiftKey) chooseRange(galleryView.anchor, number);
    else if (event.ctrlKey || event.metaKey) toggleChosen(number);
    else chooseOne(number);
}

/** Does something with a picture, at once or as soon as what is known of it has arrived. */
function withRow(number, action) {
    const row = galleryView.rows.get(number);
    if (row) action(row);
    else safeAsync(() => askForRows(number, number).then(() => galleryView.rows.has(number) && action(galleryView.rows.get(number))));
}

function chooseOne(number) {
    withRow(number, (row) => {
        Object.assign(galleryView, {focus: number, anchor: number, chosen: new Set([row.id])});
        showChosen();
        if (!galleryView.isBin) showDetail(row.id);
    });
}

function toggleChosen(number) {
    withRow(number, (row) => {
        if (!galleryView.chosen.delete(row.id)) galleryView.chosen.add(row.id);
        Object.assign(galleryView, {focus: number, anchor: number});
        showChosen();
    });
}

/** Chooses all pictures between two, also those that were not in sight yet. */
async function chooseRange(from, to) {
    const first = Math.min(from, to);
    const last = Math.min(Math.max(from, to), first + MOST_CHOSEN - 1);
    if (last < Math.max(from, to)) showMessage("At most " + MOST_CHOSEN.toLocaleString("en") + " pictures are chosen at once.");
    galleryView.focus = to;
    if (!chooseKnown(first, last)) {
        const version = galleryView.version;
        await askForRows(first, last);
        if (version === galleryView.version) chooseKnown(first, last);
    }
}

/** Chooses those of a range that the page knows; whether that was all. */
function chooseKnown(first, last) {
    let isWhole = true;
    for (let number = first; number <= last; number++) {
        const row = galleryView.rows.get(number);
        if (row) galleryView.chosen.add(row.id);
        else isWhole = false;
    }
    showChosen();
    return isWhole;
}

function chooseNone() {
    galleryView.chosen.clear();
    if (galleryView.isBuilt) showChosen();
}

/** The bar of what can be done with several pictures. */
function showChosen() {
    refreshCells();
    const bar = byId("gallery_chosen");
    const count = galleryView.chosen.size;
    bar.hidden = galleryView.isBin ? !galleryView.total && !count : count < 2;
    if (bar.hidden) return;
    const button = (text, action) => made("button", {type: "button", class: "dialog-button", text, onclick: () => safeAsync(action)});
    const said = made("span", {text: count + " chosen"});
    bar.replaceChildren(...(galleryView.isBin ? binButtons(button, count) : [said,
        button("Star", () => starChosen(true)), button("Remove star", () => starChosen(false)), button("Tag…", tagChosen), button("Move…", moveChosen),
        ...(count === 2 ? [button("Compare", compareChosen)] : []), button("Delete", deleteChosen), button("Clear", chooseNone)]));
}

function focusInGallery(number) {
    const scroll = byId("gallery_scroll");
    galleryView.focus = Math.max(0, Math.min(galleryView.total - 1, number));
    const {top} = placeOf(galleryView.focus);
    if (top < scroll.scrollTop) scroll.scrollTop = top - GALLERY_HEAD_PX;
    else if (top + galleryView.cell > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = top + galleryView.cell - scroll.clientHeight + GALLERY_GAP_PX;
    drawGallery();
    refreshCells();
    const cell = galleryView.cells.get(galleryView.focus);
    if (cell) cell.focus({preventScroll: true});
}

function keyInGallery(event) {
    const number = numberAt(event);
    if (number === null) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const step = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -galleryView.columns, ArrowDown: galleryView.columns, Home: -Infinity, End: Infinity,
        PageUp: -5 * galleryView.columns, PageDown: 5 * galleryView.columns}[key];
    if ((event.ctrlKey || event.metaKey) && key === "a") {
        chooseRange(0, galleryView.total - 1);
    } else if (event.ctrlKey || event.metaKey || event.altKey) {
        return;
    } else if (step) {
        const from = galleryView.focus;
        focusInGallery(number + step);
        if (event.shiftKey) chooseRange(from, galleryView.focus);
        else if (!byId("gallery_detail").hidden) chooseOne(galleryView.focus);
    } else if (key === "Enter") {
        chooseOne(number);
    } else if (key === " ") {
        toggleChosen(number);
    } else if (key === "z" && !galleryView.isBin) {
        withRow(number, () => enlargeFromGallery(number));
    } else if (key === "s" && !galleryView.isBin) {
        withRow(number, (row) => {
            chooseIfNone(row);
            safeAsync(() => starChosen(!row.starred));
        });
    } else if (key === "Delete" && !galleryView.isBin) {
        withRow(number, (row) => {
            chooseIfNone(row);
            safeAsync(deleteChosen);
        });
    } else if (key === "Escape" && (galleryView.chosen.size || !byId("gallery_detail").hidden)) {
        hideDetail();
        chooseNone();
    } else {
        return;
    }
    event.preventDefault();
    event.stopPropagation();
}

function chooseIfNone(row) {
    if (!galleryView.chosen.has(row.id)) galleryView.chosen = new Set([row.id]);
}

/** A dragged thumbnail is the whole picture. */
function dragFromGallery(event) {
    const number = numberAt(event);
    const row = number === null ? null : galleryView.rows.get(number);
    if (row && !galleryView.isBin) event.dataTransfer.setData("text/uri-list", pictureAddress(row.id, "file"));
}

/* Doing */

/** Sends a change of pictures and shows what became of it. */
async function changeInGallery(path, body) {
    const answer = await callServer(galleryAddress(path), body);
    answer.notes.forEach((note) => showMessage(note, "error"));
    galleryView.isStale = true;
    await loadGallery(false);
    return answer;
}

function chosenIds() {
    return Array.from(galleryView.chosen);
}

async function starChosen(starred) {
    await changeInGallery("/star", {ids: chosenIds(), starred});
    refreshDetail();
}

async function deleteChosen() {
    const ids = chosenIds();
    const answer = await changeInGallery("/delete", {ids});
    chooseNone();
    hideDetail();
    const message = showMessage(answer.count === 1 ? "The picture is in the bin." : answer.count + " pictures are in the bin.");
    message.querySelector("span").after(made("button", {type: "button", class: "dialog-button", text: "Undo", onclick: () => {
        message.remove();
        changeInGallery("/restore", {ids: answer.undo}).catch((error) => showMessage(error.message, "error"));
    }}));
    if (galleryView.total) focusInGallery(galleryView.focus);
}

function galleryQuestion(title, fields, actionText, action) {
    const dialog = freshDialog("gallery_question", {kind: "gallery-question", title, what: "question"}, [...fields,
        made("div", {class: "dialog-buttons"}, made("button", {type: "button", class: "dialog-button", text: actionText, onclick: () => {
            closeDialog(dialog);
            safeAsync(action);
        }}))]);
    dialog.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.matches("input")) dialog.querySelector(".dialog-buttons button").click(); });
    const first = dialog.querySelector("input, select");
    if (first) first.focus();
}

function tagChosen() {
    const input = made("input", {type: "text", placeholder: "poster, print", "aria-label": "Tags, separated by commas"});
    galleryQuestion("Tag " + galleryView.chosen.size + " pictures", [made("label", {}, "Tags, separated by commas", input)], "Add", () =>
        changeInGallery("/tag", {ids: chosenIds(), add: input.value.split(",")}).then(refreshDetail));
}

function moveChosen() {
    const list = byId("gallery_folder").cloneNode(true);
    list.removeAttribute("id");
    list.querySelector("option[value='']").remove();
    const input = made("input", {type: "text", placeholder: "none", "aria-label": "New folder in it"});
    galleryQuestion("Move to another folder", [made("label", {}, "Folder", list), made("label", {}, "New folder in it", input)], "Move", async () => {
        const answer = await changeInGallery("/move", {ids: chosenIds(), folder: list.value, new_folder: input.value.trim()});
        chooseNone();
        hideDetail();
        showMessage(answer.count === 1 ? "The picture was moved." : answer.count + " pictures were moved.");
        await fillGalleryFolders();
    });
}

async function compareChosen() {
    const pictures = await Promise.all(chosenIds().slice(0, 2).map(pictureForOthers));
    await comparePictures(pictures[0], [pictures[1]], "txt2img");
}

/* The bin */

async function toggleBin() {
    galleryView.isBin = !galleryView.isBin;
    byId("gallery_bin").setAttribute("aria-pressed", String(galleryView.isBin));
    hideDetail();
    Object.assign(galleryView, {chosen: new Set(), focus: 0, isStale: true});
    byId("gallery_scroll").scrollTop = 0;
    if (!galleryView.isBin) {
        byId("gallery_chosen").hidden = true;
        return loadGallery(true);
    }
    return loadBin();
}

async function loadBin() {
    const {entries} = await callServer(galleryAddress("/bin"));
    if (!galleryView.isBin) return;
    const row = (entry) => ({id: entry.id, name: entry.name + " · " + entry.folder, source: addressOf(galleryAddress("/bin/" + entry.id + "/thumbnail"))});
    Object.assign(galleryView, {total: entries.length, days: entries.length ? [{day: "", count: entries.length, first: 0}] : [],
        rows: new Map(entries.map((entry, i) => [i, row(entry)])), asked: new Map(Array.from({length: Math.ceil(entries.length / GALLERY_BLOCK) + 1}, (_, i) => [i, Promise.resolve()]))});
    sayInGallery(entries.length ? entries.length.toLocaleString("en") + " deleted. Choose what shall come back." : "The bin is empty.");
    layOutGallery();
    showChosen();
}

function binButtons(button, count) {
    const restore = async () => {
        const answer = await callServer(galleryAddress("/restore"), {ids: chosenIds()});
        answer.notes.forEach((note) => showMessage(note, "error"));
        galleryView.chosen.clear();
        await loadBin();
    };
    const empty = async () => {
        if (!confirm("Delete everything in the bin for good?")) return;
        await callServer(galleryAddress("/empty-bin"), {all: true});
        galleryView.chosen.clear();
        await loadBin();
    };
    return [...(count ? [made("span", {text: count + " chosen"}), button("Restore", restore)] : []), button("Empty the bin", empty), button("Back to the pictures", toggleBin)];
}
