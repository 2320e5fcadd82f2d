"""Settings of cards, and of the folders that models lie in."""
from modules.settings.row import Section, multi, slide, text

# Option -> the field of Folders that it adds to.
MODEL_FOLDERS = {"folders_checkpoints": "extra_checkpoints", "folders_vae": "extra_vae", "folders_lora": "extra_lora",
                 "folders_embeddings": "extra_embeddings", "folders_hypernetworks": "extra_hypernetworks",
                 "folders_upscalers": "extra_upscalers", "folders_vae_approx": "extra_vae_approx"}
AT_START = "used where they are, with their sub-folders; counts from the next start on"

NETWORK_SECTIONS = (
    Section(id="extra_networks", title="Extra networks", category="sd", rows=(
        slide("extra_networks_default_multiplier", 1.0, "Weight of a network that a card puts into the prompt", 0.0, 2.0, 0.01),
        text("extra_networks_add_text_separator", " ", "Text between the prompt and what a card adds"),
    )),
    Section(id="model-folders", title="Model folders", category="system", rows=(
        multi("folders_checkpoints", (), "Further folders with checkpoints", info=AT_START, restrict_api=True),
        multi("folders_vae", (), "Further folders with VAE files", info=AT_START, restrict_api=True),
        multi("folders_lora", (), "Further folders with LoRA files", info=AT_START, restrict_api=True),
        multi("folders_embeddings", (), "Further folders with embeddings", info=AT_START, restrict_api=True),
        multi("folders_hypernetworks", (), "Further folders with hypernetworks", info=AT_START, restrict_api=True),
        multi("folders_upscalers", (), "Further folders with upscalers", info=AT_START, restrict_api=True),
        multi("folders_vae_approx", (), "Further folders with decoders for previews", info=AT_START, restrict_api=True),
    )),
)  # fmt: skip
