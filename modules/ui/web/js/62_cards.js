/* Cards of networks: fetched when their tab is first opened, searched, sorted and shown here; only those in sight are in the page. */
"use strict";

const CARD_SORTS = {path: "Path", name: "Name", created: "Date Created", modified: "Date Modified"};
const CARD_FOLDERS = {textual_inversion: "embeddings", hypernetworks: "models/hypernetworks", checkpoints: "models/Stable-diffusion", lora: "models/Lora"};
/** Lists up to this length are in the page as a whole, so that scripts of extensions find every card. */
const ALL_CARDS = 200;
const CARD_ROWS_AHEAD = 2;

/** By the id of the page's element: {tab, kind, element, cards, matching, folder, ...}. */
var cardPages = {};
var cardCollator = new Intl.Collator(undefined, {numeric: true, sensitivity: "base"});

onUiUpdate(() => {
    for (const element of document.querySelectorAll(".cards-page:empty")) setUpCardPage(element);
});

/* A button that scripts of extensions press; nobody else sees it. */
onUiLoaded(() => {
    for (const tab of GENERATING_TABS) {
        const again = () => Object.values(cardPages).filter((page) => page.tab === tab && page.element.isConnected).forEach((page) => loadCards(page, true));
        gradioApp().append(made("button", {type: "button", id: tab + "_extra_refresh", hidden: true, onclick: again}));
    }
});

/** Builds the controls of a page of cards, and fetches what is on them. */
function setUpCardPage(element) {
    const page = {tab: element.dataset.tab, kind: element.dataset.kind, element, id: element.id, cards: [], matching: [], folder: "", nodes: new Map()};
    cardPages[element.id] = page;
    element.append(cardControls(page), made("p", {class: "cards-note", role: "status"}),
        made("div", {class: "cards-body"}, made("nav", {class: "cards-folders", "aria-label": "Folders"}),
            made("div", {class: "cards-scroll extra-network-cards", id: page.tab + "_" + page.kind + "_cards", tabindex: "-1"}, made("div", {class: "cards-grid"}))));
    page.scroll = element.querySelector(".cards-scroll");
    page.grid = element.querySelector(".cards-grid");
    page.scroll.addEventListener("scroll", () => showCardsInSight(page), {passive: true});
    new ResizeObserver(() => showCardsInSight(page)).observe(page.scroll);
    loadCards(page, false);
}

function cardControls(page) {
    const id = page.tab + "_" + page.kind;
    const stored = (localGet("cards_sort_" + page.kind, "") || "path,ascending").split(",");
    page.sort = CARD_SORTS[stored[0]] ? stored[0] : "path";
    page.descending = stored[1] === "descending";
    const search = made("input", {type: "search", id: id + "_extra_search", class: "cards-search", placeholder: "Search", "aria-label": "Search cards"});
    search.addEventListener("input", () => { page.query = search.value; arrangeCards(page); });
    const sort = made("select", {id: id + "_extra_sort", "aria-label": "Sort by", class: "cards-sort"},
        ...Object.entries(CARD_SORTS).map(([value, text]) => made("option", {value, text, selected: value === page.sort})));
    sort.addEventListener("change", () => { page.sort = sort.value; keepCardSort(page); });
    const order = made("button", {type: "button", id: id + "_extra_sort_dir", class: "plain cards-order"});
    order.addEventListener("click", () => { page.descending = !page.descending; keepCardSort(page); });
    page.order = order;
    const refresh = made("button", {type: "button", id: id + "_extra_refresh", class: "plain easel-icon icon-refresh", title: "Look for files again", "aria-label": "Look for files again",
        text: "🔄", onclick: () => loadCards(page, true)});
    nameCardOrder(page);
    return made("div", {class: "cards-controls"}, search, made("label", {class: "cards-sorting"}, made("span", {text: "Sort"}), sort), order, refresh);
}

function keepCardSort(page) {
    localSet("cards_sort_" + page.kind, page.sort + "," + (page.descending ? "descending" : "ascending"));
    nameCardOrder(page);
    arrangeCards(page);
}

function nameCardOrder(page) {
    page.order.textContent = page.descending ? "↓" : "↑";
    page.order.title = page.descending ? "Descending" : "Ascending";
    page.order.setAttribute("aria-label", "Order: " + page.order.title.toLowerCase());
}

