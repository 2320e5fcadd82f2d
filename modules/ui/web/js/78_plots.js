/* The grid of a plot below the gallery: it fills in as cells are made; zoom, transposing, hidden rows, one cell, further values, files. */
"use strict";

const PLOT_CELL_PX = [48, 64, 96, 128, 192, 256, 384, 512];
const PLOT_POLL_MS = 1000;
const PLOT_AXES = ["x", "y"];

/** Tab -> the grid below its gallery, the job whose plot was looked for last, and the job whose result was seen last. */
var plotViews = {}, plotLookedFor = {}, plotResultSeen = {};

/** Called while a job of the tab runs: one that makes a plot says which cell it is at. */
function plotMoved(tab, job, answer) {
    if (/^Cell \d+ of \d+/.test(answer.textinfo || "") && plotLookedFor[tab] !== job) findPlot(tab, job).catch((error) => showMessage(error.message, "error"));
}

async function findPlot(tab, job) {
    plotLookedFor[tab] = job;
    const {plot} = await callServer("/internal/plots/of-job/" + encodeURIComponent(job));
    if (plotLookedFor[tab] !== job) return;
    if (plot) showPlot(tab, plot);
    else if (plotViews[tab]) plotViews[tab].close();
}

/* A result that came to the panel brings its plot, unless a plot in the making is shown. */
onAfterUiUpdate(() => {
    for (const tab of GENERATING_TABS) {
        const job = shownTask(tab), {followed} = tabTasks[tab];
        if (!job || job === plotResultSeen[tab]) continue;
        plotResultSeen[tab] = job;
        if (plotLookedFor[tab] !== job && !(followed && followed.id === plotLookedFor[tab])) findPlot(tab, job).catch((error) => showMessage(error.message, "error"));
    }
});

/** Shows a plot below the gallery of a tab, which may never have been opened. */
async function showPlot(tab, id) {
    const place = await whenInPage(() => byId("image_buttons_" + tab));
    if (plotViews[tab] && plotViews[tab].id === id && plotViews[tab].box.isConnected) return plotViews[tab].refresh();
    if (plotViews[tab]) plotViews[tab].close();
    plotViews[tab] = new PlotView(tab, id, place);
    return plotViews[tab].refresh();
}

function plotButton(text, action, attributes) {
    const run = () => Promise.resolve(safe(action)).catch((error) => showMessage(error.message, "error"));
    return made("button", {type: "button", class: "plain", text, onclick: run, ...attributes});
}

/** One plot as the page shows it. */
class PlotView {
    constructor(tab, id, place) {
        Object.assign(this, {tab, id, after: 0, version: 0, axes: null, jobs: [], cells: new Map(), hidden: new Set(), transposed: false, z: 0, timer: null, selected: null});
        this.count = made("span", {class: "plot-count", role: "status", "aria-live": "polite"});
        this.tools = made("div", {class: "plot-tools"});
        this.form = made("form", {class: "plot-form", hidden: true, onsubmit: (event) => { event.preventDefault(); this.extend(); }});
        this.scroll = made("div", {class: "plot-scroll", tabindex: "0", "aria-label": "Cells of the plot"});
        this.detail = made("div", {class: "plot-detail", hidden: true});
        this.box = made("section", {id: tab + "_plot", class: "plot", "aria-label": "Grid of the plot"},
            made("header", {class: "plot-head"}, made("strong", {text: "X/Y/Z plot"}), this.count), this.tools, this.form, this.scroll, this.detail);
        place.after(this.box);
    }

    close() {
        clearTimeout(this.timer);
        this.id = null;
        this.box.remove();
    }

    path(rest) {
        return "/internal/plots/" + encodeURIComponent(this.id) + (rest || "");
    }

    /** Asks for what is new; goes on asking while a job makes this plot. */
    async refresh() {
        clearTimeout(this.timer);
        const id = this.id;
        let answer;
        try {
            answer = await callServer(this.path("?after=" + this.after + "&version=" + this.version));
        } catch (error) {
            if (error.status === 404) this.close();
            else if (this.id) this.timer = setTimeout(() => this.refresh(), 5 * PLOT_POLL_MS);
            return;
        }
        if (this.id !== id) return;
        this.take(answer);
        if (this.jobs.length) this.timer = setTimeout(() => this.refresh(), document.hidden ? 3 * PLOT_POLL_MS : PLOT_POLL_MS);
    }

