/* Weights in prompts by keyboard: Ctrl+Up and Ctrl+Down, and moving comma-separated elements with Alt+Left and Alt+Right. */
"use strict";

const EMPHASIS_DELIMITERS = " .,\\/!?%^*;:{}=`~()\r\n\t";

/**
 * The edit that raises (direction 1) or lowers (-1) the weight of what is selected in `text`.
 * Works on the selection, else on the enclosing block, else on the word at the cursor.
 * Returns {start, end, insert, selectionStart, selectionEnd}, or null when there is nothing to weigh.
 */
function emphasisEdit(text, start, end, direction, options) {
    const settings = {step: 0.1, networkStep: 0.05, delimiters: EMPHASIS_DELIMITERS, ...options};
    const chosen = start === end ? emphasisTarget(text, start, settings.delimiters) : emphasisSelection(text, start, end);
    if (!chosen) return null;
    const block = enclosingWeight(text, chosen);
    return block.open === "<" ? networkEdit(text, block, direction, settings.networkStep)
        : weightEdit(text, block, direction, settings.step);
}

/** The selection without its outer spaces: a space at its end stays outside the brackets. */
function emphasisSelection(text, start, end) {
    while (end > start && /\s/.test(text[end - 1])) end--;
    while (start < end && /\s/.test(text[start])) start++;
    return start < end ? {start, end} : null;
}

/** The content of the innermost ( ), [ ] or < > around the cursor, else the word at it. */
function emphasisTarget(text, cursor, delimiters) {
    const around = innermostBlock(text, cursor);
    if (around) return around;
    const isPart = (sign) => sign !== undefined && !delimiters.includes(sign);
    let start = cursor;
    let end = cursor;
    while (isPart(text[start - 1])) start--;
    while (isPart(text[end])) end++;
    return start < end ? {start, end} : null;
}

function innermostBlock(text, cursor) {
    const closing = {"(": ")", "[": "]", "<": ">"};
    const open = [];
    for (let i = 0; i < text.length; i++) {
        if (text[i] === "\\") {
            i++;
        } else if (text[i] in closing) {
            open.push(i);
        } else if (open.length && text[i] === closing[text[open[open.length - 1]]]) {
            const from = open.pop();
            const content = text.slice(from + 1, i);
            const isEdit = text[from] === "[" && /[:|]/.test(content);
            if (from < cursor && cursor <= i && content && !isEdit) return contentRange(text[from], from + 1, content);
        }
    }
    return null;
}

function contentRange(sign, start, content) {
    const weight = sign === "[" ? null : /:\s*[-+]?\d*\.?\d+\s*$/.exec(content);
    return {start, end: start + content.length - (weight ? weight[0].length : 0)};
}

/** The brackets directly around a range and the weight that they give it: {start, end, from, to, open, weight, isWritten}. */
function enclosingWeight(text, range) {
    const {start, end} = range;
    if (text[start] === "<" && text[end - 1] === ">") return {start: start + 1, end: end - 1, from: start, to: end, open: "<"};
    if (text[start - 1] === "<") {
        const close = text.indexOf(">", end);
        if (close >= 0) return {start, end: close, from: start - 1, to: close + 1, open: "<"};
    }
    const whole = /^\(([^()]*):\s*([-+]?\d*\.?\d+)\s*\)$/.exec(text.slice(start, end));
    if (whole) return {start: start + 1, end: start + 1 + whole[1].length, from: start, to: end, open: "(", weight: Number(whole[2]), isWritten: true};
    const after = /^:\s*([-+]?\d*\.?\d+)\s*\)/.exec(text.slice(end));
    if (after && text[start - 1] === "(") {
        return {start, end, from: start - 1, to: end + after[0].length, open: "(", weight: Number(after[1]), isWritten: true};
    }
    return plainBrackets(text, start, end);
}

/** ((x)) counts as 1.21, [x] as 0.909. */
function plainBrackets(text, start, end) {
    let [from, to, weight] = [start, end, 1];
    for (;;) {
        const pair = (text[from - 1] || "") + (text[to] || "");
        if (pair === "()") weight *= 1.1;
        else if (pair === "[]") weight /= 1.1;
        else break;
        from--;
        to++;
    }
    return {start, end, from, to, open: "(", weight, isWritten: false};
}

function weightEdit(text, block, direction, step) {
    const content = text.slice(block.start, block.end);
    const present = block.isWritten ? block.weight : Math.round(block.weight / step) * step;
    const weight = roundedTo(present + direction * step, step);
    const insert = weight === 1 ? content : "(" + content + ":" + weightText(weight) + ")";
    const selectionStart = block.from + (weight === 1 ? 0 : 1);
    return {start: block.from, end: block.to, insert, selectionStart, selectionEnd: selectionStart + content.length};
}

