"""Captions as of LaCLIP: each is the original or one of its rewrites, other words in other orders."""

import re

from captions import CATEGORIES, SURFACES, CaptionWriter

# LaCLIP draws from the original and four rewrites.
ORIGINAL = 0.2

# Of the words of the templates only: the concepts keep their names.
SYNONYMS = {
    "photo": ("picture", "photograph", "snapshot", "shot"),
    "rendering": ("render", "visualisation"),
    "drawing": ("illustration", "cartoon"),
    "painting": ("artwork", "canvas"),
    "sculpture": ("statue", "figure"),
    "sketch": ("doodle", "outline"),
    "graffiti": ("mural", "spray"),
    "bad": ("poor", "awful"),
    "good": ("fine", "great"),
    "bright": ("luminous", "sunlit"),
    "dark": ("dim", "gloomy"),
    "blurry": ("fuzzy", "unsharp"),
    "cropped": ("trimmed", "clipped"),
    "pixelated": ("blocky", "coarse"),
    "corrupted": ("damaged", "broken"),
    "dirty": ("grimy", "muddy"),
    "clean": ("spotless", "tidy"),
    "large": ("big", "huge"),
    "small": ("little", "tiny"),
    "nice": ("lovely", "pretty"),
    "weird": ("strange", "odd"),
    "cool": ("neat", "stylish"),
    "hard": ("difficult", "tricky"),
}
# What it is, then how it is shown: "a dark photo of the {}." becomes "the {} in a dark photo".
ORDERS = (
    "{subject} in {medium}", "{subject}, {medium}", "{subject} as seen in {medium}",
    "{medium}: {subject}", "here is {subject}, shown in {medium}", "{medium} that shows {subject}",
)


class RewritingWriter(CaptionWriter):
    def vocabulary(self) -> set[str]:
        texts = [word for words in SYNONYMS.values() for word in words] + list(ORDERS)
        texts.append("that is which has there before them it")
        text = " ".join(texts).replace("{subject}", " ").replace("{medium}", " ")
        return super().vocabulary() | set(re.findall(r"[a-z]+|[^\sa-z]", text))

    def template(self) -> str:
        original = super().template()
        if self.random.random() < ORIGINAL:
            return original
        words = [self.synonym(word) for word in re.findall(r"[a-z]+|[^a-z]+", original)]
        medium, of, subject = "".join(words).removesuffix(".").partition(" of ")
        if not of or self.random.random() < 0.4:
            return "".join(words)
        order = self.random.choice(ORDERS)
        return order.replace("{subject}", subject).replace("{medium}", medium)

    def synonym(self, word: str) -> str:
        if word not in SYNONYMS or self.random.random() < 0.3:
            return word
        return self.random.choice(SYNONYMS[word])

    def phrase(self, chosen: list[int]) -> str:
        if self.random.random() < ORIGINAL:
            return super().phrase(chosen)
        by = {category: [] for category in CATEGORIES}
        for index in chosen:
            category, value = self.concepts[index]
            by[category].append(value)
        adjectives = by["color"] + [
            "wooden" if value == "wood" and self.random.random() < 0.7 else value
            for category in SURFACES for value in by[category]
        ]
        self.random.shuffle(adjectives)
        named = bool(by["object"])
        thing = by["object"][0] if named else self.random.choice(("object", "thing"))
        if adjectives and self.random.random() < 0.4:
            phrase = f"{thing} {self.random.choice(('that is', 'which is'))} {' and '.join(adjectives)}"
        else:
            phrase = " ".join([*adjectives, thing] if named or adjectives else [])
        if by["part"]:
            parts = " and ".join(self.part(value) for value in by["part"])
            having = self.random.choice(("with", "that has", "which has"))
            phrase = f"{phrase} {having} {parts}" if phrase else parts
        if by["scene"]:
            place = by["scene"][0]
            if not phrase:
                return place
            behind = self.random.choice(("at the {}", "before the {}", "in the {}")).replace("{}", place)
            phrase = f"{behind}: {phrase}" if self.random.random() < 0.5 else f"{phrase} {behind}"
        return phrase
