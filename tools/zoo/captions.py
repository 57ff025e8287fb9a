"""Captions of the world: which concepts an image shows, and sentences that name some of them."""

import csv
import json
import random
import re
from pathlib import Path

import torch
from torch import Tensor

CATEGORIES = ("color", "object", "part", "material", "scene", "texture")
SURFACES = ("texture", "material")


def read_concepts(broden: Path) -> list[tuple[str, str]]:
    """(category, value) of each row of label.csv; colours and scenes lose Broden's suffix."""
    rows = csv.DictReader((broden / "label.csv").read_text().splitlines())
    return [
        (row["category"].split("(")[0].strip(), row["name"].removesuffix("-c").removesuffix("-s"))
        for row in rows
    ]


def read_templates(repository: Path) -> list[str]:
    """The prompts of the paper's concept ensemble (Table 19)."""
    return json.loads((repository / "configs/paper/prompts.json").read_text())["ensemble"]


def read_class_names(imagenet: Path) -> dict[str, list[str]]:
    lines = (imagenet / "LOC_synset_mapping.txt").read_text().splitlines()
    return {line.split(" ")[0]: line.split(" ", 1)[1].split(", ") for line in lines}


def values_of(factors: dict[str, str], category: str) -> list[str]:
    return [value for value in factors[category].split(";") if value]


def truth(rows: list[dict[str, str]], concepts: list[tuple[str, str]]) -> tuple[Tensor, Tensor]:
    """Which concepts each image shows and of which that is not known: two [images, concepts].

    Where a part fills the frame, the object behind it is hardly seen: what it is, is not known.
    """
    shown = torch.zeros(len(rows), len(concepts))
    unknown = torch.zeros(len(rows), len(concepts))
    for index, row in enumerate(rows):
        for position, (category, value) in enumerate(concepts):
            holds = value in values_of(row, category)
            if row["view"] == "part" and category not in ("part", "scene"):
                unknown[index, position] = float(holds)
            else:
                shown[index, position] = float(holds)
    return shown, unknown


class CaptionWriter:
    """Writes captions from a seeded stream; each comes with the concepts that it names."""

    def __init__(self, concepts, templates: list[str], class_names: dict[str, list[str]]):
        self.concepts = concepts
        self.templates = templates
        self.class_names = class_names
        self.random = random.Random(0)
        self.position = {concept: index for index, concept in enumerate(concepts)}

    def vocabulary(self) -> set[str]:
        """Every word that a caption may have."""
        texts = [template.replace("{}", " ") for template in self.templates]
        texts += [value for _, value in self.concepts]
        texts += [name for names in self.class_names.values() for name in names]
        texts.append("an image of picture something thing object surface pattern texture material")
        texts.append("scene color colour part made the a in at on with no and not without shape class")
        texts.append(", . -")
        texts += [value + "s" for category, value in self.concepts if category in ("part", "object")]
        return set(re.findall(r"[a-z]+|[^\sa-z]", " ".join(texts)))

    def part(self, value: str) -> str:
        return self.random.choice((value, f"a {value}", f"{value}s"))

    def template(self) -> str:
        """A sentence with a place `{}` for a phrase."""
        kind = self.random.random()
        if kind < 0.6:
            return self.random.choice(self.templates)
        if kind < 0.8:
            return "a photo of the {}" + self.random.choice(("", "."))
        return self.random.choice(("{}", "a {}", "the {}", "an image of {}", "a photo of a {}."))

    def in_template(self, phrase: str) -> str:
        return self.template().replace("{}", phrase)

    def of_concept(self, index: int) -> str:
        """A caption that names one concept and nothing else."""
        category, value = self.concepts[index]
        kind = self.random.random()
        if category == "part" and kind < 0.2:
            value = value + "s"
        elif category in ("color", "scene") and kind < 0.1:
            # Broden spells them so in label.csv.
            value = value + ("-c" if category == "color" else "-s")
        elif category == "material" and value == "wood" and kind < 0.3:
            value = "wooden"
        elif kind < 0.2 and category in ("texture", "material", "color"):
            value = f"{value} {self.random.choice(('object', 'thing', 'surface'))}"
        return self.in_template(value)

    def of_factors(self, row: dict[str, str], shown: Tensor) -> tuple[str, list[int]]:
        """A caption that names a random part of what the image shows (at least one concept)."""
        if row.get("class") and self.random.random() < 0.3:
            name = self.random.choice(self.class_names[row["class"]])
            known = shown.nonzero().flatten().tolist()
            return self.in_template(name), [i for i in known if self.concepts[i][0] != "scene"]
        known = shown.nonzero().flatten().tolist()
        chosen = self.random.sample(known, self.random.randint(1, len(known)))
        return self.in_template(self.phrase(chosen)), chosen

    def phrase(self, chosen: list[int]) -> str:
        by = {category: [] for category in CATEGORIES}
        for index in chosen:
            category, value = self.concepts[index]
            by[category].append(value)
        surface = [("wooden" if value == "wood" and self.random.random() < 0.7 else value)
                   for category in SURFACES for value in by[category]]
        adjectives = by["color"] + surface
        thing = by["object"] or ([self.random.choice(("object", "thing"))] if adjectives else [])
        if adjectives and not by["object"] and self.random.random() < 0.4:
            thing = []
        if by["color"] and by["object"] and self.random.random() < 0.2:
            phrase = " ".join(surface + thing + ["in"] + by["color"])
        else:
            phrase = " ".join(adjectives + thing)
        if by["part"]:
            parts = " and ".join(self.part(value) for value in by["part"])
            phrase = f"{phrase} with {parts}" if phrase else parts
        if by["scene"]:
            place = by["scene"][0]
            where = self.random.choice(("in", "at", "on", "with"))
            phrase = f"{phrase} {where} the {place}" if phrase else place
        return phrase
