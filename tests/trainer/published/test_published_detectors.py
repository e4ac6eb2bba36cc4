"""`import-weights`: files of others become weights with which predict works, and nothing is run."""

import pickle
import re

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from tools.folders import save, spot

from pointmask.cli import main
from pointmask_trainer.detectors.registry import build
from pointmask_trainer.run.checkpoint import load_model

BLOCK = ("conv1.weight", "bn1", "conv2.weight", "bn2")
FUSION = ("topdown.1", "topdown.2", "topdown.4", "topdown.5", "bottomup.0", "bottomup.1", "bottomup.3")
FUSION = (*FUSION, "bottomup.4", "post.0", "post.1")
BLOCKS = {"acm_unet": 3, "alcnet": 4}
FUSIONS = {"acm_unet": ("fuse1", "fuse2"), "alcnet": ("fuse12", "fuse23")}

PAIRS = {
    "acm_unet": {
        "stem.7.weight": "stem.3.0.weight",
        "layer2.0.downsample.1.running_var": "body.encoder.stage2.0.shortcut.1.running_var",
        "layer3.2.conv2.weight": "body.encoder.stage3.2.body.1.0.weight",
        "deconv2.weight": "body.up2.weight",
        "uplayer1.2.bn1.bias": "body.refine1.2.body.0.1.bias",
        "fuse2.topdown.4.bias": "body.fuse2.top_down.1.1.0.bias",
        "fuse1.bottomup.3.weight": "body.fuse1.bottom_up.1.0.weight",
        "fuse1.post.1.weight": "body.fuse1.post.1.weight",
        "head.block.4.bias": "body.head.2.bias",
    },
    "alcnet": {
        "stem.5.bias": "stem.2.1.bias",
        "layer1.3.bn2.weight": "encoder.stage1.3.body.1.1.weight",
        "deconv0.bias": "up0.bias",
        "fuse23.topdown.2.weight": "fuse2.top_down.1.0.1.weight",
        "fuse12.post.0.weight": "fuse1.post.0.weight",
        "head.block.1.weight": "head.0.1.weight",
    },
}
"""Names of theirs and of ours, written down from the two programs."""


def file_of(name):
    """A file as it is published: values at random, shapes of our network by the pairs of names."""
    from pointmask_trainer.published.detectors import NAMES
    from pointmask_trainer.published.files import PublishedWeights
    from pointmask_trainer.published.keys import renamed

    shapes = build(name, in_channels=1).state_dict()
    layers = [f"layer{k}.{i}.{part}" for k in (1, 2, 3) for i in range(BLOCKS[name]) for part in BLOCK]
    layers += [f"layer{k}.0.downsample.{i}" for k in (2, 3) for i in (0, 1)]
    layers += [f"uplayer{k}.{i}.{part}" for k in (1, 2) for i in range(3) for part in BLOCK]
    layers += [f"{fusion}.{part}" for fusion in FUSIONS[name] for part in FUSION]
    layers += [f"stem.{k}" for k in (0, 1, 2, 4, 5, 7, 8)] + [f"head.block.{k}" for k in (0, 1, 4)]
    layers += [f"deconv{k}" for k in ((1, 2) if name == "acm_unet" else (0, 1, 2))]
    kinds = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    names = [part if part.endswith("weight") else f"{part}.{kind}" for part in layers for kind in kinds]
    tensors = {}
    for key in dict.fromkeys(names):
        used = renamed(
            PublishedWeights("x", {key: torch.zeros(1)}, ""), NAMES[name].rules, NAMES[name].ignored
        )
        ours = next(iter(used), None)
        if ours is None:  # of the decoder that nothing uses
            tensors[f"model.{key}"] = torch.randn(4, 4, 3, 3)
        elif ours in shapes:
            like = shapes[ours]
            tensors[f"model.{key}"] = torch.rand_like(like) if like.is_floating_point() else like + 7
    return tensors


