/* The form of a generating tab as a whole: read, written, kept in this browser and on the server, taken back and made again. */
"use strict";

const FORM_STEPS_KEPT = 100;
const TYPING_PAUSE_MS = 1500; // changes of one control in quick succession are one step

/** One per generating tab: what its form holds, and how it came to that. Values are by the names of the controls. */
class FormMemory {
    constructor(tab) {
        this.tab = tab;
        this.labels = {}; // name -> label
        this.defaults = null; // as the form was when the page was loaded
        this.present = null;
        this.past = [];
        this.future = [];
        this.last = {name: null, at: 0}; // the control that changed last
        this.waiting = []; // those who wait for the next reading
        this.toWrite = null;
        this.restored = false;
    }

    /** The values as they are now, once gradio has told them. */
    read() {
        return new Promise((resolve) => {
            this.waiting.push(resolve);
            pressHidden(this.tab + "_form_read");
        });
    }

    took(named, values) {
        this.labels = Object.fromEntries(named);
        this.note(paired(named.map(([name]) => name), values));
        for (const resolve of this.waiting.splice(0)) resolve(this.present);
    }

    note(values) {
        if (!this.present) {
            this.defaults = this.defaults || values;
            this.present = values;
            return;
        }
        const changed = changedNames(this.present, values);
        if (!changed.length) return;
        const goesOn = changed.length === 1 && changed[0] === this.last.name && Date.now() - this.last.at < TYPING_PAUSE_MS && this.past.length;
        if (!goesOn) this.past = [...this.past.slice(1 - FORM_STEPS_KEPT), this.present];
        this.last = {name: changed.length === 1 ? changed[0] : null, at: Date.now()};
        this.future = [];
        this.present = values;
        this.changed();
    }

    changed() {
        this.keep();
        clearTimeout(this.sending);
        this.sending = setTimeout(() => this.send(), 2500);
        showFormSteps(this.tab);
    }

    /** In this browser, and for this window of it: two windows that are reloaded keep their own forms. */
    keep() {
        const text = JSON.stringify(this.present);
        localSet("easel_form_" + this.tab, text);
        try {
            sessionStorage.setItem("easel_form_" + this.tab, text);
        } catch (error) {
            console.warn("the form is not kept for this window", error);
        }
    }

    keptHere() {
        let text = null;
        try {
            text = sessionStorage.getItem("easel_form_" + this.tab);
        } catch (error) {
            console.warn("nothing is kept for this window", error);
        }
        return safe(() => JSON.parse(text || localGet("easel_form_" + this.tab, "null")), null);
    }

    send() {
        callServer("/internal/history/form", {tab: this.tab, values: this.present}).catch((error) => console.warn("the form was not kept", error));
    }

    /** Writes values into the form; controls that they do not name stay as they are. */
    /** Resolves when gradio has written them. */
    write(values) {
        this.toWrite = values;
        return answeredPress(this.tab + "_form_write");
    }

    /** Writes what was kept, as far as the controls can still take it; resolves with sentences about the rest. */
    async take(values) {
        await this.read();
        const answer = await callServer("/internal/history/check", {tab: this.tab, values});
        this.last.name = null;
        await this.write(answer.values);
        await this.read();
        return answer.notes;
    }

    step(from, to) {
        if (!from.length) return false;
        to.push(this.present);
        this.present = from.pop();
        this.last.name = null;
        safeAsync(() => this.write(this.present));
        this.changed();
        return true;
    }

    undo() {
        return this.step(this.past, this.future);
    }

    redo() {
        return this.step(this.future, this.past);
    }

    /** What this browser kept, else, by the setting, what the server did. */
    async restore() {
        this.restored = true;
        await this.read();
        const source = opts.restore_form || "Browser";
        if (source === "Defaults") return;
        const kept = this.keptHere() || (source === "Browser, else server" ? (await callServer("/internal/history/form?tab=" + this.tab)).values : null);
        if (!kept || !changedNames(this.present, {...this.present, ...kept}).length) return;
        for (const note of await this.take(kept)) console.warn("not restored:", note);
    }
}

/** Names of the values that differ. */
function changedNames(before, after) {
    return Object.keys(after).filter((name) => JSON.stringify(before[name] ?? null) !== JSON.stringify(after[name] ?? null));
}

var formMemories = Object.fromEntries(GENERATING_TABS.map((tab) => [tab, new FormMemory(tab)]));

/* Called by the hidden buttons of the tab (generating_tab.py) */

function formRead(tab, named, values) {
    safe(() => formMemories[tab].took(named, values));
}

function formToWrite(tab, values) {
    const memory = formMemories[tab];
    const names = Object.keys(memory.labels);
    const wanted = memory.toWrite || {};
    memory.toWrite = null;
    return names.map((name, i) => (name in wanted ? wanted[name] : values[i]));
}

/* When the form is looked at: a little after the person did something, and while that has consequences */

const FORM_CONSEQUENCES_MS = 3000;
var formTouched = 0;
var formLook = null;

function lookAtForm() {
    clearTimeout(formLook);
    formLook = setTimeout(() => {
        const tab = currentGeneratingTab();
        if (tab && byId(tab + "_form_read") && formMemories[tab].present) formMemories[tab].read();
    }, 500);
}

for (const kind of ["input", "change", "pointerup", "keyup", "drop", "paste"]) {
    document.addEventListener(kind, () => {
        formTouched = Date.now();
        lookAtForm();
    }, true);
}
onAfterUiUpdate(() => { if (Date.now() - formTouched < FORM_CONSEQUENCES_MS) lookAtForm(); });
window.addEventListener("pagehide", () => {
    for (const memory of Object.values(formMemories)) if (memory.past.length) memory.keep();
});

/** gradio makes a tab when it is first opened: its form is restored then. */
function restoreForms() {
    for (const memory of Object.values(formMemories)) {
        if (memory.restored || !byId(memory.tab + "_form_read") || !opts.restore_form) continue;
        memory.restore().catch((error) => showMessage(error.message, "error"));
    }
}

onUiLoaded(() => safe(restoreForms));
onUiUpdate(() => safe(restoreForms));

/* Undo and redo by the buttons; the keys stand in 13_shortcuts.js */

function showFormSteps(tab) {
    const {past, future} = formMemories[tab];
    for (const [name, steps] of [["undo", past], ["redo", future]]) {
        const button = byId(tab + "_" + name);
        if (button) button.toggleAttribute("data-idle", !steps.length);
    }
}

onAfterUiUpdate(() => GENERATING_TABS.forEach(showFormSteps));

async function stepForm(tab, direction) {
    await formMemories[tab].read(); // with what was just typed
    if (!formMemories[tab][direction]()) showMessage(direction === "undo" ? "There is nothing to take back." : "There is nothing to make again.");
}

for (const tab of GENERATING_TABS) {
    listen(tab + "_undo", () => stepForm(tab, "undo"));
    listen(tab + "_redo", () => stepForm(tab, "redo"));
}
