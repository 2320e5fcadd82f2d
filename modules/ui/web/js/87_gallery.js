/* The Gallery tab: what is searched for, which pictures that are, and drawing only those in sight. */
"use strict";

const GALLERY_BLOCK = 100; // pictures asked for at once
const GALLERY_GAP_PX = 6;
const GALLERY_HEAD_PX = 34;
const GALLERY_ORDERS = {newest: "Newest first", oldest: "Oldest first", name: "By name"};

/** What the tab shows. `days`: {day, count, first, top, rows}; `rows`: number of a picture -> what the server said of it. */
var galleryView = {isBuilt: false, query: "", order: "newest", folder: "", version: -1, total: 0, days: [], rows: new Map(), asked: new Map(),
    cells: new Map(), columns: 1, cell: 160, focus: 0, anchor: 0, chosen: new Set(), opened: null, asking: 0, isBin: false, height: 0};

function isGalleryShown() {
    return uiElementIsVisible(byId("gallery_page"));
}

function galleryAddress(path, parameters) {
    const query = new URLSearchParams(parameters || {}).toString();
    return "/internal/gallery" + path + (query ? "?" + query : "");
}

function pictureAddress(id, part) {
    return addressOf(galleryAddress("/picture/" + encodeURIComponent(id) + "/" + part));
}

/** What is searched for, as the server wants it. */
function gallerySearch() {
    const {query, order, folder} = galleryView;
    return {query, order, folder};
}

/* Asking */

/** Asks how many pictures there are and draws them; `look`: the server lists the folders before. */
async function loadGallery(look) {
    const asking = ++galleryView.asking;
    let overview;
    try {
        overview = await callServer(galleryAddress("", {...gallerySearch(), look: Boolean(look)}));
    } catch (error) {
        if (asking === galleryView.asking) sayInGallery(error.message, true);
        return;
    }
    if (asking !== galleryView.asking || galleryView.isBin) return; // another search was begun since
    const isSame = overview.version === galleryView.version && !galleryView.isStale;
    galleryView.unread = overview.unread;
    sayCount(overview.total);
    if (isSame) return;
    Object.assign(galleryView, {version: overview.version, total: overview.total, isStale: false});
    galleryView.rows.clear();
    galleryView.asked.clear();
    let first = 0;
    galleryView.days = overview.days.map(({day, count}) => {
        first += count;
        return {day, count, first: first - count};
    });
    galleryView.focus = Math.min(galleryView.focus, Math.max(0, overview.total - 1));
    layOutGallery();
}

/** Another search: what is drawn belongs to the old one. */
function searchGallery(change) {
    Object.assign(galleryView, change, {isStale: true, focus: 0, anchor: 0});
    chooseNone();
    const scroll = byId("gallery_scroll");
    if (scroll) scroll.scrollTop = 0;
    return loadGallery(false);
}

function sayInGallery(text, isError) {
    const said = byId("gallery_said");
    said.textContent = text;
    said.classList.toggle("error", Boolean(isError));
}

function sayCount(total) {
    const searched = galleryView.query.trim() || galleryView.folder;
    const count = total.toLocaleString("en") + (total === 1 ? " picture" : " pictures") + (searched ? " found" : "");
    const unread = galleryView.unread ? " · " + galleryView.unread.toLocaleString("en") + " still to be read" : "";
    sayInGallery(total || searched || galleryView.unread ? count + unread : "No pictures yet. What you generate appears here.");
}

/** Asks for the pictures with these numbers, in whole blocks, each once; resolves when all of them are here. */
function askForRows(first, last) {
    const asked = [];
    for (let block = Math.floor(first / GALLERY_BLOCK); block * GALLERY_BLOCK <= last; block++) {
        if (!galleryView.asked.has(block)) galleryView.asked.set(block, askForBlock(block));
        asked.push(galleryView.asked.get(block));
    }
    return Promise.all(asked);
}

async function askForBlock(block) {
    const asking = galleryView.version;
    try {
        const answer = await callServer(galleryAddress("/pictures", {...gallerySearch(), first: block * GALLERY_BLOCK, count: GALLERY_BLOCK}));
        if (asking !== galleryView.version || galleryView.isBin) return;
        answer.pictures.forEach((row, i) => galleryView.rows.set(answer.first + i, row));
        for (const [number, cell] of galleryView.cells) fillCell(cell, number);
    } catch (error) {
        galleryView.asked.delete(block);
        sayInGallery(error.message, true);
    }
}

/* Laying out: every cell has the same size, so places follow from counts alone */

function layOutGallery() {
    const scroll = byId("gallery_scroll");
    const field = byId("gallery_field");
    if (!scroll || !scroll.clientWidth) return;
    const wanted = Number(localGet("gallery_cell", "160"));
    const style = getComputedStyle(scroll);
    const width = scroll.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const columns = Math.max(2, Math.floor((width + GALLERY_GAP_PX) / (wanted + GALLERY_GAP_PX)));
    const cell = (width - (columns - 1) * GALLERY_GAP_PX) / columns;
    let top = 0;
    for (const day of galleryView.days) {
        day.top = top;
        day.head = day.day ? GALLERY_HEAD_PX : 0;
        top += day.head + Math.ceil(day.count / columns) * (cell + GALLERY_GAP_PX);
    }
    Object.assign(galleryView, {columns, cell, height: top});
    field.style.height = top + "px";
    const hadFocus = field.contains(document.activeElement);
    field.replaceChildren();
    galleryView.cells.clear();
    drawGallery();
    if (hadFocus && galleryView.total) focusInGallery(galleryView.focus);
}

