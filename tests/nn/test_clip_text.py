"""Our text network against transformers' on the same random weights."""
import pytest
import torch
import transformers_peer

from modules.nn.clip_text import ClipConditioner, ClipTextConfig, ClipTextModel

SMALL = {"vocab_size": 300, "hidden_size": 32, "intermediate_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4}


def model_pair(activation: str):
    """Our network and the peer with equal weights."""
    transformers = transformers_peer.transformers()
    torch.manual_seed(0)
    ours = ClipTextModel(ClipTextConfig(**SMALL, hidden_act=activation)).eval()
    config = transformers.CLIPTextConfig(**SMALL, hidden_act=activation, max_position_embeddings=77, eos_token_id=299)
    peer = transformers.CLIPTextModel(config).eval()
    peer.load_state_dict({k.removeprefix("text_model."): v for k, v in ours.state_dict().items()}, strict=True)
    return ours, peer


@pytest.mark.parametrize("activation", ["quick_gelu", "gelu"])
@pytest.mark.parametrize("skip", [1, 2, 3])
@torch.no_grad()
def test_hidden_states_equal_those_of_the_peer(activation, skip):
    ours, peer = model_pair(activation)
    tokens = torch.randint(0, 300, (2, 77), generator=torch.Generator().manual_seed(1))
    expected = peer.final_layer_norm(peer(tokens, output_hidden_states=True).hidden_states[-skip])
    assert torch.dist(ours(tokens, skip=skip), expected) <= 1e-5 * expected.norm()


def tiny_model() -> ClipTextModel:
    torch.manual_seed(0)
    return ClipTextModel(ClipTextConfig(**SMALL)).eval()


@torch.no_grad()
def test_learned_vectors_stand_in_for_tokens():
    model, tokens = tiny_model(), torch.arange(1, 78)[None]
    learned = model.text_model.embeddings.token_embedding.weight[[200, 201]].clone()
    expected = tokens.clone()
    expected[0, 5:7] = torch.tensor([200, 201])
    assert torch.equal(model(tokens, [[(5, learned)]]), model(expected))


@torch.no_grad()
def test_learned_vectors_beyond_the_end_are_cut():
    model, tokens = tiny_model(), torch.arange(1, 78)[None]
    assert model(tokens, [[(76, torch.zeros(3, 32))]]).shape == (1, 77, 32)


@torch.no_grad()
def test_skipping_more_layers_than_there_are_uses_none():
    model, tokens = tiny_model(), torch.arange(1, 78)[None]
    assert torch.equal(model(tokens, skip=99), model(tokens, skip=4))


def test_parameters_have_the_names_of_the_files():
    names = set(ClipConditioner(ClipTextConfig(**SMALL)).state_dict())
    assert "transformer.text_model.encoder.layers.2.self_attn.q_proj.weight" in names
    assert not any(name.endswith("position_ids") for name in names)


def test_position_numbers_in_old_files_are_passed_over():
    model = tiny_model()
    state = {**model.state_dict(), "text_model.embeddings.position_ids": torch.arange(77)[None]}
    model.load_state_dict(state, strict=True)


def test_the_network_can_be_built_without_memory():
    with torch.device("meta"):
        model = ClipTextModel(ClipTextConfig())
    assert sum(p.numel() for p in model.parameters()) == 123_060_480
