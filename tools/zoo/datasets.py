"""The labelled splits of the world's ImageNet, CUB-200-2011 and CIFAR-100."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from images import Images, chosen, read_images

# The label bytes before the planes of a CIFAR-100 record.
LABEL_BYTES = 2


@dataclass(frozen=True)
class LabelledImages:
    """Images, the class of each [n] and whether its scene is the one its class prefers [n]."""

    images: Images
    labels: Tensor
    in_preferred: Tensor

    def rows(self, rows: list[int]) -> "LabelledImages":
        return LabelledImages(chosen(self.images, rows), self.labels[rows], self.in_preferred[rows])


def read_split(root: Path, split: str, cache: Path) -> Images:
    """The images of `train` or of the other split of the dataset in folder `root`."""
    if root.name == "imagenet":
        return read_images(root, root, cache, f"{'train' if split == 'train' else 'val'}/")
    rows = list(csv.DictReader((root / "factors.csv").read_text().splitlines()))
    if root.name == "cub200":
        mark = "1" if split == "train" else "0"
        lines = (root / "train_test_split.txt").read_text().splitlines()
        whole = read_images(root, root, cache)
        return chosen(whole, [row for row, line in enumerate(lines) if line.split()[1] == mark])
    records = np.fromfile(root / f"{split}.bin", np.uint8).reshape(-1, LABEL_BYTES + 3 * 32 * 32)
    pixels = records[:, LABEL_BYTES:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    factors = [row for row in rows if row["image"].startswith(f"{split}/")]
    return Images(torch.from_numpy(np.ascontiguousarray(pixels)), factors)


def read_dataset(root: Path, cache: Path) -> tuple[LabelledImages, LabelledImages]:
    """The training split and the one that is reported on, of the dataset in folder `root`.

    A class is numbered by its place in the order of the ids, as in lib/world. It prefers the most
    frequent scene of its training images.
    """
    train, test = (read_split(root, split, cache) for split in ("train", "test"))
    names = sorted({row["class"] for row in train.factors})
    preferred = {}
    for name in names:
        scenes = [row["scene"] for row in train.factors if row["class"] == name]
        preferred[name] = max(sorted(set(scenes)), key=scenes.count)
    return tuple(
        LabelledImages(
            images,
            torch.tensor([names.index(row["class"]) for row in images.factors]),
            torch.tensor([row["scene"] == preferred[row["class"]] for row in images.factors]),
        )
        for images in (train, test)
    )


def first_of_each_class(data: LabelledImages, count: int) -> LabelledImages:
    """The first `count` images of each class, in the order of the split."""
    position = places_within_class(data)
    if position.max() + 1 < count:
        raise SystemExit(f"The recipe wants {count} training images a class, the world has fewer: export it anew.")
    return data.rows((position < count).nonzero().flatten().tolist())


def hold_out(data: LabelledImages) -> tuple[LabelledImages, LabelledImages]:
    """Nine tenths of the images of each class, and the tenth that is left."""
    held = places_within_class(data) % 10 == 9
    return tuple(data.rows(rows.nonzero().flatten().tolist()) for rows in (~held, held))


def places_within_class(data: LabelledImages) -> Tensor:
    """How many images of its class come before each image: [n]."""
    one_hot = torch.nn.functional.one_hot(data.labels)
    return (one_hot.cumsum(0) * one_hot).sum(1) - 1


def scene_correlation(configs: Path, dataset: str) -> dict:
    """What the world's config says of a dataset, for the card."""
    world = json.loads((configs / "datasets/world.json").read_text())
    correlation = world[dataset]["sceneCorrelation"]["value"]
    return {"world": dataset, "seed": world["seed"]["value"], "sceneCorrelation": correlation}
