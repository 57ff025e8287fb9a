"""The world's images as uint8 tensors, decoded once and kept in a cache folder."""

import csv
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

MEAN = torch.tensor([0.485, 0.456, 0.406])
STD = torch.tensor([0.229, 0.224, 0.225])


@dataclass(frozen=True)
class Images:
    """Pixels [n, height, width, 3] uint8 and the row of factors.csv of each image."""

    pixels: Tensor
    factors: list[dict[str, str]]


def read_images(dataset: Path, images: Path, cache: Path, prefix: str = "") -> Images:
    """The images of `dataset`/factors.csv whose names start with `prefix`, in its order."""
    text = (dataset / "factors.csv").read_text()
    rows = [row for row in csv.DictReader(text.splitlines()) if row["image"].startswith(prefix)]
    cache.mkdir(parents=True, exist_ok=True)
    key = sha256(f"{dataset.resolve()} {prefix} {text}".encode()).hexdigest()[:16]
    file = cache / f"images_{key}.npy"
    if not file.exists():
        pixels = np.stack([np.asarray(Image.open(images / row["image"])) for row in rows])
        partial = file.with_suffix(".partial.npy")
        np.save(partial, pixels)
        partial.rename(file)
    return Images(torch.from_numpy(np.load(file)), rows)


def chosen(images: Images, rows: list[int]) -> Images:
    """Some of the images, in the order of `rows`."""
    return Images(images.pixels[rows], [images.factors[row] for row in rows])


def augment(pixels: Tensor, random: torch.Generator, shift: int = 4) -> Tensor:
    """Mirrors half of the images and shifts each by up to `shift` pixels; uint8 in, uint8 out.

    The world mirrors and moves its objects itself, so neither changes what an image shows.
    """
    count, height, width, _ = pixels.shape
    rows = torch.randint(-shift, shift + 1, (count, 1), generator=random) + torch.arange(height)
    columns = torch.randint(-shift, shift + 1, (count, 1), generator=random) + torch.arange(width)
    mirrored = torch.rand(count, 1, generator=random) < 0.5
    columns = torch.where(mirrored, width - 1 - columns, columns)
    # Beyond an edge the image is continued by its reflection.
    rows = (height - 1 - (height - 1 - rows.abs()).abs())
    columns = (width - 1 - (width - 1 - columns.abs()).abs())
    return pixels[torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]


def normalise(pixels: Tensor, random: torch.Generator | None = None, mean=MEAN, std=STD) -> Tensor:
    """[n, h, w, 3] uint8 to [n, 3, h, w] float32, channels last; with `random` under varied light."""
    x = pixels.float()
    if random is not None:
        x = (x * (0.85 + 0.3 * torch.rand(len(x), 1, 1, 1, generator=random))).clamp_(max=255)
    return ((x - mean * 255) / (std * 255)).permute(0, 3, 1, 2)
