/* What the chosen script is going to make: asked again when values in the form of its tab were changed. */
"use strict";

const PLAN_DELAY_MS = 600;

var planTimers = {};
var planAsked = {}; // by tab: 1 while an answer is awaited, 2 when values were changed since, so that another will follow

function chosenScript(tab) {
    const box = document.querySelector("#" + tab + "_script_container #script_list input");
    return box && box.value !== "None" ? box.value : "";
}

function planSoon(tab) {
    clearTimeout(planTimers[tab]);
    planTimers[tab] = setTimeout(() => {
        const said = byId(tab + "_script_plan");
        if (!chosenScript(tab) && !(said && said.textContent.trim())) return;
        planAsked[tab] = planAsked[tab] ? 2 : 1;
        if (said) said.classList.add("outdated");
        pressHidden(tab + "_plan_script");
    }, PLAN_DELAY_MS);
}

/* An answer has come; the page asks once more by itself when values were changed in the meantime. */
function planAnswered(tab) {
    planAsked[tab] = planAsked[tab] === 2 ? 1 : 0;
    const said = byId(tab + "_script_plan");
    if (said && !planAsked[tab]) said.classList.remove("outdated");
}

/* Clicks of scripts do not count: the hidden button is pressed by one. */
for (const kind of ["input", "change", "click"]) {
    document.addEventListener(kind, (event) => {
        if (kind === "click" && !event.isTrusted) return;
        const tab = GENERATING_TABS.find((name) => byId("tab_" + name) && byId("tab_" + name).contains(event.target));
        if (tab && !event.target.closest("[id$=_results]")) planSoon(tab);
    }, true);
}
