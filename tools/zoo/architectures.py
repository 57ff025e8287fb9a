"""The backbones as PyTorch modules with the state-dict names of the original library, at any width.

torchvision fixes the base widths of its classes, so its narrow models need modules of their own.
A model is described by the `architecture` object of configs/backbones/<name>.json merged with its
`world` object; weights trained here load into the graph builders of lib/models without renaming.
"""

import json
from collections import OrderedDict
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def conv_batch_norm_free(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """A convolution whose bias the following batch norm makes superfluous."""
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


class ResidualBlock(nn.Module):
    """torchvision's BasicBlock (two 3x3) or Bottleneck (1x1, 3x3, 1x1; stride in the 3x3)."""

    def __init__(self, inputs: int, width: int, stride: int, bottleneck: bool):
        super().__init__()
        outputs = width * 4 if bottleneck else width
        self.conv1 = conv_batch_norm_free(inputs, width, 1 if bottleneck else 3, 1 if bottleneck else stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv_batch_norm_free(width, width, 3, stride if bottleneck else 1)
        self.bn2 = nn.BatchNorm2d(width)
        if bottleneck:
            self.conv3 = conv_batch_norm_free(width, outputs, 1)
            self.bn3 = nn.BatchNorm2d(outputs)
        self.bottleneck = bottleneck
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                conv_batch_norm_free(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = self.bn2(self.conv2(x))
        if self.bottleneck:
            x = self.bn3(self.conv3(F.relu(x, inplace=True)))
        return F.relu(x + shortcut, inplace=True)


class ResNet(nn.Module):
    def __init__(self, blocks: list[int], width: int, bottleneck: bool, classes: int):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        channels = width
        for index, count in enumerate(blocks):
            stage = []
            for position in range(count):
                stride = 2 if index > 0 and position == 0 else 1
                stage.append(ResidualBlock(channels, width << index, stride, bottleneck))
                channels = (width << index) * (4 if bottleneck else 1)
            setattr(self, f"layer{index + 1}", nn.Sequential(*stage))
        self.fc = nn.Linear(channels, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if isinstance(module, ResidualBlock):
                # A block that starts as the identity: deep nets of few channels train sooner.
                nn.init.zeros_((module.bn3 if bottleneck else module.bn2).weight)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = F.max_pool2d(x, 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class DenseLayer(nn.Module):
    def __init__(self, inputs: int, growth: int, bottleneck: int):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = conv_batch_norm_free(inputs, bottleneck * growth, 1)
        self.norm2 = nn.BatchNorm2d(bottleneck * growth)
        self.conv2 = conv_batch_norm_free(bottleneck * growth, growth, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(F.relu(self.norm1(x), inplace=True))
        return torch.cat([x, self.conv2(F.relu(self.norm2(y), inplace=True))], 1)


class DenseBlock(nn.Sequential):
    def __init__(self, layers: int, inputs: int, growth: int, bottleneck: int):
        super().__init__(
            OrderedDict(
                (f"denselayer{i + 1}", DenseLayer(inputs + i * growth, growth, bottleneck))
                for i in range(layers)
            )
        )


class Transition(nn.Module):
    def __init__(self, inputs: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        self.conv = conv_batch_norm_free(inputs, inputs // 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(self.conv(F.relu(self.norm(x), inplace=True)), 2)


class DenseNet(nn.Module):
    def __init__(self, blocks: list[int], growth: int, initial: int, bottleneck: int, classes: int):
        super().__init__()
        self.features = nn.Sequential()
        self.features.add_module("conv0", nn.Conv2d(3, initial, 7, 2, 3, bias=False))
        self.features.add_module("norm0", nn.BatchNorm2d(initial))
        self.features.add_module("relu0", nn.ReLU(inplace=True))
        self.features.add_module("pool0", nn.MaxPool2d(3, 2, 1))
        channels = initial
        for index, layers in enumerate(blocks):
            block = DenseBlock(layers, channels, growth, bottleneck)
            self.features.add_module(f"denseblock{index + 1}", block)
            channels += layers * growth
            if index < len(blocks) - 1:
                self.features.add_module(f"transition{index + 1}", Transition(channels))
                channels //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(channels))
        self.classifier = nn.Linear(channels, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(F.relu(self.features(x), inplace=True).mean((2, 3)))


class Vgg(nn.Module):
    """torchvision's vgg without batch norm; with it while training, to be folded away at the end."""

    def __init__(self, stages: list[list[int]], pool: int, hidden: int, classes: int, batch_norm: bool):
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for stage in stages:
            for width in stage:
                layers.append(nn.Conv2d(channels, width, 3, padding=1))
                if batch_norm:
                    layers.append(nn.BatchNorm2d(width))
                layers.append(nn.ReLU(inplace=True))
                channels = width
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(pool)
        self.classifier = nn.Sequential(
            nn.Linear(channels * pool * pool, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(0.0),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(0.0),
            nn.Linear(hidden, classes),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))

    def folded(self) -> "OrderedDict[str, Tensor]":
        """The state dict without batch norm: each norm is folded into the convolution before it."""
        state: OrderedDict[str, Tensor] = OrderedDict()
        position = 0
        modules = list(self.features)
        for index, module in enumerate(modules):
            if isinstance(module, nn.BatchNorm2d):
                continue
            if isinstance(module, nn.Conv2d):
                weight, bias = module.weight.detach(), module.bias.detach()
                following = modules[index + 1]
                if isinstance(following, nn.BatchNorm2d):
                    scale = following.weight.detach() / torch.sqrt(following.running_var + following.eps)
                    weight = weight * scale[:, None, None, None]
                    bias = (bias - following.running_mean) * scale + following.bias.detach()
                state[f"features.{position}.weight"] = weight
                state[f"features.{position}.bias"] = bias
            position += 1
        for name, value in self.classifier.state_dict().items():
            state[f"classifier.{name}"] = value
        return state


class SelfAttention(nn.Module):
    """nn.MultiheadAttention's parameters, computed with the fused attention of torch."""

    def __init__(self, hidden: int, heads: int):
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * hidden, hidden))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * hidden))
        self.out_proj = nn.Linear(hidden, hidden)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        batch, tokens, hidden = x.shape
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = qkv.view(batch, tokens, 3, self.heads, hidden // self.heads).permute(2, 0, 3, 1, 4)
        # Written out: the fused kernel is several times slower in bfloat16 on a CPU.
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
        y = (scores if mask is None else scores + mask).softmax(-1).to(v.dtype) @ v
        return self.out_proj(y.transpose(1, 2).reshape(batch, tokens, hidden))


class EncoderBlock(nn.Module):
    def __init__(self, hidden: int, mlp: int, heads: int):
        super().__init__()
        self.ln_1 = nn.LayerNorm(hidden, eps=1e-6)
        self.self_attention = SelfAttention(hidden, heads)
        self.ln_2 = nn.LayerNorm(hidden, eps=1e-6)
        # Indices 0 and 3 are the linear layers' names in torchvision's MLPBlock.
        self.mlp = nn.Sequential(
            nn.Linear(hidden, mlp), nn.GELU(), nn.Identity(), nn.Linear(mlp, hidden), nn.Identity()
        )
        for index in (0, 3):
            nn.init.xavier_uniform_(self.mlp[index].weight)
            nn.init.normal_(self.mlp[index].bias, std=1e-6)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = x + self.self_attention(self.ln_1(x), mask)
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    def __init__(self, tokens: int, layers: int, hidden: int, mlp: int, heads: int):
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.empty(1, tokens, hidden).normal_(std=0.02))
        self.layers = nn.Sequential(
            OrderedDict((f"encoder_layer_{i}", EncoderBlock(hidden, mlp, heads)) for i in range(layers))
        )
        self.ln = nn.LayerNorm(hidden, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return self.ln(self.layers(x + self.pos_embedding))


class VisionTransformer(nn.Module):
    def __init__(self, image: int, patch: int, layers: int, hidden: int, mlp: int, heads: int, classes: int):
        super().__init__()
        self.class_token = nn.Parameter(torch.zeros(1, 1, hidden))
        self.conv_proj = nn.Conv2d(3, hidden, patch, patch)
        self.encoder = Encoder((image // patch) ** 2 + 1, layers, hidden, mlp, heads)
        self.heads = nn.Sequential(OrderedDict(head=nn.Linear(hidden, classes)))
        nn.init.normal_(self.conv_proj.weight, std=(3 * patch * patch) ** -0.5)
        nn.init.zeros_(self.conv_proj.bias)
        nn.init.normal_(self.heads.head.weight, std=0.01)
        nn.init.zeros_(self.heads.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_proj(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(x.shape[0], -1, -1), x], 1)
        return self.heads(self.encoder(x)[:, 0])


def resolved_config(configs: Path, name: str) -> dict:
    """The architecture of a backbone of the world: configs/backbones/<name>.json, merged."""
    config = json.loads((configs / f"{name}.json").read_text())
    return {"family": config["family"], **config["architecture"], **config["world"]}


def build_backbone(config: dict, training: bool = False) -> nn.Module:
    """The module of a resolved config. Only when `training` does a VGG have batch norm."""
    classes = config["classes"]
    match config["family"]:
        case "resnet":
            return ResNet(config["blocks"], config["width"], config["bottleneck"], classes)
        case "densenet":
            initial, factor = config["initialChannels"], config["bottleneckFactor"]
            return DenseNet(config["blocks"], config["growth"], initial, factor, classes)
        case "vgg":
            stages = [[width] * count for width, count in zip(config["channels"], config["blocks"])]
            return Vgg(stages, config["pooledSize"], config["hidden"], classes, training)
        case "vit":
            keys = ("imageSize", "patchSize", "layers", "hidden", "mlp", "heads", "classes")
            return VisionTransformer(*(config[key] for key in keys))
        case family if family.startswith("pytorchcv"):
            # Here, because who builds torchvision's alone needs no pytorchcv.
            from pytorchcv_architectures import build_pytorchcv

            return build_pytorchcv(config)
    raise ValueError(f"Building a backbone: the family {config['family']} is not known.")
