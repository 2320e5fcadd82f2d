/* The model manager: which folder each kind of file belongs into, dropping files, and fetching them from an address. */
"use strict";

/** Guesses the kind of a file by its name and size; a person can choose another one. */
function guessedKind(file) {
    const name = file.name.toLowerCase();
    if (/lora|lyco/.test(name)) return "lora";
    if (/\bvae\b|[-_.]vae/.test(name)) return "vae";
    if (/esrgan|upscal|[248]x/.test(name) && file.size < 300e6) return "upscaler";
    if (file.size < 2e6) return "embedding";
    return file.size < 900e6 ? "lora" : "checkpoint";
}

async function openModelManager() {
    const {kinds, piece_bytes: pieceBytes} = await callServer("/internal/model-files");
    const chooser = (chosen) => made("select", {"aria-label": "Kind"}, ...kinds.map(({name, label}) => made("option", {value: name, text: label, selected: name === chosen})));
    const list = made("div", {class: "model-uploads", "aria-live": "polite"});
    const input = made("input", {type: "file", multiple: true, accept: ".safetensors,.ckpt,.pt,.pth,.bin", "aria-label": "Model files", onchange: (event) => {
        for (const file of event.target.files) list.append(uploadRow(file, chooser(guessedKind(file)), pieceBytes));
        event.target.value = "";
    }});
    const zone = made("label", {class: "model-drop"}, input, made("strong", {text: "Drop model files here"}), made("span", {text: "or click to choose them"}));
    zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.dataset.drop = ""; });
    zone.addEventListener("dragleave", () => { delete zone.dataset.drop; });
    zone.addEventListener("drop", (event) => {
        event.preventDefault();
        event.stopPropagation();
        delete zone.dataset.drop;
        for (const file of event.dataTransfer.files) list.append(uploadRow(file, chooser(guessedKind(file)), pieceBytes));
    });
    const address = made("input", {type: "url", placeholder: "https://", "aria-label": "Address of a model file"});
    const name = made("input", {type: "text", placeholder: "File name, if the address has none", "aria-label": "File name", spellcheck: "false"});
    const sum = made("input", {type: "text", placeholder: "SHA-256, if you have it", "aria-label": "Checksum", spellcheck: "false"});
    const kind = chooser("checkpoint");
    const rows = kinds.map((row) => made("tr", {}, made("td", {text: row.label}), made("td", {}, made("code", {text: row.path})), made("td", {text: row.count})));
    freshDialog("model_manager", {title: "Models"}, [
        made("p", {class: "quiet", text: "Put files into these folders and press the button beside the checkpoint, or bring them here."}),
        differencesTable(["Kind", "Folder", "Files"], rows), zone, list,
        made("div", {class: "form-tools"}, address, name, kind, sum, toolButton("Download", () => fetchModel({url: address.value, name: name.value, kind: kind.value, sha256: sum.value}, list)))]);
}

/** A file that waits for its kind, then is sent piece by piece; what has arrived before is not sent again. */
function uploadRow(file, kind, pieceBytes) {
    const said = made("span", {class: "quiet", text: byteCount(file.size)});
    const bar = made("progress", {max: file.size, value: 0, hidden: true});
    const row = made("div", {class: "model-upload"}, made("strong", {text: file.name}), kind, said, bar);
    const button = toolButton("Add", async () => {
        button.disabled = kind.disabled = true;
        bar.hidden = false;
        try {
            await sendModel(file, kind.value, pieceBytes, (done) => { bar.value = done; said.textContent = byteCount(done) + " of " + byteCount(file.size); });
            said.textContent = "added";
            bar.hidden = true;
            button.remove();
            pressHidden("refresh_sd_model_checkpoint");
        } catch (error) {
            said.textContent = error.message;
            button.textContent = "Go on";
            button.disabled = false;
        }
    });
    row.append(button);
    return row;
}

async function sendModel(file, kind, pieceBytes, progress) {
    const version = file.size + "-" + file.lastModified; // another file of this name does not go on where this one stopped
    const where = new URLSearchParams({kind, name: file.name, version});
    let {bytes: done} = await callServer("/internal/model-files/upload?" + where);
    while (done < file.size) {
        const query = new URLSearchParams({kind, name: file.name, version, start: done, size: file.size});
        const answer = await fetch(addressOf("/internal/model-files/upload?" + query), {method: "POST", headers: {"content-type": "application/octet-stream"}, body: file.slice(done, done + pieceBytes)});
        const body = await answer.json().catch(() => ({}));
        if (!answer.ok) throw new Error(typeof body.detail === "string" ? body.detail : "The server answered with status " + answer.status + ".");
        done = body.bytes;
        progress(done);
    }
}

async function fetchModel(wanted, list) {
    const {job} = await callServer("/internal/model-files/fetch", wanted);
    const said = made("span", {class: "quiet", text: "waits for its turn"});
    list.append(made("div", {class: "model-upload"}, made("strong", {text: wanted.name || wanted.url.split("/").pop().split("?")[0]}), said));
    refreshQueue(0);
    requestProgress(job, null, null, async () => {
        const result = await callServer("/internal/result/" + encodeURIComponent(job)).catch((error) => ({error: error.message}));
        said.textContent = result.error || "added";
        pressHidden("refresh_sd_model_checkpoint");
    }, (answer) => { if (answer.active) said.textContent = Math.round((answer.progress || 0) * 100) + " %"; });
}

listen("settings_models", () => openModelManager());
listen("model_manager_button", () => openModelManager());
