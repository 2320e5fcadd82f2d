/* The prompt inspector: tokens and weights by chunk, texts by step, what is unknown, and the planned cost of the job. */
"use strict";

/** Opens the dialog for the present values of the form; `names` are the fields of `values`. */
async function openInspector(tab, names, values) {
    const dialog = dialogNamed(tab + "_inspector", {kind: "inspector", title: "Prompt inspector", what: "inspector"}, () => [made("div", {class: "inspector-body", tabindex: "0"})]);
    const body = dialog.querySelector(".inspector-body");
    body.replaceChildren(made("p", {text: "Reading the prompts…"}));
    openDialog(dialog, "Prompt inspector");
    try {
        const answer = await callServer("/internal/inspect", {tab, values: paired(names, values)});
        safe(() => body.replaceChildren(inspectedCost(answer.cost), ...answer.prompts.map(inspectedPrompt)));
    } catch (error) {
        body.replaceChildren(made("p", {class: "error", text: error.message}));
    }
}

function inspectedCost(cost) {
    return made("section", {class: "inspector-cost"}, made("h3", {text: "Network evaluations"}), ...cost.sentences.map((text) => made("p", {text})));
}

function inspectedPrompt(prompt) {
    const section = made("section", {}, made("h3", {}, prompt.name + " ", made("span", {class: "quiet", text: prompt.token_count + "/" + prompt.limit + " tokens"})));
    for (const place of prompt.unmatched) {
        section.append(made("p", {class: "error"}, "No partner for this bracket: …" + place.before, made("mark", {text: place.sign}), place.after + "…"));
    }
    for (const note of prompt.notes) section.append(made("p", {class: "note", text: note}));
    prompt.parts.forEach((part, number) => {
        if (prompt.parts.length > 1) section.append(made("h4", {text: "Part " + (number + 1) + ", weight " + shortNumber(part.weight)}));
        let from = 1;
        for (const variant of part.variants) {
            section.append(inspectedVariant(variant, from, part.variants.length > 1));
            from = variant.until_step + 1;
        }
        if (part.more_variants) section.append(made("p", {class: "quiet", text: "And " + part.more_variants + " more texts in later steps."}));
    });
    return section;
}

function inspectedVariant(variant, from, isScheduled) {
    const holder = made("div", {class: "inspector-variant"});
    if (isScheduled) {
        const steps = from === variant.until_step ? "Step " + from : "Steps " + from + " to " + variant.until_step;
        holder.append(made("p", {class: "inspector-steps"}, made("strong", {text: steps + ": "}), made("span", {text: variant.text || "(empty)"})));
    }
    variant.chunks.forEach((chunk, number) => {
        if (variant.chunks.length > 1) holder.append(made("p", {class: "quiet", text: "Chunk " + (number + 1) + ", " + chunk.length + " tokens"}));
        holder.append(made("p", {class: "inspector-tokens"}, ...(chunk.length ? chunk.map(inspectedToken) : [made("span", {class: "quiet", text: "No tokens"})])));
    });
    return holder;
}

function inspectedToken([text, weight, isEmbedding]) {
    const kind = weight > 1.0005 ? " stronger" : weight < 0.9995 ? " weaker" : "";
    const token = made("span", {class: "inspector-token" + kind + (isEmbedding ? " embedding" : ""), title: isEmbedding ? "Embedding" : null, text: text.trim() || "␣"});
    if (kind) token.append(made("small", {text: shortNumber(weight)}));
    return token;
}

function shortNumber(number) {
    return String(Number(number.toFixed(3)));
}
