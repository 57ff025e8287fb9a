"""Prints the tables of docs/zoo.md from the cards: python tools/zoo/table.py"""

import json
from pathlib import Path

from clip_recipes import MODELS
from optimisation import cycles
from recipes import RECIPES

ZOO = Path(__file__).resolve().parents[2] / "zoo"


def main() -> None:
    total = 0
    for dataset in ("imagenet", "cub200", "cifar100"):
        print("| model | parameters | bytes | top-1 | preferred scene | other scenes | epochs | seconds |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
        for name in [name for name in RECIPES if RECIPES[name]["dataset"] == dataset]:
            card = json.loads((ZOO / f"{name}.json").read_text())
            top1, total = card["top1"], total + card["bytes"]
            cells = [
                name, f"{card['parameters']:,}", f"{card['bytes']:,}", f"{top1['val']:.2f}",
                f"{top1['preferredScene']:.2f}", f"{top1['otherScenes']:.2f}",
                len(cycles(card["recipe"])), card["trained"]["seconds"],
            ]
            print("| " + " | ".join(map(str, cells)) + " |")
        print()
    clips = [json.loads((ZOO / name / "card.json").read_text()) for name in MODELS]
    print(f"All {len(RECIPES) + len(clips)} models: {total + sum(clip['bytes'] for clip in clips):,} bytes.\n")
    print("| model | stands for | parameters | bytes | top-1 | mean average precision | epochs | seconds |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for clip in clips:
        retrieval, top1 = clip["conceptRetrieval"]["meanAveragePrecision"], clip["zeroShotTop1"]
        cells = [
            clip["name"], clip["standsFor"]["model"], f"{clip['parameters']:,}", f"{clip['bytes']:,}",
            f"{top1['prompt']:.2f} / {top1['ensemble']:.2f}",
            f"{retrieval['prompt']:.3f} / {retrieval['ensemble']:.3f}",
            len(cycles(clip["recipe"])), clip["trained"]["seconds"],
        ]
        print("| " + " | ".join(map(str, cells)) + " |")


if __name__ == "__main__":
    main()