    take(answer) {
        const isNew = answer.axes && answer.version !== this.version;
        this.after = answer.after;
        this.version = answer.version;
        this.jobs = answer.jobs;
        for (const cell of answer.cells) this.cells.set(cell.place.join("-"), cell);
        if (isNew) {
            this.axes = answer.axes;
            this.title = answer.title;
            this.size = this.size || this.fittingSize();
            this.draw();
        } else {
            for (const cell of answer.cells) this.drawCell(cell.place.join("-"));
        }
        this.drawCount();
    }

    /** The largest cells of which all columns are seen, within reason. */
    fittingSize() {
        const wide = (this.box.clientWidth - 130) / this.columns.titles.length;
        return PLOT_CELL_PX.filter((px) => px <= Math.min(256, wide)).pop() || PLOT_CELL_PX[0];
    }

    get total() {
        return this.axes.reduce((count, axis) => count * axis.titles.length, 1);
    }

    get columns() {
        return this.axes[this.transposed ? 1 : 0];
    }

    get rows() {
        return this.axes[this.transposed ? 0 : 1];
    }

    key(column, row) {
        return (this.transposed ? [row, column, this.z] : [column, row, this.z]).join("-");
    }

    /** Numbers of the values of an axis that are shown. */
    shown(axis) {
        return axis.titles.map((_, number) => number).filter((number) => !this.hidden.has(axis.letter.toLowerCase() + number));
    }

    nameOf(key) {
        return key.split("-").map((number, axis) => this.axes[axis].titles[number]).filter(Boolean).join(", ");
    }

    draw() {
        this.drawTools();
        const columns = this.shown(this.columns), rows = this.shown(this.rows);
        const head = made("tr", {}, made("td", {class: "corner"}), ...columns.map((column) => this.titleCell(this.columns, column, "col")));
        const body = rows.map((row) => made("tr", {}, this.titleCell(this.rows, row, "row"),
            ...columns.map((column) => this.filled(made("td", {"data-key": this.key(column, row)})))));
        this.scroll.replaceChildren(made("table", {style: "--cell: " + this.size + "px"}, made("thead", {}, head), made("tbody", {}, ...body)));
        this.drawDetail();
    }

    titleCell(axis, number, scope) {
        const title = axis.titles[number];
        const hide = axis.titles.length > 1 && plotButton("×", () => this.hide(axis.letter.toLowerCase() + number),
            {class: "plain plot-hide", "aria-label": "Hide " + (title || axis.letter + " " + (number + 1)), title: "Hide"});
        return made("th", {scope}, made("span", {text: title}), hide);
    }

    drawCell(key) {
        const cell = this.scroll.querySelector('td[data-key="' + key + '"]');
        if (cell) this.filled(cell);
        if (this.selected === key) this.drawDetail();
    }

    /** Puts into a table cell what is known of it: its picture, its error, or that it is still to come. */
    filled(place) {
        const key = place.dataset.key, cell = this.cells.get(key);
        place.dataset.state = cell ? (cell.url ? "made" : "failed") : this.jobs.length ? "waiting" : "missing";
        const inside = cell && cell.url ? made("img", {src: this.source(cell), loading: "lazy", alt: ""})
            : made("span", {text: cell ? cell.problem : ""});
        const name = this.nameOf(key) + (cell ? (cell.url ? "" : ": failed") : ": not made");
        place.replaceChildren(plotButton("", () => this.select(key), {class: "plot-cell", "aria-label": name, title: name}));
        place.firstChild.append(inside);
        return place;
    }

    /** The address of a cell's picture in about the size in which it is shown. */
    source(cell) {
        const needed = this.size * Math.min(2, window.devicePixelRatio || 1);
        const side = [128, 256, 512].find((each) => each >= needed);
        return document.baseURI.replace(/\/+$/, "") + cell.url + (side && Math.max(...cell.size) > side ? "&side=" + side : "");
    }

    drawCount() {
        const cells = Array.from(this.cells.values());
        const done = cells.filter((cell) => cell.url).length, failed = cells.length - done;
        const wait = this.jobs.length ? (this.jobs.some((job) => job.status === "running") ? " · in the making" : " · waits in the queue") : "";
        this.count.textContent = done + " of " + this.total + " cells" + (failed ? ", " + failed + " failed" : "") + wait;
        const isBusy = Boolean(this.jobs.length);
        this.box.toggleAttribute("data-filling", isBusy && cells.length + 1 < this.total);
        if (this.wasBusy !== isBusy || this.wasDone !== done) {
            this.wasBusy = isBusy;
            this.wasDone = done;
            this.drawTools();
            this.scroll.querySelectorAll('td[data-state="waiting"], td[data-state="missing"]').forEach((place) => { place.dataset.state = isBusy ? "waiting" : "missing"; });
        }
    }

