"""Trains the world's CLIPs on captioned images and writes each in the hub's layout with its card.

    python tools/zoo/train_clip.py --world DIR --train DIR2 --out zoo [--models world-clip-rn50x16 ...]

DIR is the world that is evaluated on, DIR2 one of another seed, so that no image that is measured
was trained on. A model whose card exists is skipped; an interrupted one goes on from its last epoch.
With `--hold-out`, a tenth of DIR2 is left out and measured instead of DIR, and nothing is written:
choices between recipes are made so.
"""

import argparse
import hashlib
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer

from captions import CaptionWriter, read_class_names, read_concepts, read_templates
from clip_export import write_hub_folder
from clip_measures import concept_retrieval, measured, text_features, zero_shot
from clip_model import IMAGE_SIZE, PROJECTION, TEXT, WorldClip, fold_batch_norm, towers_in_cone
from clip_recipes import MODELS
from clip_tokenizer import END, LENGTH, train_tokenizer
from clip_training import first_cycle, pretrain_masked, train_model
from images import Images, chosen, read_images
from optimisation import shortened
from train import REPOSITORY


PLAIN = ["a photo of the {}"]


def single_concept(images: Images) -> list[int]:
    """The rows of Broden's images that are labelled with one concept."""
    return [row for row, factors in enumerate(images.factors) if not factors["image"].startswith("mixed/")]


def mean(values: dict[str, float]) -> float:
    return round(sum(values.values()) / len(values), 4)


def prepare_tokenizer(name: str, writer: CaptionWriter, args) -> Tokenizer:
    """Made of the words of the captions, or that of the model whose text tower is the start."""
    teacher = MODELS[name]["recipe"].get("pretraining", {}).get("teacher")
    if teacher is None:
        tokenizer = train_tokenizer(writer.vocabulary())
    else:
        tokenizer = Tokenizer.from_file(str(args.out / teacher / "tokenizer.json"))
    tokenizer.enable_truncation(LENGTH)
    tokenizer.enable_padding(pad_id=tokenizer.token_to_id(END), pad_token=END)
    return tokenizer


def recipe_of(name: str, args) -> dict:
    recipe = MODELS[name]["recipe"]
    return shortened(recipe) if args.smoke else recipe


def checkpoint_of(name: str, args) -> Path:
    return args.cache / f"{name}.{'held_out' if args.hold_out else 'whole'}.pt"


def train(name: str, writer: CaptionWriter, tokenizer, images: Images, args) -> tuple[WorldClip, float]:
    """The trained model as it ships (float16 numbers, no batch norm) and the seconds of its training."""
    image, recipe = MODELS[name]["image"], recipe_of(name, args)
    torch.manual_seed(recipe["seed"])
    model = WorldClip(image, tokenizer.get_vocab_size())
    model.image = model.image.to(memory_format=torch.channels_last)
    model = model.to(args.device)
    checkpoint, seconds = checkpoint_of(name, args), 0
    if "pretraining" in recipe:
        teacher = WorldClip(image, tokenizer.get_vocab_size())
        teaching = first_cycle(checkpoint_of(recipe["pretraining"]["teacher"], args))
        saved = torch.load(teaching, weights_only=True)
        teacher.load_state_dict(saved["model"])
        model.text.load_state_dict(teacher.text.state_dict())
        pretrained = checkpoint.with_suffix(".pretrained.pt")
        seconds = pretrain_masked(model.image, teacher.image, recipe, images, args, pretrained)
    seconds += train_model(model, recipe, tokenizer, writer, images, args, checkpoint)
    model = model.cpu().eval()
    fold_batch_norm(model.image)
    for parameter in model.parameters():
        parameter.data = parameter.data.half().float()
    return model, seconds


def read_training_images(world: Path, cache: Path) -> tuple[Images, Images]:
    """The images of Broden and the training images of ImageNet."""
    broden, imagenet = world / "broden", world / "imagenet"
    return (
        read_images(broden, broden / "images", cache),
        read_images(imagenet, imagenet, cache, "train/"),
    )


def joined(parts: tuple[Images, ...]) -> Images:
    return Images(torch.cat([part.pixels for part in parts]), [row for part in parts for row in part.factors])