/** Fetches the cards of a kind; with `again` the program looks for new files too. */
async function loadCards(page, again) {
    sayOfCards(page, "Looking for files…");
    try {
        const answer = await callServer("/internal/cards/list/" + page.kind + (again ? "?refresh=true" : ""));
        page.cards = answer.cards;
        for (const card of page.cards) card.text = cardSearchText(card);
        page.byKey = new Map(page.cards.map((card) => [card.key, card]));
        page.nodes.clear();
        page.grid.replaceChildren();
        fillCardFolders(page);
        arrangeCards(page);
    } catch (error) {
        sayOfCards(page, error.message);
    }
}

function cardSearchText(card) {
    return [card.folder, card.name, card.description, card.activation, card.version, card.hash, card.problem].filter(Boolean).join("\n").toLowerCase();
}

function sayOfCards(page, text) {
    page.element.querySelector(".cards-note").textContent = text;
}

/* Folders */

function fillCardFolders(page) {
    const counts = new Map();
    for (const card of page.cards) {
        for (let folder = card.folder; folder; folder = folder.includes("/") ? folder.slice(0, folder.lastIndexOf("/")) : "") {
            counts.set(folder, (counts.get(folder) || 0) + 1);
        }
    }
    if (!counts.has(page.folder)) page.folder = "";
    const nav = page.element.querySelector(".cards-folders");
    nav.hidden = !counts.size;
    const folders = Array.from(counts.keys()).sort((one, two) => cardCollator.compare(one.replaceAll("/", "\u0001"), two.replaceAll("/", "\u0001")));
    nav.replaceChildren(cardFolder(page, "", page.cards.length), ...folders.map((folder) => cardFolder(page, folder, counts.get(folder))));
}

function cardFolder(page, folder, count) {
    const depth = folder ? folder.split("/").length - 1 : 0;
    const button = made("button", {type: "button", class: "cards-folder", "data-folder": folder, title: folder || null, style: "--depth:" + depth, "aria-pressed": String(page.folder === folder)},
        made("span", {text: folder ? folder.slice(folder.lastIndexOf("/") + 1) : "All", "data-parent": folder.slice(0, folder.lastIndexOf("/") + 1)}), made("small", {text: String(count)}));
    button.addEventListener("click", () => {
        page.folder = folder;
        for (const other of page.element.querySelectorAll(".cards-folder")) other.setAttribute("aria-pressed", String(other === button));
        arrangeCards(page);
    });
    return button;
}

/* Which cards, in which order */

function arrangeCards(page) {
    const words = (page.query || "").toLowerCase().split(/\s+/).filter(Boolean);
    const inFolder = (card) => !page.folder || card.folder === page.folder || card.folder.startsWith(page.folder + "/");
    page.matching = page.cards.filter((card) => inFolder(card) && words.every((word) => card.text.includes(word)));
    page.matching.sort(cardOrder(page.sort));
    if (page.descending) page.matching.reverse();
    const all = page.cards.length;
    const none = all ? "No card fits." : "There are no files of this kind yet. Put them into " + CARD_FOLDERS[page.kind] + " and press the button above.";
    sayOfCards(page, page.matching.length ? (page.matching.length === all ? all : page.matching.length + " of " + all) + (all === 1 ? " card" : " cards") : none);
    page.scroll.scrollTop = 0;
    page.shown = null;
    showCardsInSight(page);
}

function cardOrder(sort) {
    const byPath = (one, two) => (one.folder === two.folder ? 0 : cardCollator.compare(one.folder, two.folder)) || cardCollator.compare(one.name, two.name);
    if (sort === "name") return (one, two) => cardCollator.compare(one.name, two.name) || byPath(one, two);
    if (sort === "path") return byPath;
    return (one, two) => one[sort] - two[sort] || byPath(one, two);
}

/* Which of them are in the page */

function showCardsInSight(page) {
    if (!uiElementIsVisible(page.scroll)) return;
    const style = getComputedStyle(page.grid);
    const width = parseFloat(style.getPropertyValue("--card-width"));
    const height = parseFloat(style.getPropertyValue("--card-height"));
    const gap = parseFloat(style.getPropertyValue("--card-gap"));
    const columns = Math.max(1, Math.floor((page.scroll.clientWidth + gap) / (width + gap)));
    const rows = Math.ceil(page.matching.length / columns);
    let [first, last] = [0, rows];
    if (page.matching.length > ALL_CARDS) {
        first = Math.max(0, Math.floor(page.scroll.scrollTop / (height + gap)) - CARD_ROWS_AHEAD);
        last = Math.min(rows, Math.ceil((page.scroll.scrollTop + page.scroll.clientHeight) / (height + gap)) + CARD_ROWS_AHEAD);
    }
    const shown = [columns, first, last, page.matching.length].join();
    if (shown === page.shown) return;
    page.shown = shown;
    page.grid.style.gridTemplateColumns = "repeat(" + columns + ", 1fr)";
    page.grid.style.paddingTop = first * (height + gap) + "px";
    page.grid.style.paddingBottom = Math.max(0, rows - last) * (height + gap) + "px";
    putCards(page, page.matching.slice(first * columns, last * columns));
    markCardsInPrompt(page);
}

