"""Trains the world's backbones and writes zoo/<name>.safetensors (float16) and zoo/<name>.json.

    python tools/zoo/train.py --world DIR --out zoo [--models resnet18 ...] [--device cuda]

DIR holds imagenet/, cub200/ and cifar100/ as tools/zoo/export_worlds.ts writes them. A model whose card
exists is skipped; an interrupted one goes on from its last epoch. With `--hold-out`, a tenth of each
class's training images is left out and measured, and nothing is written: choices between recipes are
made so, and `--recipe` gives the fields that are tried.
"""

import argparse
import hashlib
import json
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn import functional as F

from architectures import Vgg, VisionTransformer, build_backbone, resolved_config
from distillation import CellDistillation
from datasets import LabelledImages, first_of_each_class, hold_out, read_dataset, scene_correlation
from images import Images, augment, normalise
from optimisation import cycles, descend, learning_rate, optimisers_of, set_rate, shortened
from recipes import CHOSEN, CHOSEN_BY_DATASET, RECIPES

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIGS = REPOSITORY / "configs"
# Of the scenes of a split that is reported on, this share is by chance the one that a class prefers.
SCENES = 8


def normalisation(name: str) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the preprocessing in a backbone's config."""
    preprocess = json.loads((CONFIGS / f"backbones/{name}.json").read_text())["preprocess"]
    return torch.tensor(preprocess["mean"]), torch.tensor(preprocess["std"])


def train_model(name: str, model: nn.Module, recipe: dict, train: LabelledImages, args) -> float:
    """Trains in place, one checkpoint an epoch; gives the seconds that the training took."""
    device, batch, plan = torch.device(args.device), recipe["batch"], cycles(recipe)
    optimisers = optimisers_of(model, recipe)
    steps, first, seconds = len(train.labels) // batch, 0, 0.0
    # Another recipe, or fewer images, does not go on where this one stopped.
    key = hashlib.sha256(json.dumps([recipe, len(train.labels)]).encode()).hexdigest()[:12]
    checkpoint = args.cache / f"{name}.{key}.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(saved["model"])
        for optimiser, state in zip(optimisers, saved["optimisers"]):
            optimiser.load_state_dict(state)
        first, seconds = saved["epoch"] + 1, saved["seconds"]
    model.train()
    for epoch in range(first, len(plan)):
        cycle, position = plan[epoch]
        started, total = time.perf_counter(), 0.0
        random = torch.Generator().manual_seed(recipe["seed"] * 1000 + epoch)
        order = torch.randperm(len(train.labels), generator=random)
        for step in range(steps):
            progress = (position + step / steps) / cycle["epochs"]
            set_rate(optimisers, learning_rate(progress, cycle["learningRate"]))
            rows = order[step * batch : (step + 1) * batch]
            x = augment(train.images.pixels[rows], random)
            x = normalise(x, random, *normalisation(name)).to(device)
            with torch.autocast(device.type, torch.bfloat16):
                logits, further = model(x) if isinstance(model, CellDistillation) else (model(x), 0.0)
            loss = F.cross_entropy(
                logits.float(), train.labels[rows].to(device), label_smoothing=recipe["labelSmoothing"]
            )
            descend(loss + further, model, optimisers)
            total += loss.item()
        elapsed = time.perf_counter() - started
        seconds += elapsed
        print(f"{name} epoch {epoch + 1}/{len(plan)} loss {total / steps:.3f} "
              f"{seconds:.0f} s {steps * batch / elapsed:.0f} images/s", flush=True)
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        partial = checkpoint.with_suffix(".partial")
        state = {"model": model.state_dict(), "optimisers": [o.state_dict() for o in optimisers]}
        torch.save({**state, "epoch": epoch, "seconds": seconds}, partial)
        partial.rename(checkpoint)
    return seconds


def shipped_state(model: nn.Module) -> dict[str, Tensor]:
    """The state dict in the original library's structure, without the counters that nothing reads."""
    state = model.folded() if isinstance(model, Vgg) else model.state_dict()
    return centre_logits({
        name: value.detach().cpu().float().contiguous()
        for name, value in state.items()
        if not name.endswith("num_batches_tracked")
    })


