"""Captions and rankings with small synthetic networks, against transformers itself; files, lists and their words."""
import json

import pytest
import torch
from PIL import Image

from modules.checkpoints.problems import WeightsError
from modules.errors import NotFound
from modules.hardware import Hardware
from modules.imaging.caption_network import RENAMED, CaptionOptions, clip_pixels, load_captioner, text_of
from modules.imaging.clip_ranking import Category, described, load_ranker, read_categories
from modules.imaging.interrogate import ClipOptions, Interrogator
from modules.imaging.known_files import CAPTION_WORDS, CAPTIONS, DEEPBOORU, RANKING, FileMissing
from modules.imaging.torchvision_parts import ensure_torchvision

CPU = torch.device("cpu")
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "picture", "of", "red", "cube", "##s", "on", ".", "cat", "tree", "hill", "sky", "[DEC]",
         "[ENC]"]


@pytest.fixture(scope="module")
def blip(tmp_path_factory):
    """(folder with a small BLIP in the layout of its makers, the same network of transformers)."""
    ensure_torchvision()
    from transformers import BlipConfig, BlipForConditionalGeneration

    torch.manual_seed(3)
    text = {"hidden_size": 128, "encoder_hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64,
            "vocab_size": len(WORDS), "max_position_embeddings": 64, "bos_token_id": 16, "sep_token_id": 3, "pad_token_id": 0}
    vision = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 1, "intermediate_size": 32, "image_size": 32,
              "patch_size": 16, "layer_norm_eps": 1e-6}
    peer = BlipForConditionalGeneration(BlipConfig(text_config=text, vision_config=vision)).eval()
    for parameter in peer.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    folder = tmp_path_factory.mktemp("models") / "BLIP"
    folder.mkdir()
    (folder / CAPTION_WORDS.name).write_text("\n".join(WORDS))
    torch.save({"model": as_published(peer.state_dict())}, folder / CAPTIONS.name)
    return folder, peer


def as_published(state):
    """The names of transformers turned back into those of BLIP's makers, with the buffer that their file holds."""
    pairs = (("vision_model.embeddings.class_embedding", "visual_encoder.cls_token"),
             ("vision_model.embeddings.position_embedding", "visual_encoder.pos_embed"),
             ("vision_model.embeddings.patch_embedding.", "visual_encoder.patch_embed.proj."),
             ("vision_model.post_layernorm.", "visual_encoder.norm."), ("vision_model.encoder.layers.", "visual_encoder.blocks."),
             (".layer_norm", ".norm"), (".self_attn.qkv.", ".attn.qkv."), (".self_attn.projection.", ".attn.proj."))
    found = {"text_decoder.bert.embeddings.position_ids": torch.arange(64)[None]}
    for name, value in state.items():
        if name.startswith("vision_model"):
            for theirs, published in pairs:
                name = name.replace(theirs, published)
        found[name] = value.clone()
    return found


def test_a_caption_is_the_one_that_transformers_makes(blip):
    folder, peer = blip
    captioner = load_captioner(folder / CAPTIONS.name, folder / CAPTION_WORDS.name, CPU)
    image = Image.linear_gradient("L").convert("RGB")
    options = CaptionOptions(beams=2, shortest=8, longest=12)
    with torch.inference_mode():
        ids = peer.generate(clip_pixels(image, (32, 32)), torch.tensor([[16, 4, 5, 6, 3]]), do_sample=False, num_beams=2, min_length=8,
                            max_length=12)[0].tolist()
    caption = captioner(image, options)
    assert captioner.side_px == 32 and caption == text_of(ids[4:], tuple(WORDS)) and caption
    state, loaded = peer.state_dict(), captioner.network.state_dict()
    assert set(state) == set(loaded) and all(torch.equal(state[name], loaded[name]) for name in state)


def test_a_caption_stops_when_the_job_does(blip):
    folder, _ = blip
    captioner = load_captioner(folder / CAPTIONS.name, folder / CAPTION_WORDS.name, CPU)
    calls: list[int] = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        captioner(Image.new("RGB", (9, 9)), CaptionOptions(shortest=30, longest=40), check)


def test_word_pieces_are_put_together():
    assert text_of([7, 8, 9, 10, 4, 14, 11, 3, 0], tuple(WORDS)) == "red cubes on a hill."
    assert all(pattern.startswith("^visual_encoder") for pattern, _ in RENAMED)