/** Brings the grid to these cards. Cards that stay are not touched: one of them may have the focus. */
function putCards(page, cards) {
    const wanted = new Map(cards.map((card) => [card.key, card]));
    for (const [key, node] of page.nodes) {
        if (wanted.has(key)) continue;
        node.remove();
        page.nodes.delete(key);
    }
    let next = page.grid.firstElementChild;
    for (const card of cards) {
        let node = page.nodes.get(card.key);
        if (!node) page.nodes.set(card.key, node = cardElement(page, card));
        if (node === next) next = next.nextElementSibling;
        else page.grid.insertBefore(node, next);
    }
}

function cardElement(page, card) {
    const problem = card.problem ? made("p", {class: "card-problem", text: card.problem}) : null;
    const node = made("div", {class: "card" + (card.problem ? " broken" : ""), "data-name": card.name, "data-key": card.key, "data-sort-path": card.folder + "/" + card.name, "data-sort-name": card.name.toLowerCase(),
        "data-sort-date_created": card.created, "data-sort-date_modified": card.modified, title: [card.name, card.problem || card.description].filter(Boolean).join("\n")});
    const use = made("button", {type: "button", class: "card-use", "aria-label": (page.kind === "checkpoints" ? "Use " : "Insert ") + card.name, onclick: () => useCard(page, card)});
    if (card.preview) use.append(cardPicture(page, card));
    else use.append(made("span", {class: "card-initial", "aria-hidden": "true", text: card.name.slice(0, 1).toUpperCase()}));
    node.append(use, cardButtons(page, card), made("div", {class: "actions"},
        made("div", {class: "additional"}, made("span", {class: "search_term", hidden: true, text: card.folder + "/" + card.name})),
        made("span", {class: "name", text: card.name}), card.version ? made("small", {class: "card-version", text: card.version}) : null,
        problem || (card.description ? made("p", {class: "description", text: card.description}) : null)));
    return node;
}

function cardPicture(page, card) {
    const query = new URLSearchParams({kind: page.kind, key: card.key, v: card.preview});
    const picture = made("img", {class: "preview", loading: "lazy", decoding: "async", alt: "", src: document.baseURI.replace(/\/+$/, "") + "/internal/cards/preview?" + query});
    picture.addEventListener("error", () => picture.replaceWith(made("span", {class: "card-initial", "aria-hidden": "true", text: card.name.slice(0, 1).toUpperCase()})));
    return picture;
}

function cardButtons(page, card) {
    const button = (name, icon, kind, action) => made("button", {type: "button", class: kind + " card-button plain easel-icon " + icon, title: name, "aria-label": name + ": " + card.name,
        onclick: () => Promise.resolve(safe(action)).catch((error) => showMessage(error.message, "error"))});
    return made("div", {class: "button-row"},
        button("Copy the path", "icon-copy", "copy-path-button", () => copyCardPath(page, card)),
        button("Metadata", "icon-metadata", "metadata-button", () => showCardMetadata(page, card)),
        button("Edit", "icon-edit", "edit-button", () => editCard(page, card)));
}

/** Copies the path of the file; where the browser does not let pages copy, the path is shown instead. */
async function copyCardPath(page, card) {
    const {path} = await callServer("/internal/cards/details" + cardQuery(page, card));
    try {
        await navigator.clipboard.writeText(path);
        showMessage("Copied " + path);
    } catch {
        showMessage(path);
    }
}

/** The page of cards that is seen now, if one is. */
function visibleCardPage() {
    return Object.values(cardPages).find((page) => page.element.isConnected && uiElementIsVisible(page.element)) || null;
}

/* A tab that was hidden has no size; it gets its cards when it is seen. */
onAfterUiUpdate(() => {
    const page = visibleCardPage();
    if (page && page.cards.length) {
        showCardsInSight(page);
        markCardsInPrompt(page);
    }
});
