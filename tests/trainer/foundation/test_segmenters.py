"""SAM and SAM2 in tiny sizes, against what the original code gave for the same tensors."""

import re

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file
from tools.trainer.detector_fixtures import gen
from tools.trainer.foundation import difference, published_state, read_foundation
from torch.nn import functional as F  # noqa: N812

from pointmask_trainer.errors import CheckpointError
from pointmask_trainer.foundation.hiera import PUBLISHED, HieraShape
from pointmask_trainer.foundation.loading import load_segmenter
from pointmask_trainer.foundation.mask_decoder import NEGATIVE, POSITIVE, Decoded, DecoderShape
from pointmask_trainer.foundation.segmenter import Prompt, Segmenter, best, single
from pointmask_trainer.foundation.vit import ViTShape

SAM, SAM2 = read_foundation("sam"), read_foundation("sam2")
TOLERANCE = 1e-5
TINY = HieraShape(16, 1, (1, 1, 2, 1), (3,), windows=(8, 4, 6, 3), out=32)
CLICK, OTHER, BOX = (40.0, 50.0), (70.0, 20.0), (30.0, 40.0, 50.0, 60.0)


def load(folder, kind, tensors, name="w.safetensors"):
    save_file(tensors, folder / name)
    return load_segmenter(folder / name, kind, hieras=(TINY,), heads=4, side=128).network


@pytest.fixture(scope="module")
def sam(tmp_path_factory):
    return load(tmp_path_factory.mktemp("sam"), "sam", published_state(SAM["keys"]))


@pytest.fixture(scope="module")
def sam2(tmp_path_factory):
    return load(tmp_path_factory.mktemp("sam2"), "sam2", published_state(SAM2["keys"]))


@pytest.fixture(scope="module")
def sam_image(sam):
    grey = (60 * gen("x", (96, 128)).abs()).clamp(0, 255).floor().float()
    return F.pad(sam.normalised(grey[None, None]), (0, 0, 0, 32))


@pytest.mark.parametrize(
    ("name", "prompt"),
    [
        ("point", Prompt([CLICK])),
        ("point_and_negative", Prompt([CLICK, OTHER], [POSITIVE, NEGATIVE])),
        ("box", Prompt([], [], BOX)),
    ],
)
def test_sam_is_the_original(sam, sam_image, name, prompt):
    encoded, expected = sam.encode(sam_image), SAM["results"][name]
    assert difference(encoded.embedding, SAM["results"]["embedding"]) < TOLERANCE
    assert difference(sam.tokens(prompt), expected["sparse"]) < TOLERANCE
    decoded = sam.decode(encoded, prompt)
    assert difference(decoded.logits, expected["low_res_logits_of_4_tokens"]) < TOLERANCE
    assert difference(decoded.quality, expected["iou"]) < TOLERANCE
    frame = sam.to_frame(decoded.logits[:, 1:], (96, 128), (48, 64))
    assert difference(frame, expected["logits_48x64_of_multimask"]) < TOLERANCE


@pytest.mark.parametrize(
    ("name", "prompt"), [("point", Prompt([CLICK])), ("box_as_points", Prompt([], [], BOX))]
)
def test_sam2_is_the_original(sam2, name, prompt):
    images = gen("x", (1, 3, 128, 128)).float()
    for level, expected in zip(sam2.image_encoder(images), SAM2["results"]["fpn"], strict=True):
        assert difference(level, expected) < TOLERANCE
    encoded, expected = sam2.encode(images), SAM2["results"][name]
    assert difference(encoded.embedding, SAM2["results"]["embedding"]) < TOLERANCE
    for level, recorded in zip(encoded.finer, SAM2["results"]["high_res"], strict=True):
        assert difference(level, recorded) < TOLERANCE
    assert difference(sam2.tokens(prompt), expected["sparse"]) < TOLERANCE
    decoded = sam2.decode(encoded, prompt)
    assert difference(decoded.logits, expected["low_res_logits_of_4_tokens"]) < TOLERANCE
    assert difference(decoded.quality, expected["iou"]) < TOLERANCE
    assert difference(decoded.presence, expected["object_score_logit"]) < TOLERANCE