def test_files_that_are_no_captioner_are_refused(tmp_path, blip):
    folder, _ = blip
    torch.save({"model": {"a": torch.zeros(1)}}, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match="not those of BLIP"):
        load_captioner(tmp_path / "x.pth", folder / CAPTION_WORDS.name, CPU)
    (tmp_path / "vocab.txt").write_text("<html>")
    with pytest.raises(WeightsError, match="vocabulary of BERT"):
        load_captioner(folder / CAPTIONS.name, tmp_path / "vocab.txt", CPU)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """(file with a small CLIP, the same network of transformers)."""
    ensure_torchvision()
    from safetensors.torch import save_file
    from transformers import CLIPConfig, CLIPModel

    torch.manual_seed(5)
    size = {"hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 96}
    peer = CLIPModel(CLIPConfig(projection_dim=32, text_config={**size, "vocab_size": 49408},
                                vision_config={**size, "image_size": 32, "patch_size": 16})).eval()
    path = tmp_path_factory.mktemp("clip") / RANKING.name
    save_file({name: value.contiguous() for name, value in peer.state_dict().items()}, path)
    return path, peer


def test_texts_are_ranked_as_by_the_network_of_transformers(clip):
    path, peer = clip
    ranker = load_ranker(path, CPU)
    image, items = Image.radial_gradient("L").convert("RGB"), ["a red cube", "a tree", "the sea at night", "x"]
    found = ranker.best(ranker.picture(image), items, 4)
    ids = torch.tensor([ranker._ids(text) for text in items])
    with torch.inference_mode():
        made = peer(input_ids=ids, pixel_values=clip_pixels(image, (32, 32)))
        cosines = (made.image_embeds @ made.text_embeds.T)[0]
    shares = (100 * cosines).softmax(-1).tolist()
    assert dict(found) == pytest.approx(dict(zip(items, shares, strict=True)), abs=1e-4)
    assert [share for _, share in found] == pytest.approx(sorted(shares, reverse=True), abs=1e-4)
    assert len(ranker.known) == 1 and ranker.best(ranker.picture(image), items, 1) == found[:1]


def test_what_the_network_is_activated_by_stands_in_the_file_beside_it(clip):
    path, _ = clip
    assert load_ranker(path, CPU).network.config.vision_config.hidden_act == "quick_gelu"
    (path.parent / "config.json").write_text(json.dumps({"vision_config": {"hidden_act": "gelu"}}))
    assert load_ranker(path, CPU).network.config.vision_config.hidden_act == "gelu"
    (path.parent / "config.json").unlink()


def test_lists_are_read_by_name_with_the_number_of_texts_that_count(tmp_path):
    (tmp_path / "artists.txt").write_text("Ann\n\n Bob \n")
    (tmp_path / "flavors.top3.txt").write_text("\n".join("abcde"))
    (tmp_path / "empty.txt").write_text("\n")
    artists, flavors = read_categories(tmp_path, most_lines=4)
    assert artists == Category(name="artists", top=1, items=("Ann", "Bob"))
    assert (flavors.name, flavors.top, len(flavors.items)) == ("flavors", 3, 4)
    assert [category.name for category in read_categories(tmp_path, left_out=["artists"])] == ["flavors"]
    assert read_categories(tmp_path / "none") == []


def test_a_description_is_the_caption_and_the_best_of_each_list():
    ranked = [(Category(name="artists", top=1, items=()), [("Ann", 0.5)]),
              (Category(name="media", top=2, items=()), [("oil", 0.25), ("ink", 0.1)])]
    assert described("a cube", ranked) == "a cube, by Ann, oil, ink"
    assert described("a cube", ranked, shows_ranks=True) == "a cube, (by Ann:0.500), (oil:0.250), (ink:0.100)"


@pytest.fixture
def interrogator(tmp_path, blip):
    (tmp_path / "models").mkdir()
    return Interrogator(tmp_path / "models", tmp_path / "interrogate", Hardware.detect())


def test_files_that_are_missing_are_named(interrogator):
    assert interrogator.missing("clip") is CAPTIONS and interrogator.missing("deepdanbooru") is DEEPBOORU
    with pytest.raises(FileMissing, match=r"model-resnet_custom_v3\.pt in models/torch_deepdanbooru"):
        interrogator.tags(Image.new("RGB", (8, 8)), "deepbooru", None)
    with pytest.raises(NotFound, match="clip, deepdanbooru"):
        interrogator.checked_name("other")


def test_without_lists_or_without_clip_the_caption_stands_alone(interrogator, blip, clip, tmp_path):
    (tmp_path / "models" / "BLIP").symlink_to(blip[0])
    options = ClipOptions(caption=CaptionOptions(shortest=6, longest=8))
    image = Image.new("RGB", (16, 16), "red")
    caption, notes = interrogator.described(image, options)
    assert caption and "no lists" in notes[0]
    (tmp_path / "interrogate").mkdir()
    (tmp_path / "interrogate" / "media.top2.txt").write_text("oil\nink\n")
    again, notes = interrogator.described(image, options)
    assert again == caption and RANKING.name in notes[0]
    (tmp_path / "models" / "CLIP").symlink_to(clip[0].parent)
    whole, notes = interrogator.described(image, options)
    assert sorted(whole.removeprefix(caption).split(", ")) == ["", "ink", "oil"] and notes == []
    assert len(interrogator._loaded) == 2
    interrogator.unload()
    assert not interrogator._loaded


def test_without_deepbooru_its_name_stands_for_the_first_other_tagger(interrogator, tmp_path):
    folder = tmp_path / "models" / "WD-taggers" / "wd-x"
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(b"x")
    assert interrogator.taggers() == ["deepdanbooru", "wd-x"] and interrogator.checked_name("DeepBooru") == "wd-x"
    assert interrogator.missing("deepdanbooru") is None
    with pytest.raises(WeightsError, match="ONNX"):
        interrogator.tags(Image.new("RGB", (8, 8)), "deepbooru", None)
    (tmp_path / "models" / "torch_deepdanbooru").mkdir()
    (tmp_path / "models" / "torch_deepdanbooru" / DEEPBOORU.name).write_bytes(b"x")
    assert interrogator.checked_name("DeepBooru") == "deepdanbooru"
