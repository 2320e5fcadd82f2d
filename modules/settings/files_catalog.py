"""Settings about the files that pictures are saved to."""
from modules.settings.row import Section, check, drop, number, radio, slide, text

FORMATS = ("png", "jpg", "jpeg", "webp", "avif", "gif")

FILE_SECTIONS = (
    Section(id="saving-images", title="Saving images/grids", category="saving", rows=(
        check("samples_save", True, "Always save images"),
        drop("samples_format", "png", "File format for images", *FORMATS),
        text("samples_filename_pattern", "", "Images filename pattern",
             info="empty: [seed] with sub-directories, else [seed]-[prompt_spaces]"),
        check("save_images_add_number", True, "Add number to filenames"),
        radio("save_images_replace_action", "Add number suffix", "When the name exists already", "Replace", "Add number suffix"),
        check("grid_save", True, "Always save grids"),
        drop("grid_format", "png", "File format for grids", *FORMATS),
        check("grid_extended_filename", False, "Use the filename pattern for grids too"),
        check("grid_only_if_multiple", True, "No grid for a single image"),
        check("grid_prevent_empty_spots", False, "Prevent empty spots in grids"),
        text("grid_zip_filename_pattern", "", "Archive filename pattern", info="empty: [datetime]_[[model_name]]_[seed]-[seed_last]"),
        slide("n_rows", -1, "Grid row count", -1, 16, 1, info="-1: chosen by the number of images; 0: the batch size"),
        check("save_images_before_highres_fix", False, "Save a copy before highres fix"),
        check("save_images_before_color_correction", False, "Save a copy of image before applying color correction to img2img results"),
        check("save_mask", False, "For inpainting, save a copy of the greyscale mask"),
        check("save_mask_composite", False, "For inpainting, save a masked composite"),
        slide("jpeg_quality", 80, "Quality of jpeg, webp and avif", 1, 100, 1),
        slide("png_compress_level", 4, "Compression of png", 0, 9, 1, info="higher: smaller and slower; the pixels are the same"),
        check("webp_lossless", False, "Lossless webp"),
        check("export_for_4chan", True, "Save a JPG copy of big images", info="those beyond one of the next two limits"),
        number("img_downscale_threshold", 4.0, "Big: file larger than, in MB", 0.0),
        number("target_side_length", 4000, "Big: width or height larger than, in pixels", 64, 65500),
        number("img_max_size_mp", 200, "Maximum grid size, in megapixels", 1, 10000),
        check("save_selected_only", True, 'The "Save" button saves the selected image only'),
        check("save_init_img", False, "Save init images when using img2img"),
        check("save_incomplete_images", False, "Save interrupted images"),
    )),
    Section(id="saving-paths", title="Paths for saving", category="saving", rows=(
        text("outdir_samples", "", "Folder for all images", info="empty: the folders below"),
        text("outdir_txt2img_samples", "outputs/txt2img-images", "Folder for txt2img images"),
        text("outdir_img2img_samples", "outputs/img2img-images", "Folder for img2img images"),
        text("outdir_grids", "", "Folder for all grids", info="empty: the folder below"),
        text("outdir_txt2img_grids", "outputs/txt2img-grids", "Folder for txt2img grids"),
        text("outdir_img2img_grids", "outputs/img2img-grids", "Folder for img2img grids"),
        text("outdir_init_images", "outputs/init-images", "Folder for init images"),
        text("outdir_save", "log/images", "Folder of the Save button"),
    )),
    Section(id="saving-to-dirs", title="Saving to a directory", category="saving", rows=(
        check("save_to_dirs", True, "Save images to a sub-directory"),
        check("grid_save_to_dirs", True, "Save grids to a sub-directory"),
        check("use_save_to_dirs_for_ui", False, 'The "Save" button saves to a sub-directory'),
        text("directories_filename_pattern", "[date]", "Sub-directory pattern"),
        slide("directories_max_prompt_words", 8, "Most words in [prompt_words]", 1, 20, 1),
    )),
)  # fmt: skip
