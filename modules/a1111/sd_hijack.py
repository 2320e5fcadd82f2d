"""The text encoder's extras under the names of A1111's `sd_hijack`."""
from modules import runtime
from modules.generation.conditions import encode_options
from modules.nn.reads_text import ReadsText
from modules.prompt.encode import chunk_text
from modules.textual_inversion.textual_inversion import EmbeddingDatabase


class StableDiffusionModelHijack:
    """Learned embeddings, comments and lengths of prompts."""

    def __init__(self):
        self.embedding_db = EmbeddingDatabase()
        self.comments: list[str] = []
        self.extra_generation_params: dict = {}
        self.fixes = self.layers = self.circular_enabled = None
        self.optimization_method = "sdp"

    @property
    def clip(self):
        """The text encoder of the present model; None while there is none."""
        model = runtime.current().models.current
        return model.cond_stage_model if model is not None else None

    def get_prompt_lengths(self, text: str) -> tuple[int, int]:
        """(tokens of a text without schedule, places in the chunks that it needs)."""
        from modules import shared

        found = chunk_text(shared.sd_model.cond_stage_model, text, encode_options(runtime.current().settings))
        return found.token_count, found.limit

    def hijack(self, m) -> None:
        """Nothing: models come as they are to be."""

    def undo_hijack(self, m) -> None:
        """Nothing: models are never changed."""

    def redo_hijack(self, m) -> None:
        """Nothing: models are never changed."""

    def apply_optimizations(self, option=None) -> None:
        """Nothing: attention is the network's own."""

    def undo_optimizations(self) -> None:
        """Nothing: attention is the network's own."""

    def apply_circular(self, enable: bool) -> None:
        """Nothing: tiling is a field of the request."""

    def clear_comments(self) -> None:
        """Forget what was said about the last prompt."""
        self.comments, self.extra_generation_params = [], {}


ReadsText.hijack = model_hijack = StableDiffusionModelHijack()


def register_buffer(self, name: str, attr) -> None:
    """Set a tensor of a model."""
    setattr(self, name, attr)
