/* Tooltips: by element id from the server, by label from `titles`, which extensions add to. */
"use strict";

var titles = {
    "Sampling method": "The algorithm that turns noise into a picture. Different ones suit different numbers of steps.",
    "Schedule type": "How the noise levels are spread over the steps. Automatic: what the sampling method prefers.",
    "Sampling steps": "How many times the picture is improved. More takes longer; beyond 20 to 30 most methods change little.",
    "Width": "Width of the picture in pixels",
    "Height": "Height of the picture in pixels",
    "Batch count": "How many batches are made one after the other",
    "Batch size": "How many pictures are made at the same time; needs more memory",
    "CFG Scale": "How closely the picture follows the prompt. Low values leave more freedom.",
    "Seed": "Where the noise comes from: the same seed and parameters give the same picture. -1: a new one each time.",
    "Extra": "Show variation seed and seed resizing",
    "Variation seed": "Seed of a second noise that is mixed into the first",
    "Variation strength": "How much of the second noise is taken: 0 none of it, 1 nothing else",
    "Resize seed from width": "Make a picture like that of the same seed at this width. 0: off",
    "Resize seed from height": "Make a picture like that of the same seed at this height. 0: off",
    "Hires. fix": "Make the picture small first, then enlarge it and sample it again",
    "Upscaler": "How the first picture is enlarged",
    "Hires steps": "Sampling steps of the second pass. 0: as many as in the first",
    "Denoising strength": "How much of the picture that the pass begins with is changed. 0: almost nothing; 1: all of it",
    "Upscale by": "How many times larger the second pass is",
    "Resize width to": "Width of the second pass in pixels, instead of a factor. 0: follows from the height or the factor",
    "Resize height to": "Height of the second pass in pixels, instead of a factor. 0: follows from the width or the factor",
    "Resize mode": "What happens when width and height have another shape than the picture",
    "Scale": "How many times larger the result is than the picture",
    "Image CFG Scale": "How closely the result follows the picture",
    "Mask blur": "How far the edge of the mask is softened, in pixels",
    "Mask transparency": "How much of the picture shows through the paint",
    "Mask mode": "Whether the masked places are made anew, or all others",
    "Masked content": "What the masked places hold when the first step begins",
    "Inpaint area": "Whole picture: it is worked on as one. Only masked: just the surroundings of the mask are enlarged to width and height and put back",
    "Only masked padding, pixels": "How much around the mask is taken along, so that the new part fits",
    "Refiner": "Let another checkpoint take over in the middle of the steps",
    "Checkpoint": "The checkpoint that takes over",
    "Switch at": "After which share of the steps it takes over. 1: never",
    "Override settings": "Settings that are to be different for this job only",
    "Styles": "Styles that are added to the prompts when the job begins",
    "Prompt": "What the picture shows. Ctrl+Enter generates, Ctrl+Up and Ctrl+Down change the weight of the selection.",
    "Negative prompt": "What the picture should not show",
    "Stable Diffusion checkpoint": "The model that makes the pictures",
};

/** Puts titles on controls that have none, and a name for screen readers on buttons that show only a sign. */
function addTooltips() {
    for (const [id, text] of Object.entries((window.easelPage || {}).tooltips || {})) {
        for (const element of document.querySelectorAll('[id="' + CSS.escape(id) + '"]')) { // "paste" is in both generating tabs
            if (element.title) continue;
            element.title = text;
            if (!/[a-z]/i.test(element.textContent)) element.setAttribute("aria-label", text);
        }
    }
    for (const label of document.querySelectorAll('[data-testid="block-info"], label > span:not([title])')) {
        const text = titles[label.textContent.trim()];
        if (text && !label.title) label.title = text;
    }
}

onUiLoaded(addTooltips);
onAfterUiUpdate(addTooltips);