    drawTools() {
        const done = Array.from(this.cells.values()).filter((cell) => cell.url).length;
        const larger = PLOT_CELL_PX.find((px) => px > this.size), smaller = PLOT_CELL_PX.filter((px) => px < this.size).pop();
        const canAdd = this.axes.some((axis) => axis.label !== "Nothing");
        const open = this.tools.querySelector("details[open]");
        this.tools.replaceChildren(...[
            plotButton("Transpose", () => { this.transposed = !this.transposed; this.draw(); }, {"aria-pressed": String(this.transposed)}),
            plotButton("−", () => this.zoom(smaller), {disabled: !smaller, "aria-label": "Smaller cells", title: "Smaller cells"}),
            plotButton("+", () => this.zoom(larger), {disabled: !larger, "aria-label": "Larger cells", title: "Larger cells"}),
            this.axes[2].titles.length > 1 && this.sheetChoice(),
            this.hidden.size && plotButton("Show all", () => { this.hidden.clear(); this.draw(); }),
            plotButton(this.isWide ? "In the page" : "Whole window", () => this.widen()),
            canAdd && plotButton("Add values", () => this.openForm(), {"aria-expanded": String(!this.form.hidden)}),
            !this.jobs.length && done < this.total && plotButton("Make the missing " + (this.total - done), () => this.make([])),
            this.exports(Boolean(open)),
            plotButton("Earlier plots", () => openPlots()),
        ].filter(Boolean));
    }

    sheetChoice() {
        const choice = made("select", {"aria-label": this.axes[2].label, onchange: () => { this.z = Number(choice.value); this.draw(); }},
            ...this.axes[2].titles.map((title, number) => made("option", {value: String(number), text: title || this.axes[2].letter + " " + (number + 1), selected: number === this.z})));
        return choice;
    }

    exports(isOpen) {
        const query = () => "?transposed=" + this.transposed + "&hidden=" + Array.from(this.hidden).join(",");
        const link = (form, text) => made("a", {href: document.baseURI.replace(/\/+$/, "") + this.path("/export/" + form) + query(), download: "", text});
        return made("details", {class: "plot-export", open: isOpen}, made("summary", {text: "Export"}),
            made("div", {}, link("png", "Picture (PNG)"), link("html", "Page (HTML)"), link("zip", "All pictures (zip)")));
    }

    hide(name) {
        const axis = this.axes.find((each) => each.letter.toLowerCase() === name[0]);
        if (this.shown(axis).length > 1) this.hidden.add(name);
        else showMessage("The last one of an axis stays in sight.");
        this.draw();
    }

    zoom(size) {
        if (!size) return;
        this.size = size;
        this.draw();
    }

    widen() {
        this.isWide = !this.isWide;
        this.box.toggleAttribute("data-wide", this.isWide);
        this.drawTools();
        this.tools.querySelector("button").focus();
    }

    /* One cell */

    async select(key) {
        this.selected = this.selected === key ? null : key;
        this.drawDetail();
        if (this.selected) this.detail.scrollIntoView({block: "nearest"});
    }

    async drawDetail() {
        const key = this.selected, cell = key && this.cells.get(key);
        this.scroll.querySelectorAll("td[data-chosen]").forEach((place) => place.removeAttribute("data-chosen"));
        const place = key && this.scroll.querySelector('td[data-key="' + key + '"]');
        if (place) place.dataset.chosen = "";
        this.detail.hidden = !key;
        if (!key) return;
        const full = cell && cell.url ? {...await callServer(this.path("/cell/" + key)).catch(() => cell)} : cell || {};
        if (this.selected !== key) return;
        const source = full.url ? document.baseURI.replace(/\/+$/, "") + full.url : null;
        const picture = {source, infotext: full.infotext || ""};
        this.detail.replaceChildren(...[
            source && plotButton("", () => openLightbox([source], 0), {class: "plot-picture", "aria-label": "Show the picture large"}),
            made("div", {class: "plot-facts"},
                made("strong", {text: this.nameOf(key)}),
                full.problem && made("p", {class: "error", text: full.problem}),
                full.infotext && made("p", {class: "plot-infotext", text: full.infotext}),
                made("div", {class: "plot-actions"},
                    plotButton(source ? "Make again" : "Make this cell", () => this.make([key.split("-").map(Number)])),
                    source && plotButton("Send to txt2img", () => sendParameters("txt2img", picture)),
                    source && plotButton("Send to img2img", () => sendToImg2img("img2img", picture)),
                    source && plotButton("Send to inpaint", () => sendToImg2img("inpaint", picture)),
                    source && made("a", {href: source + "&download=true", download: "", text: "Download"}),
                    plotButton("Close", () => this.select(key)))),
        ].filter(Boolean));
        if (source) this.detail.firstChild.append(made("img", {src: source, alt: this.nameOf(key)}));
    }

