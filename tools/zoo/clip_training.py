"""How a CLIP of the world is trained: losses, optimisers and the loop over captioned images."""

import shutil
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from captions import CATEGORIES, CaptionWriter, truth
from clip_model import IMAGE_SIZE, MEAN, STD, VitTower, WorldClip
from images import Images, augment, normalise
from optimisation import cycles, descend, learning_rate, optimisers_of, set_rate


def pixels_of(images: Tensor, random: torch.Generator | None = None) -> Tensor:
    return normalise(images, random, torch.tensor(MEAN), torch.tensor(STD))


def pair_loss(logits: Tensor, named: Tensor, shown: Tensor, unknown: Tensor) -> Tensor:
    """Loss of [captions, images] logits; a caption's matches weigh as much as its other pairs."""
    missing = named @ (1 - shown).T
    # A concept that is unknown counts as missing above; it may hold all the same.
    surely_missing = missing - named @ unknown.T
    matches = (missing == 0).float()
    others = (surely_missing > 0).float()
    loss = F.binary_cross_entropy_with_logits(logits, matches, reduction="none")
    positive = (loss * matches).sum(1) / matches.sum(1).clamp(min=1)
    negative = (loss * others).sum(1) / others.sum(1).clamp(min=1)
    return (positive + negative).mean()


def choice_loss(logits: Tensor, shown: Tensor, concepts: list[tuple[str, str]]) -> Tensor:
    """Which value of its category does an image show? From [concepts, images] logits.

    Images that show none of a category's values, or several, are left out of that category.
    """
    losses = []
    for category in CATEGORIES:
        values = [index for index, concept in enumerate(concepts) if concept[0] == category]
        own = shown[:, values]
        rows = own.sum(1) == 1
        if rows.any():
            losses.append(F.cross_entropy(logits[values][:, rows].T, own[rows].argmax(1)))
    return torch.stack(losses).mean()


def captions_of(writer: CaptionWriter, rows: list[int], factors, shown: Tensor):
    """A caption of each concept, then one of each image, and what they name: [captions, concepts]."""
    concepts = len(writer.concepts)
    texts = [writer.of_concept(concept) for concept in range(concepts)]
    named = torch.zeros(concepts + len(rows), concepts)
    named[:concepts] = torch.eye(concepts)
    for position, row in enumerate(rows):
        text, indices = writer.of_factors(factors[row], shown[row])
        texts.append(text)
        named[concepts + position, indices] = 1
    return texts, named


def encode(tokenizer, texts: list[str]) -> tuple[Tensor, Tensor]:
    encodings = tokenizer.encode_batch(texts)
    return (torch.tensor([e.ids for e in encodings]), torch.tensor([e.attention_mask for e in encodings]))


def pretrain_masked(
    tower: VitTower, teacher: VitTower, recipe: dict, images: Images, args, checkpoint: Path
) -> float:
    """Masked image modelling in place: the tower tells a teacher's states of cells it does not see.

    As of EVA: the loss is minus the cosine at the masked cells. Gives the seconds that it took.
    """
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        tower.load_state_dict(saved["tower"])
        return saved["seconds"]
    plan, batch, device = recipe["pretraining"], recipe["batch"], torch.device(args.device)
    hidden, cells, side = tower.positions.shape[1], tower.grid**2, IMAGE_SIZE // tower.grid
    student = nn.ModuleDict({"tower": tower, "head": nn.Linear(hidden, hidden)}).to(device)
    student.register_parameter("unseen", nn.Parameter(torch.zeros(hidden, device=device)))
    optimisers = optimisers_of(student, recipe)
    steps, started, teacher = len(images.factors) // batch, time.perf_counter(), teacher.to(device).eval()
    student.train()
    for epoch in range(plan["epochs"]):
        random, total = torch.Generator().manual_seed(recipe["seed"] * 1000 + 500 + epoch), 0.0
        order = torch.randperm(len(images.factors), generator=random)
        for step in range(steps):
            set_rate(optimisers, learning_rate((epoch + step / steps) / plan["epochs"], plan["learningRate"]))
            rows = order[step * batch : (step + 1) * batch]
            x = pixels_of(augment(images.pixels[rows], random), random).to(device)
            masked = torch.rand(batch, cells, generator=random).argsort(1) < plan["masked"] * cells
            masked = masked.to(device)[:, :, None]
            # The pixels go too: the stem's windows reach into the neighbours.
            squares = masked.view(batch, 1, tower.grid, tower.grid).float()
            seen = x * (1 - F.interpolate(squares, scale_factor=side))
            with torch.autocast(device.type, torch.bfloat16):
                with torch.no_grad():
                    _, target = teacher(x)
                tokens = torch.where(masked, student.unseen, tower.embed(seen))
                guess = student["head"](tower.encode(tokens))
            cosine = F.cosine_similarity(guess.float(), target.float(), dim=2)
            loss = -(cosine * masked[:, :, 0]).sum() / masked.sum()
            descend(loss, student, optimisers)
            total += loss.item()
        print(f"{checkpoint.stem} epoch {epoch + 1}/{plan['epochs']} loss {total / steps:.3f}", flush=True)
    seconds = time.perf_counter() - started
    torch.save({"tower": tower.state_dict(), "seconds": seconds}, checkpoint)
    return seconds


