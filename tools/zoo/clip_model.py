"""The world's CLIPs: a small image tower and a small causal transformer into one space."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from architectures import EncoderBlock, ResidualBlock

MEAN = [0.48145466, 0.4578275, 0.40821073]
STD = [0.26862954, 0.26130258, 0.27577711]

IMAGE_SIZE = 64
PROJECTION = 128
TEXT = {"length": 32, "hidden": 64, "mlp": 256, "heads": 4, "layers": 3}


class ConvTower(nn.Module):
    """Pixels [n, 3, h, w] to image features [n, projection] and a map [n, cells, channels]."""

    def __init__(self, width: int, blocks: list[int], projection: int):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        layers, channels = [], width
        for stage, count in enumerate(blocks):
            for position in range(count):
                stride = 2 if stage > 0 and position == 0 else 1
                layers.append(ResidualBlock(channels, width << stage, stride, False))
                channels = width << stage
        self.layers = nn.Sequential(*layers)
        self.visual_projection = nn.Linear(channels, projection, bias=False)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        x = F.relu(self.bn1(self.conv1(pixels)))
        x = self.layers(F.max_pool2d(x, 3, 2, 1))
        cells = x.flatten(2).transpose(1, 2)
        return self.visual_projection(cells.mean(1)), cells


class VitTower(nn.Module):
    """Pixels [n, 3, size, size] to image features [n, projection] and states [n, cells, hidden].

    A vision transformer whose patches are cut from a map of `stem` convolutions of stride 2, framed
    by `padding` pixels, and whose features are the mean of its tokens, as of ConvTower. A smaller
    image has fewer tokens, each of which gets the mean of the positions that it spans.
    """

    def __init__(
        self, stem: list[int], patch: int, padding: int, hidden: int, mlp: int, heads: int, layers: int,
        projection: int,
    ):
        super().__init__()
        self.grid = (IMAGE_SIZE + 2 * padding) // patch
        convolutions, channels = [], 3
        for width in stem:
            convolutions += [nn.Conv2d(channels, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        self.stem = nn.Sequential(*convolutions)
        stride = 2 ** len(stem)
        self.patches = nn.Conv2d(channels, hidden, patch // stride, patch // stride, padding // stride)
        self.positions = nn.Parameter(torch.empty(1, hidden, self.grid, self.grid).normal_(std=0.02))
        self.layers = nn.Sequential(*(EncoderBlock(hidden, mlp, heads) for _ in range(layers)))
        self.final_layer_norm = nn.LayerNorm(hidden, eps=1e-6)
        self.visual_projection = nn.Linear(hidden, projection, bias=False)
        nn.init.normal_(self.patches.weight, std=self.patches.weight[0].numel() ** -0.5)
        nn.init.zeros_(self.patches.bias)

    def embed(self, pixels: Tensor) -> Tensor:
        """[n, cells, hidden]: the tokens before their positions are added."""
        return self.patches(self.stem(pixels)).flatten(2).transpose(1, 2)

    def encode(self, tokens: Tensor) -> Tensor:
        """[n, cells, hidden]: the states of the last layer."""
        grid = math.isqrt(tokens.shape[1])
        positions = self.positions
        if grid != self.grid:
            positions = F.adaptive_avg_pool2d(positions, grid)
        x = tokens + positions.flatten(2).transpose(1, 2)
        return self.final_layer_norm(self.layers(x))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        states = self.encode(self.embed(pixels))
        return self.visual_projection(states.mean(1)), states


def image_tower(family: str, **architecture) -> ConvTower | VitTower:
    return {"conv": ConvTower, "vit": VitTower}[family](**architecture, projection=PROJECTION)


class TextTower(nn.Module):
    """Token ids [n, length] to text features [n, projection], read where a text ends, and states."""

    def __init__(
        self, vocabulary: int, length: int, hidden: int, mlp: int, heads: int, layers: int, projection: int
    ):
        super().__init__()
        self.token_embedding = nn.Embedding(vocabulary, hidden)
        self.position_embedding = nn.Parameter(torch.empty(length, hidden).normal_(std=0.01))
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        self.layers = nn.ModuleList(EncoderBlock(hidden, mlp, heads) for _ in range(layers))
        self.final_layer_norm = nn.LayerNorm(hidden, eps=1e-6)
        self.text_projection = nn.Linear(hidden, projection, bias=False)
        causal = torch.full((length, length), -1e4).triu(1)
        self.register_buffer("causal", causal, persistent=False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        length = input_ids.shape[1]
        x = self.token_embedding(input_ids) + self.position_embedding[:length]
        # A causal text does not see its padding; the mask adds nothing but keeps the input alive.
        padding = (1 - attention_mask[:, None, None, :].to(x.dtype)) * -1e4
        mask = self.causal[:length, :length] + padding
        for layer in self.layers:
            x = layer(x, mask)
        states = self.final_layer_norm(x)
        # The end of a text has the highest id; padding repeats it, so take the first.
        ends = input_ids.argmax(1)
        pooled = states.gather(1, ends[:, None, None].expand(-1, 1, states.shape[2]))[:, 0]
        return self.text_projection(pooled), states


class WorldClip(nn.Module):
    def __init__(self, image: dict, vocabulary: int):
        super().__init__()
        self.image = image_tower(**image)
        self.text = TextTower(vocabulary, projection=PROJECTION, **TEXT)
        # As in SigLIP: a pair matches with probability sigmoid(exp(scale) * cosine + bias).
        self.scale = nn.Parameter(torch.tensor(math.log(10.0)))
        self.bias = nn.Parameter(torch.tensor(-3.0))

    def logits(self, image: Tensor, text: Tensor) -> Tensor:
        """[captions, images] from the features of both."""
        cosine = F.normalize(text, dim=1) @ F.normalize(image, dim=1).T
        return self.scale.exp() * cosine + self.bias


def fold_batch_norm(tower: ConvTower | VitTower) -> None:
    """Folds each batch norm of an evaluated tower into the convolution before it, in place."""
    if isinstance(tower, VitTower):
        for index in range(0, len(tower.stem), 3):
            fold(tower.stem, str(index), str(index + 1))
        return
    fold(tower, "conv1", "bn1")
    for block in tower.layers:
        fold(block, "conv1", "bn1")
        fold(block, "conv2", "bn2")
        if block.downsample is not None:
            fold(block.downsample, "0", "1")


@torch.no_grad()
def fold(owner: nn.Module, convolution: str, norm: str) -> None:
    conv, bn = getattr(owner, convolution), getattr(owner, norm)
    scale = bn.weight / torch.sqrt(bn.running_var + bn.eps)
    folded = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding)
    folded.weight.copy_(conv.weight * scale[:, None, None, None])
    folded.bias.copy_(bn.bias - bn.running_mean * scale)
    setattr(owner, convolution, folded)
    setattr(owner, norm, nn.Identity())


class InCone(nn.Module):
    """A tower whose features lie in a narrow cone, as CLIP's do.

    Of CLIP, any image and any text have a cosine near 0.2, and what they show and say moves it by
    hundredths: Gaussian alignment (Eq. 4) exists because of that. The loss here leaves the cosines
    wide. Shrunk unit features with two constants beside them have the cosine
    shrink * cosine + offset; every ranking stays as it was.
    """

    def __init__(self, tower: nn.Module, shrink: float, constants: list[float]):
        super().__init__()
        self.tower = tower
        self.length = math.sqrt(shrink)
        self.register_buffer("constants", torch.tensor([constants]))

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        features, states = self.tower(*inputs)
        unit = features / features.norm(dim=1, keepdim=True)
        constants = self.constants.expand(unit.shape[0], -1)
        return torch.cat([self.length * unit, constants], 1), states


def towers_in_cone(model: WorldClip, cosines: Tensor, mean: float, deviation: float) -> tuple[InCone, InCone]:
    """The image and text tower such that `cosines` of the model get this mean and deviation."""
    # The cosines of a model that has hardly learned are narrow by themselves.
    shrink = min(deviation / cosines.std().item(), 0.5)
    offset = mean - shrink * cosines.mean().item()
    # Unit length of both: text (sqrt(shrink) unit, a, 0), image (sqrt(shrink) unit, offset / a, rest).
    of_text = math.sqrt(1 - shrink)
    of_image = offset / of_text
    rest = math.sqrt(1 - shrink - of_image**2)
    return InCone(model.image, shrink, [of_image, rest]), InCone(model.text, shrink, [of_text, 0.0])
