"""Reference outputs of torchvision's and pytorchcv's models at formula weights.

    python tools/parity/reference.py resnet18 vit_b_16 --sizes released
    python tools/parity/reference.py vgg13 --sizes world

Writes tests/fixtures/models/parity/<name>.<sizes>.json: per output its shape, mean, norm, greatest
magnitude and values spread evenly over it. The same, with more values, of the gradients in float64 of
one logit of each image with respect to the pixels, every depth that has a name, and the features; for
these the channels near a kink are drawn again (kinks.py), and the file says which. The narrow models of
--sizes world are torchvision's own classes with the sizes in configs/backbones, except for the ResNet,
whose width torchvision fixes: it is the one of tools/zoo.
"""

import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np
import torch
from formula import parameter, parameter_row, pixels
from kinks import avoid_kinks
from torch import nn

try:
    import torchvision
except RuntimeError:
    # A CPU build without torchvision's compiled operators lacks what its import registers.
    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tools/zoo"))
import architectures as zoo  # noqa: E402

IMAGES = 2
SAMPLES = 24
GRADIENT_SAMPLES = 64
DEPTHS = {
    "resnet": r"layer\d(\.\d+)?",
    "densenet": r"features\.(pool0|denseblock\d|transition\d)",
    "vgg": r"(features\.\d+|classifier\.1)",
    "vit": r"encoder\.layers\.encoder_layer_\d+",
    "pytorchcv_resnet": r"features\.(init_block|stage\d(\.unit\d+)?)",
    "pytorchcv_cifar_resnet": r"features\.(init_block|stage\d(\.unit\d+)?)",
    "pytorchcv_cifar_densenet": r"features\.(init_block|stage\d(\.unit\d+)?)",
}


def narrow_model(family: str, sizes: dict) -> nn.Module:
    if family == "densenet":
        return torchvision.models.DenseNet(
            growth_rate=sizes["growth"],
            block_config=sizes["blocks"],
            num_init_features=sizes["initialChannels"],
            bn_size=sizes["bottleneckFactor"],
            num_classes=sizes["classes"],
        )
    if family == "vit":
        return torchvision.models.VisionTransformer(
            image_size=sizes["imageSize"],
            patch_size=sizes["patchSize"],
            num_layers=sizes["layers"],
            num_heads=sizes["heads"],
            hidden_dim=sizes["hidden"],
            mlp_dim=sizes["mlp"],
            num_classes=sizes["classes"],
        )
    if family == "vgg":
        layers = []
        for channels, count in zip(sizes["channels"], sizes["blocks"]):
            layers += [channels] * count + ["M"]
        model = torchvision.models.VGG(torchvision.models.vgg.make_layers(layers), sizes["classes"])
        side, hidden = sizes["pooledSize"], sizes["hidden"]
        model.avgpool = nn.AdaptiveAvgPool2d((side, side))
        widths = [sizes["channels"][-1] * side * side, hidden, hidden, sizes["classes"]]
        for position, (inputs, outputs) in zip((0, 3, 6), zip(widths, widths[1:])):
            model.classifier[position] = nn.Linear(inputs, outputs)
        return model
    if family == "resnet":
        names = ("blocks", "width", "bottleneck", "classes")
        return zoo.ResNet(**{name: sizes[name] for name in names})
    return zoo.build_backbone({"family": family, **sizes})


def build(config: dict, which: str) -> tuple[nn.Module, dict]:
    sizes = config["architecture"]
    with torch.device("meta"):
        if which == "world":
            sizes = {**sizes, **config["world"]}
            return narrow_model(config["family"], sizes), sizes
        if config["family"].startswith("pytorchcv"):
            from pytorchcv.model_provider import get_model

            return get_model(config["name"]), sizes
        return torchvision.models.get_model(config["name"]), sizes


def depth_names(model: nn.Module, family: str) -> list[str]:
    names = [name for name, _ in model.named_modules() if re.fullmatch(DEPTHS[family], name)]
    if family == "vgg":
        names = [name for name in names if not isinstance(model.get_submodule(name), nn.Conv2d)]
    # The graph computes the last encoder block for the class token alone.
    return names[:-1] if family == "vit" else names