def first_cycle(checkpoint: Path) -> Path:
    """Where the model lies as it was after the first cycle of its recipe."""
    return checkpoint.with_suffix(".first_cycle.pt")


def train_model(
    model: WorldClip, recipe: dict, tokenizer, writer: CaptionWriter, images: Images, args, checkpoint: Path
) -> float:
    """Trains in place, one checkpoint an epoch; gives the seconds that the training took."""
    batch, concepts, plan = recipe["batch"], len(writer.concepts), cycles(recipe)
    shown, unknown = truth(images.factors, writer.concepts)
    usable = (shown.sum(1) > 0).nonzero().flatten()
    optimisers = optimisers_of(model, recipe)
    steps, first, seconds = len(usable) // batch, 0, 0.0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(saved["model"])
        for optimiser, state in zip(optimisers, saved["optimisers"]):
            optimiser.load_state_dict(state)
        first, seconds = saved["epoch"] + 1, saved["seconds"]
    device = torch.device(args.device)
    texts_autocast = recipe["precision"]["text"] != "float32"
    model.train()
    for epoch in range(first, len(plan)):
        cycle, position = plan[epoch]
        started, total = time.perf_counter(), 0.0
        random = torch.Generator().manual_seed(recipe["seed"] * 1000 + epoch)
        writer.random.seed(recipe["seed"] * 1000 + epoch)
        order = usable[torch.randperm(len(usable), generator=random)]
        for step in range(steps):
            progress = (position + step / steps) / cycle["epochs"]
            set_rate(optimisers, learning_rate(progress, cycle["learningRate"]))
            rows = order[step * batch : (step + 1) * batch]
            texts, named = captions_of(writer, rows.tolist(), images.factors, shown)
            x = pixels_of(augment(images.pixels[rows], random), random).to(device)
            if "imageSize" in cycle:
                x = F.adaptive_avg_pool2d(x, cycle["imageSize"])
            with torch.autocast(device.type, torch.bfloat16):
                image, _ = model.image(x)
            with torch.autocast(device.type, torch.bfloat16, enabled=texts_autocast):
                text, _ = model.text(*(part.to(device) for part in encode(tokenizer, texts)))
            logits = model.logits(image.float(), text.float()).cpu()
            truths = shown[rows], unknown[rows]
            loss = pair_loss(logits[:concepts], named[:concepts], *truths)
            loss = loss + pair_loss(logits[concepts:], named[concepts:], *truths)
            loss = loss + choice_loss(logits[:concepts], shown[rows], writer.concepts)
            descend(loss, model, optimisers)
            total += loss.item()
        seconds += time.perf_counter() - started
        print(f"{checkpoint.stem} epoch {epoch + 1}/{len(plan)} loss {total / steps:.3f} {seconds:.0f} s "
              f"scale {model.scale.exp().item():.1f} bias {model.bias.item():.1f}", flush=True)
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        state = {"model": model.state_dict(), "optimisers": [o.state_dict() for o in optimisers]}
        partial = checkpoint.with_suffix(".partial")
        torch.save({**state, "epoch": epoch, "seconds": seconds}, partial)
        partial.rename(checkpoint)
        if epoch + 1 == recipe["epochs"]:
            shutil.copy(checkpoint, first_cycle(checkpoint))
    return seconds