/** <lora:name:0.8> and its kind: the last number is the weight; without one it counts as 1. */
function networkEdit(text, block, direction, step) {
    const content = text.slice(block.start, block.end);
    const given = /^([\s\S]*?:[\s\S]*?):\s*([-+]?\d*\.?\d+)\s*$/.exec(content);
    const name = given ? given[1] : content;
    const weight = roundedTo((given ? Number(given[2]) : 1) + direction * step, step);
    const insert = "<" + name + ":" + weightText(weight) + ">";
    return {start: block.from, end: block.to, insert, selectionStart: block.from + 1, selectionEnd: block.from + 1 + name.length};
}

function roundedTo(number, step) {
    const decimals = Math.max(1, (String(step).split(".")[1] || "").length);
    return Number(number.toFixed(decimals));
}

function weightText(weight) {
    return Number.isInteger(weight) ? weight.toFixed(1) : String(weight);
}

/**
 * The edit that moves the comma-separated element at the selection one place to the left (-1) or right (1).
 * Returns the same form as emphasisEdit, or null at the ends.
 */
function moveElementEdit(text, start, end, direction) {
    const parts = text.split(",");
    const bounds = [];
    let position = 0;
    for (const part of parts) {
        bounds.push([position, position + part.length]);
        position += part.length + 1;
    }
    const first = bounds.findIndex(([, to]) => start <= to);
    const last = bounds.findIndex(([, to]) => end <= to);
    const other = direction < 0 ? first - 1 : last + 1;
    if (first < 0 || last < 0 || other < 0 || other >= parts.length) return null;
    const words = parts.map((part) => part.trim());
    const [low, high] = direction < 0 ? [other, last] : [first, other];
    const moved = words.slice(first, last + 1);
    const order = direction < 0 ? [...moved, words[other]] : [words[other], ...moved];
    // Spaces belong to the places, not to the words, so that a list keeps its look.
    const pieces = order.map((word, i) => /^\s*/.exec(parts[low + i])[0] + word + (parts[low + i].trim() ? /\s*$/.exec(parts[low + i])[0] : ""));
    const insert = pieces.join(",");
    const at = direction < 0 ? 0 : pieces[0].length + 1;
    const before = bounds[low][0] + at + /^\s*/.exec(direction < 0 ? pieces[0] : pieces[1])[0].length;
    return {start: bounds[low][0], end: bounds[high][1], insert, selectionStart: before, selectionEnd: before + moved.join(", ").length};
}

/** Carries out an edit so that Ctrl+Z takes it back. */
function applyEdit(box, edit) {
    box.focus();
    box.setSelectionRange(edit.start, edit.end);
    const done = edit.insert ? document.execCommand("insertText", false, edit.insert) : document.execCommand("delete");
    if (!done) {
        box.setRangeText(edit.insert, edit.start, edit.end, "preserve");
        updateInput(box);
    }
    box.setSelectionRange(edit.selectionStart, edit.selectionEnd);
}

function keyInPrompt(event) {
    const box = event.target;
    if (!(box instanceof HTMLTextAreaElement) || !box.closest(".prompt") || event.isComposing) return;
    const arrow = {ArrowUp: 1, ArrowDown: -1, ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!arrow || event.shiftKey) return;
    const isVertical = event.key === "ArrowUp" || event.key === "ArrowDown";
    let edit = null;
    if (isVertical && (event.ctrlKey || event.metaKey) && !event.altKey) {
        edit = emphasisEdit(box.value, box.selectionStart, box.selectionEnd, arrow, {
            step: opts.keyedit_precision_attention || 0.1,
            networkStep: opts.keyedit_precision_extra || 0.05,
            delimiters: promptDelimiters(),
        });
    } else if (!isVertical && event.altKey && !event.ctrlKey && opts.keyedit_move !== false) {
        edit = moveElementEdit(box.value, box.selectionStart, box.selectionEnd, arrow);
    } else {
        return;
    }
    event.preventDefault();
    if (edit) applyEdit(box, edit);
}

/** The signs at which a word ends: the setting's own, and the white space that is switched on in another. */
function promptDelimiters() {
    if (opts.keyedit_delimiters === undefined) return EMPHASIS_DELIMITERS;
    const spaces = {Tab: "\t", "Carriage Return": "\r", "Line Feed": "\n"};
    const chosen = opts.keyedit_delimiters_whitespace || Object.keys(spaces);
    return opts.keyedit_delimiters + " " + chosen.map((name) => spaces[name] || "").join("");
}

document.addEventListener("keydown", (event) => safe(() => keyInPrompt(event)));
