"""Formula weights at which a network's derivative does not hang on rounding.

A ReLU has another slope on either side of zero, and a max pool passes its gradient to another number
when the runner-up wins. Of the 38 million such choices of densenet169 about seven are so close that
32 and 64 bits decide them differently, each of which moves the gradients before it by 1e-3. So the
channels that hold such a choice are drawn again until every choice is clear.
"""

from typing import Callable

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

# No input comes as near to a kink, relative to the layer's greatest magnitude: more than three times
# what inputs in 32 bits were seen to differ from those in 64 bits (1.2e-6, in a RegNet).
MARGIN = 4e-6
MAXIMUM_DRAWS = 200

aten = torch.ops.aten
# Inputs at which the slope jumps, of functions of single numbers.
JUMPS = {
    aten.relu: (0,),
    aten.relu_: (0,),
    aten.hardswish: (-3, 3),
    aten.hardswish_: (-3, 3),
    aten.hardsigmoid: (-3, 3),
    aten.hardsigmoid_: (-3, 3),
}

# Channels that were drawn again, by module path: how often.
Draws = dict[str, dict[int, int]]


class NearKink(Exception):
    """Some channels of a layer are too near; `channels` are the (module, row) that make each."""

    def __init__(self, channels: list[list[tuple[nn.Module, int]]]):
        super().__init__(f"{len(channels)} channels are near a kink")
        self.channels = channels


class KinkWatch(TorchDispatchMode):
    """
    Stops a forward pass at the first layer that has an input near a kink. `tape` holds what the first
    operators of the pass compute, from an earlier pass, and takes what the others do.
    """

    def __init__(self, model: nn.Module, tape: list):
        super().__init__()
        self.tape = tape
        self.operators = 0
        # The operators before each module.
        self.starts: dict[nn.Module, int] = {}
        self.handles = []
        for module in model.modules():
            if isinstance(module, (nn.Conv2d, nn.BatchNorm2d, nn.Linear)):
                self.handles.append(module.register_forward_pre_hook(self.note_start))
                self.handles.append(module.register_forward_hook(self.remember))

    def __exit__(self, *details):
        for handle in self.handles:
            handle.remove()
        return super().__exit__(*details)

    def note_start(self, module: nn.Module, inputs: tuple) -> None:
        self.starts[module] = self.operators

    def remember(self, module: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        """Notes which rows of which modules made each channel: a batch norm's and its convolution's."""
        rows = [[(module, row)] for row in range(output.shape[1])]
        of, made_by = getattr(inputs[0], "origin", (None, None))
        if isinstance(module, nn.BatchNorm2d) and isinstance(of, nn.Conv2d):
            rows = [before + row for before, row in zip(made_by, rows)]
        output.origin = (module, rows)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.operators += 1
        if self.operators <= len(self.tape):
            return self.tape[self.operators - 1]
        packet = func.overloadpacket
        if packet in JUMPS:
            self.check(args[0], jump_distances(args[0], JUMPS[packet]))
        if packet is aten.max_pool2d:
            self.check(args[0], lead_distances(*args))
        output = func(*args, **(kwargs or {}))
        if isinstance(output, torch.Tensor):
            origin = origin_of(packet, args)
            if origin is not None and len(origin[1]) == output.shape[1:2].numel():
                output.origin = origin
        self.tape.append(output)
        return output

    def check(self, x: torch.Tensor, distances: torch.Tensor) -> None:
        """Compares each channel's least distance with the margin."""
        near = (distances < MARGIN * x.abs().max()).nonzero().flatten().tolist()
        if near:
            raise NearKink([x.origin[1][channel] for channel in near])


def origin_of(packet, args: tuple):
    """What made the channels of an output: what made its operand's, of several the first's."""
    if packet is aten.cat:
        parts = [getattr(part, "origin", None) for part in args[0]]
        if None in parts or list(args[1:]) != [1]:
            return None
        return None, [rows for _, channels in parts for rows in channels]
    origins = [getattr(operand, "origin", None) for operand in args]
    found = next((origin for origin in origins if origin is not None), None)
    return None if found is None else (None, found[1])


def jump_distances(x: torch.Tensor, jumps: tuple) -> torch.Tensor:
    """Of each channel, the distance of the input that is nearest to a jump."""
    distances = torch.stack([(x - jump).abs() for jump in jumps]).amin(0)
    return distances.transpose(0, 1).flatten(1).amin(1)


def lead_distances(x: torch.Tensor, kernel: list, stride: list, padding=(0, 0)) -> torch.Tensor:
    """Of each channel, the least lead of a window's greatest number; zeros of a ReLU may be equal."""
    (top, left) = padding if len(padding) == 2 else (padding[0], padding[0])
    padded = F.pad(x, (left, left, top, top), value=-torch.inf)
    windows = padded.unfold(2, kernel[0], stride[0]).unfold(3, kernel[1], stride[1])
    first, second = windows.flatten(4).topk(2).values.unbind(-1)
    leads = torch.where(first == 0, torch.inf, first - second)
    return leads.transpose(0, 1).flatten(1).amin(1)


def avoid_kinks(
    model: nn.Module,
    images: torch.Tensor,
    row: Callable[[str, tuple[int, ...], int, int], torch.Tensor],
) -> Draws:
    """
    Draws channels of a model anew until no input of a ReLU or a max pool is near a kink at these
    images. `row` gives that row of a parameter, by its name and shape, in that draw.
    """
    paths = {module: path for path, module in model.named_modules()}
    draws: Draws = {}
    tape: list = []
    while True:
        watch = KinkWatch(model, tape)
        known = len(tape)
        try:
            with torch.inference_mode(), watch:
                model(images)
        except NearKink as near:
            again = {pair for channel in near.channels for pair in channel}
            for module, channel in again:
                draw_again(module, channel, draws.setdefault(paths[module], {}), paths[module], row)
            del tape[min(watch.starts[module] for module, _ in again) :]
            continue
        if known == 0:
            return {path: dict(sorted(counts.items())) for path, counts in sorted(draws.items())}
        # Once more without the tape.
        tape.clear()


def draw_again(
    module: nn.Module, channel: int, counts: dict[int, int], path: str, row: Callable
) -> None:
    """Gives a channel of a module the weights of its next draw."""
    counts[channel] = counts.get(channel, 0) + 1
    if counts[channel] > MAXIMUM_DRAWS:
        raise SystemExit(f"Channel {channel} of {path} stays near a kink.")
    for name, value in module.state_dict().items():
        if value.dim() > 0:
            value[channel] = row(f"{path}.{name}", tuple(value.shape), channel, counts[channel])