    /* More cells */

    async make(places) {
        this.follow(await callServer(this.path("/cells"), {places}));
    }

    openForm() {
        this.form.hidden = !this.form.hidden;
        const axes = this.axes.filter((axis) => axis.label !== "Nothing");
        this.axis = made("select", {"aria-label": "Axis"}, ...axes.map((axis) => made("option", {value: axis.letter, text: axis.letter + ": " + axis.label})));
        this.values = made("input", {type: "text", "aria-label": "Values to add", placeholder: "Values as in the box of the axis, e.g. 3-5 (+1)"});
        this.refusal = made("p", {class: "error", role: "alert"});
        this.form.replaceChildren(this.axis, this.values, made("button", {type: "submit", class: "plain", text: "Add"}), this.refusal);
        this.drawTools();
        if (!this.form.hidden) this.values.focus();
    }

    async extend() {
        try {
            this.follow(await callServer(this.path("/extend"), {axis: this.axis.value, values: this.values.value}));
            this.form.hidden = true;
        } catch (error) {
            this.refusal.textContent = error.message;
        }
    }

    /** A further job makes cells of this plot. */
    follow(answer) {
        plotLookedFor[this.tab] = answer.id;
        addTask(this.tab, answer.id);
        return this.refresh();
    }
}

/* All plots that are kept */

async function openPlots() {
    const dialog = dialogNamed("plots_dialog", {kind: "plots", title: "Plots", what: "plots"}, () => [made("div", {class: "plots-list"})]);
    const list = dialog.querySelector(".plots-list");
    list.replaceChildren(made("p", {text: "Looking for plots…"}));
    openDialog(dialog, "Plots");
    const {plots} = await callServer("/internal/plots");
    list.replaceChildren(...plots.map((plot) => plotEntry(dialog, plot)));
    if (!plots.length) list.append(made("p", {text: "There are no plots yet. Choose X/Y/Z plot in the Script list."}));
}

function plotEntry(dialog, plot) {
    const axes = plot.axes.map((axis) => axis.label + " (" + axis.count + ")").join(" × ");
    const state = plot.made + " of " + plot.cells + " cells" + (plot.failed ? ", " + plot.failed + " failed" : "");
    const open = () => {
        closeDialog(dialog);
        switch_to_tab(plot.kind);
        return showPlot(plot.kind, plot.id).then(() => byId(plot.kind + "_plot").scrollIntoView({block: "nearest"}));
    };
    const forget = async () => {
        if (!confirm("Forget this plot? Pictures in the output folders stay.")) return;
        await callServer("/internal/plots/" + encodeURIComponent(plot.id) + "/delete", {});
        entry.remove();
        GENERATING_TABS.filter((tab) => plotViews[tab] && plotViews[tab].id === plot.id).forEach((tab) => plotViews[tab].close());
    };
    const entry = made("div", {class: "plots-entry"},
        plot.thumbnail ? made("img", {src: document.baseURI.replace(/\/+$/, "") + plot.thumbnail + "&side=128", alt: ""}) : made("span", {class: "no-picture"}),
        made("div", {class: "plots-facts"}, made("strong", {text: axes || "Plot"}), made("span", {text: plot.title || "(no prompt)"}),
            made("small", {text: plot.kind + " · " + state + " · " + new Date(plot.created * 1000).toLocaleString()})),
        plotButton("Open", open), plotButton("Forget", forget, {"aria-label": "Forget this plot"}));
    return entry;
}

GENERATING_TABS.forEach((tab) => listen("script_" + tab + "_xyz_plot_history", openPlots));
