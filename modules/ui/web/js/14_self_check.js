/* The self-check of the footer: what was looked at, what is not in order, and what to do about it. */
"use strict";

const CHECK_SIGNS = {good: "✓", note: "!", bad: "✕"};

async function openSelfCheck() {
    const {findings} = await callServer("/internal/self-check");
    const rows = findings.map(({name, state, text, remedy}) => made("li", {"data-state": state}, made("span", {class: "sign", "aria-label": state, text: CHECK_SIGNS[state]}),
        made("div", {}, made("strong", {text: name}), made("p", {text}), remedy && made("p", {class: "remedy", text: remedy}))));
    const wrong = findings.filter(({state}) => state === "bad").length;
    freshDialog("self_check_dialog", {title: "Self-check"}, [
        made("p", {class: "quiet", text: wrong ? (wrong === 1 ? "One thing is" : wrong + " things are") + " not in order." : "Nothing stands in the way of pictures."}), made("ul", {class: "self-check"}, ...rows),
        made("div", {class: "dialog-buttons"}, made("a", {class: "dialog-button", href: addressOf("/internal/sysinfo?attachment=true"), text: "Save a report"}))]);
}

listen("self_check_button", openSelfCheck);