def outputs(model: nn.Module, family: str, images: torch.Tensor) -> dict[str, torch.Tensor]:
    seen: dict[str, torch.Tensor] = {}
    handles = [
        model.get_submodule(name).register_forward_hook(
            lambda module, inputs, output, name=name: seen.update({name: output.clone()})
        )
        for name in depth_names(model, family)
    ]
    last = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
    handles.append(
        last.register_forward_pre_hook(
            lambda module, inputs: seen.update(features=inputs[0].clone())
        )
    )
    with torch.inference_mode():
        seen["logits"] = model(images)
    for handle in handles:
        handle.remove()
    return seen


def gradients(
    model: nn.Module, family: str, images: torch.Tensor, classes: list[int]
) -> dict[str, torch.Tensor]:
    """The gradients of one logit of each image, by autograd."""
    model.requires_grad_(False)
    seen = {"pixels": images.clone().requires_grad_()}

    def keep(name: str, value: torch.Tensor) -> torch.Tensor:
        value.retain_grad()
        seen[name] = value
        # What runs in place does so on a copy.
        return value.clone()

    handles = [
        model.get_submodule(name).register_forward_hook(
            lambda module, inputs, output, name=name: keep(name, output)
        )
        for name in depth_names(model, family)
    ]
    last = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
    handles.append(
        last.register_forward_pre_hook(lambda module, inputs: (keep("features", inputs[0]),))
    )
    logits = model(seen["pixels"])
    logits[torch.arange(len(classes)), classes].sum().backward()
    for handle in handles:
        handle.remove()
    return {name: value.grad for name, value in seen.items()}


def summary(output: torch.Tensor, samples: int = SAMPLES) -> dict:
    values = output.double().numpy().ravel()
    count = min(samples, len(values))
    indices = np.arange(count) * (len(values) - 1) // max(count - 1, 1)
    return {
        "shape": list(output.shape),
        "mean": rounded(values.mean()),
        "norm": rounded(np.linalg.norm(values)),
        "greatest": rounded(np.abs(values).max()),
        "values": [rounded(value) for value in values[indices]],
    }


def rounded(value: float) -> float:
    return float(f"{value:.8g}")


def write_reference(name: str, which: str) -> None:
    config = json.loads((ROOT / f"configs/backbones/{name}.json").read_text())
    model, sizes = build(config, which)
    state = {
        key: torch.from_numpy(parameter(key, tuple(value.shape)))
        if value.dtype == torch.float32
        else torch.zeros(value.shape, dtype=value.dtype)
        for key, value in model.state_dict().items()
    }
    model.load_state_dict(state, assign=True)
    model.eval()
    images = torch.from_numpy(pixels((IMAGES, 3, sizes["imageSize"], sizes["imageSize"])))
    reference = {
        "images": IMAGES,
        # The narrow sizes are free to change in the config; these outputs belong to these sizes.
        "architecture": {"family": config["family"], **sizes},
        "parameters": sum(value.numel() for value in model.parameters()),
        "outputs": {
            output: summary(value) for output, value in outputs(model, config["family"], images).items()
        },
    }
    classes = [3, sizes["classes"] // 2]
    draws = avoid_kinks(model, images, lambda *which: torch.from_numpy(parameter_row(*which)))
    computed = gradients(model.double(), config["family"], images.double(), classes)
    reference["gradients"] = {
        "classes": classes,
        "draws": draws,
        "at": {value: summary(gradient, GRADIENT_SAMPLES) for value, gradient in computed.items()},
    }
    path = ROOT / f"tests/fixtures/models/parity/{name}.{which}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(reference) + "\n")
    logits = reference["outputs"]["logits"]
    print(f"{name} {which}: {reference['parameters']} parameters, |logits| up to {logits['greatest']}")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("names", nargs="+")
    arguments.add_argument("--sizes", choices=["released", "world"], default="released")
    options = arguments.parse_args()
    for backbone in options.names:
        write_reference(backbone, options.sizes)
