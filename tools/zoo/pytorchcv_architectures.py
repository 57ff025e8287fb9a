"""pytorchcv's networks for CUB-200-2011 and CIFAR-100 at the sizes of a config, by pytorchcv itself.

Only the names of its ready models fix the sizes, its classes do not; so the narrow models are its own
modules, with its state-dict names.
"""

from itertools import accumulate

from pytorchcv.models.densenet_cifar import CIFARDenseNet
from pytorchcv.models.preresnet_cifar import CIFARPreResNet
from pytorchcv.models.resnet import ResNet, ResUnit
from pytorchcv.models.resnet_cifar import CIFARResNet
from pytorchcv.models.sepreresnet_cifar import CIFARSEPreResNet
from pytorchcv.models.seresnet import SEResUnit
from pytorchcv.models.seresnet_cifar import CIFARSEResNet
from torch import nn

CIFAR_RESNETS = {
    # (pre-activation, squeeze and excitation)
    (False, False): CIFARResNet,
    (True, False): CIFARPreResNet,
    (False, True): CIFARSEResNet,
    (True, True): CIFARSEPreResNet,
}


def residual_channels(config: dict) -> list[list[int]]:
    """The channels of each unit of each stage."""
    return [[config["width"] << stage] * units for stage, units in enumerate(config["blocks"])]


def dense_channels(config: dict) -> list[list[int]]:
    """The channels after each unit of each stage; a stage starts with half of what came before."""
    stages, channels = [], 2 * config["initialChannels"]
    for units in config["blocks"]:
        stages.append(list(accumulate([config["growth"]] * units, initial=channels // 2))[1:])
        channels = stages[-1][-1]
    return stages


def build_pytorchcv(config: dict) -> nn.Module:
    """The module of a resolved config whose family is one of pytorchcv's."""
    common = {
        "bottleneck": False,
        "in_size": (config["imageSize"], config["imageSize"]),
        "num_classes": config["classes"],
    }
    match config["family"]:
        case "pytorchcv_resnet":
            model = ResNet(residual_channels(config), config["width"], conv1_stride=True, **common)
        case "pytorchcv_cifar_resnet":
            network = CIFAR_RESNETS[config["preactivation"], config["squeezeExcitation"]]
            model = network(residual_channels(config), config["width"], **common)
        case "pytorchcv_cifar_densenet":
            model = CIFARDenseNet(dense_channels(config), config["initialChannels"], **common)
    # Its window is that of images of the released size.
    model.features.final_pool = nn.AdaptiveAvgPool2d(1)
    for module in model.modules():
        if isinstance(module, ResUnit | SEResUnit):
            # A block that starts as the identity, as in the other ResNets here.
            nn.init.zeros_(module.body.conv2.bn.weight)
    return model