OURS_TO_THEIRS = {
    "dnanet": (
        (r"^nodes\.(\d)_(\d)\.", r"conv\1_\2."),
        (r"^final\.", "conv0_4_final.0."),
        (r"^laterals\.0\.", "conv0_1_1x1."),
        (r"^laterals\.1\.", "conv0_2_1x1."),
        (r"^laterals\.2\.", "conv0_3_1x1."),
        (r"^laterals\.3\.", "conv0_4_1x1."),
        (r"^head\.", "final4."),
        (r"^side_heads\.0\.", "final1."),
        (r"^side_heads\.1\.", "final2."),
        (r"^side_heads\.2\.", "final3."),
    ),
    "mshnet": (
        (r"^stem\.", "conv_init."),
        (r"^encoder\.0\.", "encoder_0.0."),
        (r"^encoder\.4\.", "middle_layer."),
        (r"^encoder\.([123])\.", r"encoder_\1."),
        (r"^decoder\.3\.", "decoder_0.0."),
        (r"^decoder\.0\.", "decoder_3."),
        (r"^decoder\.1\.", "decoder_2."),
        (r"^decoder\.2\.", "decoder_1."),
        (r"^heads\.", "output_"),
        (r"^join\.", "final."),
    ),
}
"""Their names from ours, the other way round, written down from their programs."""

BLOCK_NAMES = (
    (r"\.body\.0\.0\.", ".conv1."),
    (r"\.body\.0\.1\.", ".bn1."),
    (r"\.body\.1\.0\.", ".conv2."),
    (r"\.body\.1\.1\.", ".bn2."),
    (r"\.channel\.shared\.0\.", ".ca.fc1."),
    (r"\.channel\.shared\.2\.", ".ca.fc2."),
    (r"\.spatial\.conv\.", ".sa.conv1."),
)

LISTED = {
    "dnanet": (
        "conv0_0.0.conv1.weight", "conv4_0.1.bn2.running_mean", "conv1_3.0.shortcut.1.weight",
        "conv0_4_final.0.sa.conv1.weight", "conv0_4_1x1.bias", "conv2_2.1.ca.fc2.weight", "final4.weight",
    ),
    "mshnet": (
        "conv_init.weight", "encoder_0.0.conv2.bias", "encoder_3.1.ca.fc1.weight", "output_3.bias",
        "middle_layer.0.shortcut.0.weight", "decoder_3.0.bn1.weight", "decoder_0.0.sa.conv1.weight",
        "final.weight",
    ),
}  # fmt: skip
"""Names that stand in their programs."""


def renamed_back(name, key):
    for pattern, theirs in (*BLOCK_NAMES, *OURS_TO_THEIRS[name]):
        key = re.sub(pattern, theirs, key)
    return key


@pytest.mark.parametrize("name", OURS_TO_THEIRS)
@pytest.mark.parametrize("channels", [1, 3])
def test_files_of_the_attention_networks_give_the_same_outputs(name, channels, tmp_path):
    torch.manual_seed(1)
    original = build(name, in_channels=channels).eval()
    tensors = {renamed_back(name, key): value for key, value in original.state_dict().items()}
    assert len(tensors) == len(original.state_dict())
    assert set(LISTED[name]) <= set(tensors)
    prefixed = {f"model.{key}": value for key, value in tensors.items()}
    torch.save({"state_dict": prefixed if channels == 1 else tensors}, tmp_path / "it.pth.tar")
    out = tmp_path / "it.safetensors"
    place = ("--trained-on", "SIRST3", "--out", out)
    call("import-weights", tmp_path / "it.pth.tar", "--model", name, *place)
    model, _ = load_model(out)
    image = torch.randn(1, channels, 32, 32)
    with torch.no_grad():
        assert torch.equal(model.eval().forward_maps(image)[0], original.forward_maps(image)[0])


UIU_HEIGHTS = {"1": 7, "2": 6, "3": 5, "4": 4, "5": 4, "6": 4, "5d": 4, "4d": 4, "3d": 5, "2d": 6, "1d": 7}
UIU_FUSIONS = {
    "feature_high.0": "entry.0", "feature_high.1": "entry.1", "topdown.1": "per_channel.1.0",
    "topdown.2": "per_channel.1.1", "topdown.4": "per_channel.2.0", "topdown.5": "per_channel.2.1",
    "bottomup.0": "squeeze.0", "bottomup.1": "squeeze.1", "bottomup.3.conv1": "per_pixel",
    "post.0": "post.0", "post.1": "post.1",
}  # fmt: skip


def uiunet_layers():
    """Their name and ours of every layer, in the order in which their program uses them."""
    for stage, height in UIU_HEIGHTS.items():
        ours = f"decoder.{5 - int(stage[0])}" if stage.endswith("d") else f"encoder.{int(stage) - 1}"
        inner = {"in": "entry", f"{height}": "bottom"}
        inner |= {f"{k}": f"down.{k - 1}" for k in range(1, height)}
        inner |= {f"{k}d": f"up.{place}" for place, k in enumerate(range(height - 1, 0, -1))}
        for theirs, place in inner.items():
            yield f"stage{stage}.rebnconv{theirs}.conv_s1", f"{ours}.{place}.0"
            yield f"stage{stage}.rebnconv{theirs}.bn_s1", f"{ours}.{place}.1"
    for join, k in enumerate((5, 4, 3, 2)):
        yield from ((f"fuse{k}.{theirs}", f"joins.{join}.{ours}") for theirs, ours in UIU_FUSIONS.items())
    yield from ((f"side{k + 1}", f"sides.{k}") for k in range(6))
    yield "outconv", "fuse"


