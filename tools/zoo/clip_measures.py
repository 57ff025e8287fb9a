"""What a CLIP of the world is worth: zero-shot accuracy and concept retrieval."""

from dataclasses import dataclass

import torch
from sklearn.metrics import average_precision_score
from torch import Tensor
from torch.nn import functional as F

from captions import truth
from clip_model import WorldClip
from clip_training import encode, pixels_of
from images import Images


@torch.no_grad()
def image_features(model: WorldClip, images: Images) -> Tensor:
    chunks = [model.image(pixels_of(chunk))[0] for chunk in images.pixels.split(250)]
    return F.normalize(torch.cat(chunks), dim=1)


@torch.no_grad()
def text_features(model: WorldClip, tokenizer, names: list[str], templates: list[str]) -> Tensor:
    """Mean over the templates of the normalised text features, normalised: [names, dimension]."""
    texts = [template.replace("{}", name) for name in names for template in templates]
    features = F.normalize(model.text(*encode(tokenizer, texts))[0], dim=1)
    return F.normalize(features.view(len(names), len(templates), -1).mean(1), dim=1)


@dataclass(frozen=True)
class Measured:
    """The features of images under a model and what the images show."""

    features: Tensor
    factors: list[dict[str, str]]


def measured(model: WorldClip, images: Images) -> Measured:
    return Measured(image_features(model, images), images.factors)


def zero_shot(model, tokenizer, val: Measured, class_names: dict[str, list[str]], templates) -> float:
    """Share of images nearest to the name of their own class, in percent."""
    ids = sorted(class_names)
    texts = text_features(model, tokenizer, [class_names[of][0] for of in ids], templates)
    labels = torch.tensor([ids.index(row["class"]) for row in val.factors])
    found = (val.features @ texts.T).argmax(1)
    return round(100 * (found == labels).float().mean().item(), 2)


def concept_retrieval(model, tokenizer, broden: Measured, concepts, templates) -> dict[str, float]:
    """Average precision of each concept over the images of Broden that are labelled with one.

    What an image shows, labelled or not, is known from its factors; an image of which it is not
    known whether it shows the concept is left out.
    """
    shown, unknown = truth(broden.factors, concepts)
    texts = text_features(model, tokenizer, [value for _, value in concepts], templates)
    scores = texts @ broden.features.T
    result = {}
    for index, (_, value) in enumerate(concepts):
        known = unknown[:, index] == 0
        precision = average_precision_score(shown[known, index], scores[index][known])
        result[value] = round(float(precision), 4)
    return result
