"""Schedules and optimisers that backbones and CLIPs share."""

import math

import torch
from torch import Tensor, nn

MUON = "Muon for the matrices of the blocks, AdamW for the rest"


def learning_rate(progress: float, peak: float) -> float:
    """One cycle: linear to the peak at a fifth of the training, then a half cosine to zero."""
    warm = 0.2
    if progress < warm:
        return peak * (0.05 + 0.95 * progress / warm)
    return peak * 0.5 * (1 + math.cos(math.pi * (progress - warm) / (1 - warm)))


def cycles(recipe: dict) -> list[tuple[dict, int]]:
    """Each epoch of a recipe: the cycle that it belongs to and its position therein."""
    further = [recipe["secondCycle"]] if "secondCycle" in recipe else []
    return [(cycle, position) for cycle in [recipe, *further] for position in range(cycle["epochs"])]


def shortened(recipe: dict) -> dict:
    """The recipe with one epoch for each of its cycles, to see that it runs."""
    return {
        key: shortened(value) if isinstance(value, dict) else 1 if key == "epochs" else value
        for key, value in recipe.items()
    }


def parameter_groups(model: nn.Module, decay: float) -> list[dict]:
    """Weight decay for matrices and kernels only."""
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def optimisers_of(model: nn.Module, recipe: dict) -> list[torch.optim.Optimizer]:
    """AdamW, or Muon for the matrices of the transformers' blocks and AdamW for the rest."""
    betas, decay = tuple(recipe["betas"]), recipe["weightDecay"]
    if recipe["optimiser"] != MUON:
        return [torch.optim.AdamW(parameter_groups(model, decay), betas=betas)]
    matrices = [p for name, p in model.named_parameters() if "layers." in name and p.ndim == 2]
    chosen = {id(p) for p in matrices}
    groups = [
        {**group, "params": [p for p in group["params"] if id(p) not in chosen]}
        for group in parameter_groups(model, decay)
    ]
    muon = torch.optim.Muon(
        matrices, weight_decay=decay, momentum=recipe["momentum"], adjust_lr_fn="match_rms_adamw"
    )
    return [muon, torch.optim.AdamW(groups, betas=betas)]


def set_rate(optimisers: list[torch.optim.Optimizer], rate: float) -> None:
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = rate


def descend(loss: Tensor, model: nn.Module, optimisers: list[torch.optim.Optimizer]) -> None:
    model.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 2.0)
    for optimiser in optimisers:
        optimiser.step()