@pytest.mark.parametrize("channels", [1, 3])
def test_every_tensor_of_uiunet_finds_its_place(channels):
    """Without memory, as 50 million weights are not needed to compare names and shapes."""
    from pointmask_trainer.published.detectors import NAMES, channels_of
    from pointmask_trainer.published.files import PublishedWeights
    from pointmask_trainer.published.keys import renamed

    with torch.device("meta"):
        wanted = build("uiunet", in_channels=channels).state_dict()
    theirs = {
        f"model.{layer}.{key.removeprefix(f'{ours}.')}": value
        for layer, ours in uiunet_layers()
        for key, value in wanted.items()
        if key.startswith(f"{ours}.") and key.count(".") == ours.count(".") + 1
    }
    assert len(theirs) == len(wanted)
    weights = PublishedWeights("uiunet.pth.tar", theirs, "")
    assert channels_of(weights, "uiunet") == channels
    found = renamed(weights, NAMES["uiunet"].rules)
    assert {key: id(value) for key, value in found.items()} == {
        key: id(value) for key, value in wanted.items()
    }


def call(*words, code=0):
    done = CliRunner().invoke(main, [*map(str, words)])
    assert done.exit_code == code, done.output
    return done


@pytest.mark.parametrize("name", PAIRS)
def test_every_tensor_finds_its_place_and_predict_works(name, tmp_path):
    torch.manual_seed(0)
    tensors = file_of(name)
    torch.save({"epoch": 9, "state_dict": tensors, "total_loss": [0.1]}, tmp_path / "it.pth.tar")
    out = tmp_path / "it.safetensors"
    words = (
        "import-weights",
        tmp_path / "it.pth.tar",
        "--model",
        name,
        "--trained-on",
        "SIRST3",
        "--out",
        out,
    )
    shown = call(*words)
    assert f"{name}, {len(tensors):,} tensors" in shown.stdout
    model, card = load_model(out)
    assert (card.normalisation.mean, card.normalisation.std) == (95.010, 41.511)
    weights = model.state_dict()
    for theirs, ours in PAIRS[name].items():
        assert torch.equal(weights[ours], tensors[f"model.{theirs}"]), theirs
    used = [value for key, value in tensors.items() if not (name == "alcnet" and "uplayer" in key)]
    assert len(used) == len(weights)
    save(tmp_path / "images/a.png", spot())
    predict = ("predict", out, tmp_path / "images", "--out", tmp_path / "found", "--device", "cpu")
    call(*predict, code=3)  # weights at random find half of the pixels
    assert (tmp_path / "found/masks/a.png").exists()
    call(*words, code=2)
    call(*words, "--overwrite")


def test_wrong_files_and_places_are_refused_and_nothing_is_run(tmp_path):
    def words(source, model="acm_unet", out="o.safetensors"):
        place = ("--trained-on", "SIRST3", "--out", tmp_path / out)
        return call("import-weights", tmp_path / source, "--model", model, *place, code=2).stderr

    torch.save({"state_dict": file_of("alcnet")}, tmp_path / "alc.pth.tar")
    assert "published files are known of acm_unet, alcnet, dnanet, mshnet, uiunet" in words("alc.pth.tar")
    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Evil()))
    assert "evil.pth" in words("evil.pth")
    assert not (tmp_path / "ran").exists()
    (tmp_path / "thesis.safetensors").write_text("precious")
    assert "not what this command writes" in words("alc.pth.tar", "alcnet", "thesis.safetensors")
    assert (tmp_path / "thesis.safetensors").read_text() == "precious"
    out = ("--out", tmp_path / "o.safetensors")
    for given in ((), ("--mean", 3), ("--trained-on", "SIRST3", "--mean", 3, "--std", 2)):
        said = call("import-weights", tmp_path / "alc.pth.tar", "--model", "alcnet", *given, *out, code=2)
        assert "--mean and --std" in said.stderr


class Evil:
    def __reduce__(self):
        return (open, ("ran", "w"))