def centre_logits(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Takes the mean over classes off the last layer, which no softmax and no ranking sees.

    SGD, which trained the released weights, leaves that mean near zero; Adam lets it drift, and a
    cosine with the gradient of one logit would then measure the drift.
    """
    last = [name for name in state if name.endswith(".weight")][-1].removesuffix(".weight")
    centred = {f"{last}.{part}": state[f"{last}.{part}"] for part in ("weight", "bias")}
    return {**state, **{name: value - value.mean(0) for name, value in centred.items()}}


@torch.no_grad()
def logits_of(name: str, state: dict[str, Tensor], images: Images) -> Tensor:
    """The logits of a model with these weights, in float32: [n, classes]."""
    model = build_backbone(resolved_config(CONFIGS / "backbones", name)).eval()
    model.load_state_dict(state, strict=False)
    mean, std = normalisation(name)
    return torch.cat([model(normalise(chunk, None, mean, std)) for chunk in images.pixels.split(250)])


def accuracies(correct: Tensor, in_preferred: Tensor) -> dict[str, float]:
    """Top-1 in percent over the images with the scene that their class prefers, and over the others."""
    return {"preferredScene": percent(correct[in_preferred]), "otherScenes": percent(correct[~in_preferred])}


def percent(values: Tensor) -> float:
    return round(100 * values.float().mean().item(), 2)


def train_backbone(name: str, recipe: dict, train: LabelledImages, args) -> tuple[dict[str, Tensor], float]:
    """The trained weights in float32 and the seconds of the training."""
    torch.manual_seed(recipe["seed"])
    model = build_backbone(resolved_config(CONFIGS / "backbones", name), training=True)
    if not isinstance(model, VisionTransformer):
        model = model.to(memory_format=torch.channels_last)
    trained = model
    if "distillation" in recipe:
        plan = recipe["distillation"]
        file = args.out / f"{plan['teacher']}.safetensors"
        if not file.exists():
            raise SystemExit(f"{name} is taught by {plan['teacher']}, but there is no {file}: train it first.")
        weights = load_file(file)
        teacher = build_backbone(resolved_config(CONFIGS / "backbones", plan["teacher"]))
        teacher.load_state_dict({key: value.float() for key, value in weights.items()}, strict=False)
        teacher = teacher.to(memory_format=torch.channels_last)
        trained = CellDistillation(model, teacher, plan, train.images.pixels.shape[1])
        teacher.to(args.device)
    seconds = train_model(name, trained.to(args.device), recipe, train, args)
    return shipped_state(model), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--world", type=Path, required=True, help="folder that holds the datasets")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "zoo")
    parser.add_argument("--models", nargs="+", default=list(RECIPES), choices=list(RECIPES))
    parser.add_argument("--cache", type=Path, default=REPOSITORY / ".cache" / "zoo")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--hold-out", action="store_true", help="measure on a tenth of the training images")
    parser.add_argument("--recipe", type=json.loads, default={}, help="with --hold-out, fields to try (JSON)")
    parser.add_argument("--smoke", action="store_true", help="an epoch on what images there are")
    args = parser.parse_args()
    if args.recipe and not args.hold_out:
        parser.error("--recipe is for trials: give --hold-out too, or change recipes.py")
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)

    for name in args.models:
        card_file = args.out / f"{name}.json"
        if card_file.exists() and not args.hold_out:
            continue
        recipe = {**RECIPES[name], **args.recipe}
        whole, test = read_dataset(args.world / recipe["dataset"], args.cache)
        if args.smoke:
            recipe, train = shortened(recipe), whole
        else:
            train = first_of_each_class(whole, recipe["trainPerClass"])
        if args.hold_out:
            train, test = hold_out(train)
        state, seconds = train_backbone(name, recipe, train, args)
        if args.hold_out:
            correct = logits_of(name, state, test.images).argmax(1) == test.labels
            found = accuracies(correct, test.in_preferred)
            expected = (found["preferredScene"] + (SCENES - 1) * found["otherScenes"]) / SCENES
            print(f"{name} {args.recipe} on {len(correct)} held-out images {found}, were every scene "
                  f"equally likely {expected:.2f}", flush=True)
            continue
        half = {key: value.half() for key, value in state.items()}
        rounded = {key: value.float() for key, value in half.items()}
        exact, correct = (
            logits_of(name, weights, test.images).argmax(1) == test.labels for weights in (state, rounded)
        )
        content = save(half, metadata={"format": "pt"})
        (args.out / f"{name}.safetensors").write_bytes(content)
        config = resolved_config(CONFIGS / "backbones", name)
        mean, std = ([round(value, 4) for value in values.tolist()] for values in normalisation(name))
        card = {
            "name": name,
            "architecture": config,
            "parameters": sum(p.numel() for p in build_backbone(config).parameters()),
            "data": {
                **scene_correlation(CONFIGS, recipe["dataset"]),
                "train": len(train.labels),
                "val": len(test.labels),
                "trainInPreferredScene": percent(train.in_preferred),
                "valInPreferredScene": percent(test.in_preferred),
                "preprocess": f"no resize; x / 255, mean {mean}, standard deviation {std}",
            },
            "recipe": recipe,
            "chosen": CHOSEN.get(name, CHOSEN_BY_DATASET[recipe["dataset"]]),
            "top1": {"val": percent(correct), **accuracies(correct, test.in_preferred)},
            "top1_float16": percent(correct),
            "top1_float32": percent(exact),
            "trained": {"torch": torch.__version__, "device": args.device,
                        "threads": args.threads, "seconds": round(seconds)},
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            "license": "that of the repository",
        }
        card_file.write_text(json.dumps(card, indent=2) + "\n")
        print(name, json.dumps(card["top1"]), f"{len(content)} bytes", flush=True)


if __name__ == "__main__":
    main()
