/*
 * The whole page in the document: gradio makes what is in a tab or an accordion when it is first opened, and scripts of extensions look
 * for it at once. Where one is switched on, everything is opened once behind a cover before onUiLoaded runs.
 */
"use strict";

/**
 * So many frames at most, 10 s on a machine that draws without haste; and so long on any machine. One extension with nine tabs takes
 * 120 frames; scripts that do not find all of their tabs fail altogether, so many extensions and busy machines are waited for.
 */
const WHOLE_PAGE_FRAMES = 600;
const WHOLE_PAGE_MS = 60000;

var wholePage = {isNeeded: Boolean(window.easelPage && easelPage.wholePage), isBegun: false, isDone: false, framesLeft: WHOLE_PAGE_FRAMES, until: Infinity};

/** Functions that put into the document what is not drawn with the tab that was just opened. */
var wholePageParts = [];

/** Whether scripts may look for everything; begins to make it so when the first parts of the page are there. */
function pageIsWhole() {
    if (!wholePage.isNeeded || wholePage.isDone) return true;
    if (!wholePage.isBegun) {
        wholePage.isBegun = true;
        wholePage.until = performance.now() + WHOLE_PAGE_MS;
        openEverythingOnce().catch((error) => console.error(error)).finally(() => {
            wholePage.isDone = true;
            document.documentElement.classList.remove("easel-opening");
            noticePageChanges([]);
        });
    }
    return false;
}

/** Resolves after the next drawing, or after a while in a page that is not seen; false when the time is up. */
async function nextFrame() {
    await new Promise((resolve) => {
        const timer = setTimeout(resolve, 100);
        requestAnimationFrame(() => {
            clearTimeout(timer);
            setTimeout(resolve);
        });
    });
    return --wholePage.framesLeft > 0 && performance.now() < wholePage.until;
}

async function openEverythingOnce() {
    document.documentElement.classList.add("easel-opening");
    const opened = new Set();
    await openTabsIn(document, opened);
}

/** Opens every tab of the lists that are seen in `place`, and what is in each; the chosen ones are chosen again at the end. */
async function openTabsIn(place, opened) {
    await openAccordionsIn(place, opened);
    const lists = Array.from(place.querySelectorAll('[role="tablist"]')).filter((list) => !opened.has(list) && uiElementIsVisible(list));
    for (const list of lists) {
        opened.add(list);
        const holder = list.closest(".tabs") || list.parentElement.parentElement;
        const chosen = list.querySelector('[role="tab"][aria-selected="true"]');
        for (const id of await tabsOf(list)) {
            if (!(await openTab(list, id))) break; // the time is up: the chosen tab is shown again all the same
            const content = id.panel && byId(id.panel);
            await openTabsIn(content || holder, opened);
        }
        if (chosen && chosen.isConnected) chosen.click();
        await nextFrame();
    }
}

/** What is known of the tabs of a list, those behind its menu for want of room too. */
async function tabsOf(list) {
    const seen = Array.from(list.querySelectorAll('[role="tab"]'));
    return seen.map((button) => ({id: button.id, panel: button.getAttribute("aria-controls")}));
}

async function openTab(list, tab) {
    const button = tab.id ? byId(tab.id) : null;
    if (!button || button.getAttribute("aria-selected") === "true") return nextFrame();
    button.click();
    for (let frame = 0; frame < 20; frame++) {
        if (!(await nextFrame())) return false;
        const panel = tab.panel && byId(tab.panel);
        if (!panel || panel.childElementCount) break;
    }
    for (const open of wholePageParts) await open();
    return nextFrame();
}

/** Opens the accordions of a place, one level after another, and closes those again that were closed. */
async function openAccordionsIn(place, opened) {
    const closed = [];
    for (let level = 0; level < 4; level++) {
        const next = Array.from(place.querySelectorAll("button.label-wrap:not(.open)")).filter((button) => !opened.has(button) && uiElementIsVisible(button));
        if (!next.length) break;
        for (const button of next) {
            opened.add(button);
            closed.push(button);
            button.click();
        }
        if (!(await nextFrame())) break;
        await nextFrame();
    }
    for (const button of closed.reverse()) if (button.isConnected && button.classList.contains("open")) button.click();
}