/** The day that holds a picture, by its number. */
function dayOf(number) {
    const days = galleryView.days;
    let low = 0, high = days.length - 1;
    while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (days[middle].first <= number) low = middle;
        else high = middle - 1;
    }
    return days[low];
}

function placeOf(number) {
    const {columns, cell} = galleryView;
    const day = dayOf(number);
    const inDay = number - day.first;
    return {left: (inDay % columns) * (cell + GALLERY_GAP_PX), top: day.top + day.head + Math.floor(inDay / columns) * (cell + GALLERY_GAP_PX)};
}

/** Puts the cells that are in sight, and a screen above and below, into the page; all others are taken out. */
function drawGallery() {
    const scroll = byId("gallery_scroll");
    const field = byId("gallery_field");
    if (!scroll || !galleryView.columns) return;
    const begin = scroll.scrollTop - scroll.clientHeight, end = scroll.scrollTop + 2 * scroll.clientHeight;
    const wanted = new Set();
    const heads = [];
    const {columns, cell} = galleryView;
    for (const day of galleryView.days) {
        const rows = Math.ceil(day.count / columns);
        const bottom = day.top + day.head + rows * (cell + GALLERY_GAP_PX);
        if (bottom < begin || day.top > end) continue;
        if (day.day) heads.push(day);
        const line = (y) => Math.floor((y - day.top - day.head) / (cell + GALLERY_GAP_PX));
        for (let row = Math.max(0, line(begin)); row <= Math.min(rows - 1, line(end)); row++) {
            for (let number = row * columns; number < Math.min(day.count, (row + 1) * columns); number++) wanted.add(day.first + number);
        }
    }
    for (const [number, element] of galleryView.cells) {
        if (wanted.has(number)) continue;
        element.remove();
        galleryView.cells.delete(number);
    }
    field.querySelectorAll("h3").forEach((head) => head.remove());
    for (const day of heads) {
        field.append(made("h3", {style: "top:" + day.top + "px", text: dayName(day.day)}, made("span", {text: " " + day.count.toLocaleString("en")})));
    }
    if (!wanted.size) return;
    const numbers = Array.from(wanted);
    askForRows(Math.min(...numbers), Math.max(...numbers));
    for (const number of numbers) {
        if (!galleryView.cells.has(number)) addCell(field, number);
    }
}

function dayName(day) {
    const date = new Date(day + "T12:00:00");
    const days = Math.round((new Date().setHours(12, 0, 0, 0) - date) / 86400000);
    if (days === 0) return "Today";
    if (days === 1) return "Yesterday";
    return date.toLocaleDateString("en", {weekday: "short", day: "numeric", month: "long", year: "numeric"});
}

function addCell(field, number) {
    const {left, top} = placeOf(number);
    const size = galleryView.cell + "px";
    const cell = made("button", {type: "button", class: "gallery-cell", role: "option", "data-number": number, tabindex: number === galleryView.focus ? "0" : "-1",
        style: `left:${left}px;top:${top}px;width:${size};height:${size}`});
    galleryView.cells.set(number, cell);
    fillCell(cell, number);
    field.append(cell);
}

/** Shows what is known of a picture in its cell. */
function fillCell(cell, number) {
    const row = galleryView.rows.get(number);
    if (!row) return;
    if (cell.dataset.id !== row.id) {
        cell.dataset.id = row.id;
        cell.setAttribute("aria-label", row.name);
        cell.title = row.name;
        cell.classList.remove("unreadable");
        const source = row.source || pictureAddress(row.id, "thumbnail");
        cell.replaceChildren(made("img", {src: source, alt: "", decoding: "async", onerror: (event) => event.target.closest("button").classList.add("unreadable")}));
    }
    cell.classList.toggle("starred", Boolean(row.starred));
    cell.setAttribute("aria-selected", String(galleryView.chosen.has(row.id)));
}

function refreshCells() {
    for (const [number, cell] of galleryView.cells) {
        fillCell(cell, number);
        cell.tabIndex = number === galleryView.focus ? 0 : -1;
    }
}

/* When */

function openGalleryTab() {
    if (!isGalleryShown()) return;
    if (!galleryView.isBuilt) {
        galleryView.isBuilt = true;
        buildGallery();
    }
    if (galleryView.isBin) return;
    loadGallery(true);
    setTimeout(() => loadGallery(false), 1000); // the server lists the folders meanwhile
}

/** While the tab is in sight it is kept up to date: often while files are read, else now and then. */
setInterval(() => {
    if (!galleryView.isBuilt || document.hidden || !isGalleryShown() || galleryView.isBin) return;
    galleryView.ticks = (galleryView.ticks || 0) + 1;
    if (galleryView.unread || galleryView.ticks % 5 === 0) loadGallery(galleryView.ticks % 5 === 0);
}, 2000);

onUiTabChange(() => whenInPage(() => !isGalleryTab() || byId("gallery_page")).then(openGalleryTab).catch(() => {}));

function isGalleryTab() {
    const tab = get_uiCurrentTab();
    return Boolean(tab && tab.id.startsWith("tab_gallery"));
}
