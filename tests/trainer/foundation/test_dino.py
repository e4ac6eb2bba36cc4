"""DINOv2 and DINOv3 in tiny sizes, against what the original code gave for the same tensors."""

import re

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file
from tools.trainer.detector_fixtures import gen
from tools.trainer.foundation import difference, published_state, read_foundation

from pointmask_trainer.errors import CheckpointError
from pointmask_trainer.foundation.dino import rotations
from pointmask_trainer.foundation.dino_loading import load_dino

FIXTURES = {name: read_foundation(name) for name in ("dinov2", "dinov2_reg", "dinov3")}
SIZES = {"dinov2": (56, 42), "dinov2_reg": (56, 42), "dinov3": (64, 48)}
TOLERANCE = 1e-5


def load(folder, tensors, heads=3):
    save_file({name: value.clone() for name, value in tensors.items()}, folder / "w.safetensors")
    return load_dino(folder / "w.safetensors", heads=heads)


@pytest.mark.parametrize("name", FIXTURES)
def test_hidden_states_are_the_original_s(tmp_path, name):
    fixture = FIXTURES[name]
    network, family, _ = load(tmp_path, published_state(fixture["keys"]))
    assert family == ("DINOv3" if name == "dinov3" else "DINOv2")
    states = network(gen("x", (2, 3, *SIZES[name])).float())
    assert len(states) == len(fixture["hidden"]) == 3
    for state, expected in zip(states, fixture["hidden"], strict=True):
        assert difference(state, expected) < TOLERANCE
    assert not any(p.requires_grad for p in network.parameters())


def test_rotations_are_the_original_s():
    sine, cosine = rotations((4, 3), 16, torch.zeros(1))
    assert difference(sine, FIXTURES["dinov3"]["rope_sin"]) < TOLERANCE
    assert difference(cosine, FIXTURES["dinov3"]["rope_cos"]) < TOLERANCE


def hub_state(name):
    """Return the tensors of a fixture by the names of transformers."""
    tensors, is_third = {}, name == "dinov3"
    for key, value in published_state(FIXTURES[name]["keys"]).items():
        if "rope" in key or "bias_mask" in key:
            continue
        if match := re.match(r"blocks\.(\d+)\.attn\.qkv\.(weight|bias)", key):
            for part, own in zip(("query", "key", "value"), value.chunk(3), strict=True):
                layer = (
                    f"layer.{match[1]}.attention.{part[0]}_proj"
                    if is_third
                    else (f"encoder.layer.{match[1]}.attention.attention.{part}")
                )
                if not (is_third and part == "key" and match[2] == "bias"):
                    tensors[f"{layer}.{match[2]}"] = own
            continue
        for pattern, new in [
            (r"^(cls_token|mask_token|register_tokens)$", r"embeddings.\1"),
            (r"^storage_tokens$", "embeddings.register_tokens"),
            (r"^pos_embed$", "embeddings.position_embeddings"),
            (r"^patch_embed\.proj\.", "embeddings.patch_embeddings." + ("" if is_third else "projection.")),
            (r"^norm\.", "norm." if is_third else "layernorm."),
            (r"^blocks\.", "layer." if is_third else "encoder.layer."),
            (r"\.attn\.proj\.", ".attention.o_proj." if is_third else ".attention.output.dense."),
            (r"\.ls([12])\.gamma$", r".layer_scale\1.lambda1"),
            (r"\.w1\.", ".gate_proj."),
            (r"\.w2\.", ".up_proj."),
            (r"\.w3\.", ".down_proj."),
        ]:
            key = re.sub(pattern, new, key)
        tensors[key] = value
    return tensors


@pytest.mark.parametrize("name", FIXTURES)
def test_names_of_hubs_give_the_same_network(tmp_path, name):
    theirs = load(tmp_path, hub_state(name)).network.state_dict()
    ours = load(tmp_path, published_state(FIXTURES[name]["keys"])).network.state_dict()
    assert theirs.keys() == ours.keys()
    for key, value in ours.items():
        assert torch.equal(value, theirs[key]), key


def test_names_of_timm_give_the_same_network(tmp_path):
    tensors = {}
    for key, value in published_state(FIXTURES["dinov3"]["keys"]).items():
        if "rope" in key or "bias_mask" in key:
            continue
        if key.endswith("qkv.bias"):
            query, _, last = value.chunk(3)
            tensors[key.replace("qkv.bias", "q_bias")], tensors[key.replace("qkv.bias", "v_bias")] = (
                query,
                last,
            )
            continue
        key = key.replace("storage_tokens", "reg_token").replace(".mlp.w1.", ".mlp.fc1_g.")
        key = key.replace(".mlp.w2.", ".mlp.fc1_x.").replace(".mlp.w3.", ".mlp.fc2.")
        tensors[re.sub(r"\.ls([12])\.gamma", r".gamma_\1", key)] = value
    theirs = load(tmp_path, tensors).network.state_dict()
    ours = load(tmp_path, published_state(FIXTURES["dinov3"]["keys"])).network.state_dict()
    assert all(torch.equal(value, theirs[key]) for key, value in ours.items())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.pop("norm.weight"), "norm.weight is missing"),
        (lambda t: t.pop("cls_token"), "no tensor cls_token of 3 axes"),
        (lambda t: t.update({"extra": torch.ones(1)}), "extra is unknown"),
        (lambda t: t.update({"pos_embed": torch.ones(1, 25, 48)}), "24 positions, which are no square"),
        (lambda t: t["cls_token"].fill_(torch.inf), "NaN or infinite values in cls_token"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path, change, says):
    tensors = published_state(FIXTURES["dinov2"]["keys"])
    change(tensors)
    with pytest.raises(CheckpointError, match=rf"w\.safetensors .*{says}"):
        load(tmp_path, tensors)


def test_another_family_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"weights of SAM; a foundation model .* DINOv2 or DINOv3"):
        load(tmp_path, published_state(read_foundation("sam")["keys"]))
