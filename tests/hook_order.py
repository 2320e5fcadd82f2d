"""Recorded runs of the fixture extension: the hooks and callbacks of their parts, in the documented order."""
BATCH = ["before_process_batch", "after_extra_networks_activate", "process_batch", "process_before_every_sampling"]
STEP = ["cfg_denoiser", "cfg_denoised", "cfg_after_cfg"]
DECODED = ["post_sample", "postprocess_batch", "postprocess_batch_list"]
PICTURE = ["postprocess_image", "postprocess_image_after_composite", "before_image_saved", "image_saved"]
BEGIN, END = ["setup", "before_process", "process"], ["postprocess"]


def names(recorder):
    """What happened, in order, apart from models that were loaded."""
    return [name for name, _ in recorder.EVENTS if name != "model_loaded"]


def events(recorder, name):
    """The details of each time that `name` happened."""
    return [details for found, details in recorder.EVENTS if found == name]