def hub_name(name):
    """Return the name that model hubs give to a tensor of SAM."""
    for pattern, replacement in [
        (r"^image_encoder\.blocks", "vision_encoder.layers"),
        (r"^image_encoder\.patch_embed\.proj", "vision_encoder.patch_embed.projection"),
        (r"^image_encoder\.neck\.0", "vision_encoder.neck.conv1"),
        (r"^image_encoder\.neck\.1", "vision_encoder.neck.layer_norm1"),
        (r"^image_encoder\.neck\.2", "vision_encoder.neck.conv2"),
        (r"^image_encoder\.neck\.3", "vision_encoder.neck.layer_norm2"),
        (r"^image_encoder", "vision_encoder"),
        (r"^prompt_encoder\.pe_layer.*", "shared_image_embedding.positional_embedding"),
        (r"point_embeddings", "point_embed"),
        (r"mask_downscaling\.0", "mask_embed.conv1"),
        (r"mask_downscaling\.1", "mask_embed.layer_norm1"),
        (r"mask_downscaling\.3", "mask_embed.conv2"),
        (r"mask_downscaling\.4", "mask_embed.layer_norm2"),
        (r"mask_downscaling\.6", "mask_embed.conv3"),
        (r"\.norm(\d)\.", r".layer_norm\1."),
        (r"norm_final_attn", "layer_norm_final_attn"),
        (r"output_upscaling\.0", "upscale_conv1"),
        (r"output_upscaling\.1", "upscale_layer_norm"),
        (r"output_upscaling\.3", "upscale_conv2"),
        (r"(mlps\.\d|head)\.layers\.0", r"\1.proj_in"),
        (r"(mlps\.\d|head)\.layers\.1", r"\1.layers.0"),
        (r"(mlps\.\d|head)\.layers\.2", r"\1.proj_out"),
    ]:
        name = re.sub(pattern, replacement, name)
    return name


def test_sam_is_read_by_the_names_of_hubs(sam, tmp_path):
    tensors = {hub_name(name): value for name, value in published_state(SAM["keys"]).items()}
    shared = tensors["shared_image_embedding.positional_embedding"]
    tensors["prompt_encoder.shared_embedding.positional_embedding"] = shared.clone()
    other = load(tmp_path, "sam", tensors)
    for name, value in sam.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_sam2_leaves_out_what_follows_objects(sam2, tmp_path):
    tensors = published_state(SAM2["keys"])
    tensors |= {
        "memory_encoder.x": torch.ones(1),
        "maskmem_tpos_enc": torch.ones(1),
        "no_obj_ptr": torch.ones(1),
    }
    torch.save({"model": tensors}, tmp_path / "sam2.pt")
    other = load_segmenter(tmp_path / "sam2.pt", "sam2", hieras=(TINY,), heads=4, side=128).network
    assert torch.equal(other.no_mem_embed, sam2.no_mem_embed)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.pop("mask_decoder.iou_token.weight"), "iou_token.weight is missing"),
        (lambda t: t.pop("image_encoder.pos_embed"), "no tensor image_encoder.pos_embed of 4 axes"),
        (lambda t: t.update({"extra.weight": torch.ones(1)}), "extra.weight is unknown"),
        (
            lambda t: t.update({"mask_decoder.iou_token.weight": torch.ones(2, 32)}),
            r"is \[2, 32\], not \[1, 32\]",
        ),
        (
            lambda t: t["image_encoder.pos_embed"].fill_(torch.nan),
            "NaN or infinite values in image_encoder.pos",
        ),
    ],
)
def test_files_of_sam_that_do_not_fit_are_refused(tmp_path, change, says):
    tensors = published_state(SAM["keys"])
    change(tensors)
    with pytest.raises(CheckpointError, match=rf"w\.safetensors .*{says}"):
        load(tmp_path, "sam", tensors)


def test_weights_of_another_family_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match="holds the weights of SAM; method sam2 needs those of SAM2"):
        load(tmp_path, "sam2", published_state(SAM["keys"]))
    with pytest.raises(CheckpointError, match="holds the weights of a network that is not known here"):
        load(tmp_path, "sam", {"conv.weight": torch.ones(1)})
    save_file(published_state(SAM2["keys"]), tmp_path / "w.safetensors")
    with pytest.raises(
        CheckpointError, match=r"16 channels with stages of \(1, 1, 2, 1\) blocks, which is none"
    ):
        load_segmenter(tmp_path / "w.safetensors", "sam2")


def decoded(values, quality):
    return Decoded(torch.tensor(values).view(1, 4, 1, -1), torch.tensor([quality]), None)


def test_the_single_mask_gives_way_where_it_is_unstable():
    quality = [0.9, 0.1, 0.3, 0.2]
    firm = decoded([[1.0, 1.0, -1.0]] * 4, quality)
    unsure = decoded([[1.0, 0.01, -1.0]] + [[1.0, 1.0, -1.0]] * 3, quality)
    nothing = decoded([[-1.0, -1.0, -1.0]] * 4, quality)
    assert best(firm) == 2
    assert single(firm, falls_back=True) == single(nothing, falls_back=True) == 0
    assert single(unsure, falls_back=True) == 2
    assert single(unsure, falls_back=False) == 0


def test_the_published_sizes_are_met():
    given_masks = 4684  # weights that read a given mask, which no click has
    with torch.device("meta"):
        windows = tuple(64 if k in (2, 5, 8, 11) else 14 for k in range(12))
        large = Segmenter(ViTShape(16, 64, 768, 3072, 12, windows, 256), DecoderShape())
        tiny = Segmenter(PUBLISHED[0], DecoderShape(is_second=True))
    assert sum(p.numel() for p in large.state_dict().values()) == 93_735_728 - given_masks
    assert round(sum(p.numel() for p in tiny.parameters()) / 1e6, 1) == 31.4
