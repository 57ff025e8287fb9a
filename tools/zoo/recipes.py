"""How each backbone is trained; a recipe is written into the card of its model."""

from optimisation import MUON

CONVOLUTIONAL = {
    "dataset": "imagenet",
    "trainPerClass": 800,
    "optimiser": "AdamW",
    "learningRate": 4e-3,
    "betas": [0.9, 0.99],
    "weightDecay": 0.02,
    "schedule": "one cycle, linear warm-up of 20 %, cosine to zero",
    "batch": 128,
    "labelSmoothing": 0.05,
    "augmentation": "mirrored half of the time, shifts to 4 pixels, light 0.85 to 1.15",
    "precision": "bfloat16 autocast",
    "lastLayer": "its mean over the classes is taken off at the end, which changes no softmax",
    "seed": 0,
}
TRANSFORMER = {
    **CONVOLUTIONAL,
    "optimiser": MUON,
    "momentum": 0.95,
    "learningRate": 4e-3,
    "weightDecay": 0.05,
}
CUB = {**CONVOLUTIONAL, "dataset": "cub200", "trainPerClass": 400, "batch": 32}
CIFAR = {**CONVOLUTIONAL, "dataset": "cifar100", "trainPerClass": 300, "batch": 64}
FOLDED = "trained with batch norm after each convolution, folded into it at the end"

# Short models first: a queue that is cut off has done most of them.
RECIPES = {
    "resnet10_cub": {**CUB, "epochs": 8},
    "resnet12_cub": {**CUB, "epochs": 8},
    "resnet14_cub": {**CUB, "epochs": 8},
    "resnet16_cub": {**CUB, "epochs": 8},
    "resnet18_cub": {**CUB, "epochs": 8},
    "resnet20_cifar100": {**CIFAR, "epochs": 5},
    "preresnet20_cifar100": {**CIFAR, "epochs": 5},
    "seresnet20_cifar100": {**CIFAR, "epochs": 5},
    "sepreresnet20_cifar100": {**CIFAR, "epochs": 5},
    "densenet40_k12_cifar100": {**CIFAR, "epochs": 4},
    "resnet18": {**CONVOLUTIONAL, "epochs": 8},
    "resnet34": {**CONVOLUTIONAL, "epochs": 5},
    "resnet50": {**CONVOLUTIONAL, "epochs": 3},
    "densenet121": {**CONVOLUTIONAL, "epochs": 2},
    "vgg13": {**CONVOLUTIONAL, "epochs": 3, "note": FOLDED},
    "densenet169": {**CONVOLUTIONAL, "epochs": 2},
    "vgg19": {**CONVOLUTIONAL, "epochs": 2, "note": FOLDED},
    "vit_b_16": {**TRANSFORMER, "epochs": 21},
    "vit_l_16": {**TRANSFORMER, "epochs": 12},
}
