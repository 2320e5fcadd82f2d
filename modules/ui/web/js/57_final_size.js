/* The size of the second pass, said in the head of Hires. fix. */
"use strict";

/** "from 512x512 to 1024x1024", by the same rule as the engine. */
function finalSizeText(width, height, scale, toWidth, toHeight) {
    let wide = Math.trunc(width * scale);
    let high = Math.trunc(height * scale);
    if (toWidth || toHeight) {
        wide = toWidth || Math.trunc(toHeight * width / height);
        high = toHeight || Math.trunc(toWidth * height / width);
    }
    const down = side => side - side % 8;
    return `from ${width}x${height} to ${down(wide)}x${down(high)}`;
}

function updateFinalSize() {
    const number = id => numberIn(id) || 0;
    const text = finalSizeText(number("txt2img_width"), number("txt2img_height"), number("txt2img_hr_scale"),
        number("txt2img_hr_resize_x"), number("txt2img_hr_resize_y"));
    sayIn("txt2img_hr_finalres", text);
}

onUiLoaded(() => {
    updateFinalSize();
    onAfterUiUpdate(updateFinalSize);
    document.addEventListener("input", event => {
        if (event.target.closest && event.target.closest("#txt2img_settings")) updateFinalSize();
    });
});