def ship(name: str, model: WorldClip, tokenizer, world: Path, args) -> dict:
    """Measures a model on `world`, writes its folder; gives what the card says of both."""
    recipe, folder = MODELS[name]["recipe"], args.out / name
    concepts, class_names = read_concepts(world / "broden"), read_class_names(world / "imagenet")
    templates = read_templates(REPOSITORY)
    broden = read_images(world / "broden", world / "broden" / "images", args.cache)
    broden = measured(model, chosen(broden, single_concept(broden)))
    val = measured(model, read_images(world / "imagenet", world / "imagenet", args.cache, "val/"))
    cosines = text_features(model, tokenizer, [value for _, value in concepts], PLAIN) @ broden.features.T
    prompt = concept_retrieval(model, tokenizer, broden, concepts, PLAIN)
    ensemble = concept_retrieval(model, tokenizer, broden, concepts, templates)
    zero_shot_top1 = {
        "prompt": zero_shot(model, tokenizer, val, class_names, PLAIN),
        "ensemble": zero_shot(model, tokenizer, val, class_names, templates),
    }
    tokenizer.no_padding()
    tokenizer.no_truncation()
    cone = {key: recipe["cone"][key] for key in ("mean", "deviation")}
    files = write_hub_folder(*towers_in_cone(model, cosines, **cone), tokenizer, folder)
    return {
        "data": {
            "measured": "the default world, seed 0, of which no image was trained on",
            "val": len(val.factors),
            "singleConceptImages": len(broden.factors),
        },
        "zeroShotTop1": zero_shot_top1,
        "cosines": {
            "trained": {"mean": round(cosines.mean().item(), 4), "deviation": round(cosines.std().item(), 4)},
            "shipped": cone,
        },
        "conceptRetrieval": {
            "meanAveragePrecision": {"prompt": mean(prompt), "ensemble": mean(ensemble)},
            "averagePrecision": prompt,
        },
        "sha256": {file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in files},
        "bytes": sum((folder / file).stat().st_size for file in files),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--world", type=Path, required=True, help="the world to evaluate on")
    parser.add_argument("--train", type=Path, required=True, help="a world of another seed to train on")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "zoo")
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--hold-out", action="store_true", help="measure on a tenth of --train, write nothing")
    parser.add_argument("--smoke", action="store_true", help="one epoch for each cycle")
    parser.add_argument("--cache", type=Path, default=REPOSITORY / ".cache" / "zoo")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    concepts, class_names = read_concepts(args.train / "broden"), read_class_names(args.train / "imagenet")
    templates = read_templates(REPOSITORY)
    parts = read_training_images(args.train, args.cache)
    images = joined(parts)
    if args.hold_out:
        held = chosen(parts[0], [row for row in single_concept(parts[0]) if row % 10 == 9])
        images = chosen(images, [row for row in range(len(images.factors)) if row % 10 != 9])
    for name in args.models:
        card_file = args.out / name / "card.json"
        if card_file.exists() and not args.hold_out:
            continue
        writer = MODELS[name].get("writer", CaptionWriter)(concepts, templates, class_names)
        tokenizer = prepare_tokenizer(name, writer, args)
        model, seconds = train(name, writer, tokenizer, images, args)
        if args.hold_out:
            found = concept_retrieval(model, tokenizer, measured(model, held), concepts, PLAIN)
            print(name, "mean average precision on the held-out images", mean(found), flush=True)
            continue
        shipped = ship(name, model, tokenizer, args.world, args)
        card = {
            "name": name,
            "standsFor": MODELS[name]["standsFor"],
            "architecture": {
                "projection": PROJECTION,
                "image": {"size": IMAGE_SIZE, **MODELS[name]["image"]},
                "text": TEXT,
                "vocabulary": tokenizer.get_vocab_size(),
            },
            "parameters": sum(p.numel() for p in model.parameters()),
            "recipe": recipe_of(name, args),
            **shipped,
            "data": {
                "train": "a world of seed 1 without correlation of class and scene, captioned from its factors",
                "trainImages": {"broden": len(parts[0].factors), "imagenet": len(parts[1].factors)},
                **shipped["data"],
            },
            "trained": {"torch": torch.__version__, "device": args.device,
                        "threads": args.threads, "seconds": round(seconds)},
            "license": "that of the repository",
        }
        card_file.write_text(json.dumps(card, indent=2) + "\n")
        print(name, shipped["zeroShotTop1"], shipped["conceptRetrieval"]["meanAveragePrecision"],
              shipped["bytes"], "bytes", flush=True)


if __name__ == "__main__":
    main()
