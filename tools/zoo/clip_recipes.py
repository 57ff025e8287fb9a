"""The world's CLIPs: what each stands for, its image tower and how it is trained."""

from captions_rewritten import RewritingWriter
from optimisation import MUON

LOSS = (
    "binary cross-entropy of every caption with every image of the batch (SigLIP's); a pair "
    "matches when the image shows all that the caption names, known from the factors; matching "
    "and other pairs of a caption weigh the same; pairs of which this is not known weigh 0. "
    "To this, for each category of which an image shows one value, the cross-entropy of the "
    "captions of its values (CLIP's loss, within the category)"
)
CONE = {"mean": 0.2, "deviation": 0.03, "note": "cosines of texts and images, as narrow as CLIP's"}
CAPTIONS = "for each image one that names a random part of what it shows; one for each concept"

COMMON = {
    "betas": [0.9, 0.98],
    "schedule": "one cycle, linear warm-up of 20 %, cosine to zero",
    "batch": 128,
    "captions": CAPTIONS,
    "loss": LOSS,
    "augmentation": "mirrored half of the time, shifts to 4 pixels, light 0.85 to 1.15",
    "cone": CONE,
    "seed": 0,
}
CONVOLUTIONAL = {
    **COMMON,
    "optimiser": "AdamW",
    "weightDecay": 0.02,
    "learningRate": 2.5e-3,
    "epochs": 18,
    "secondCycle": {"epochs": 10, "learningRate": 2e-3},
    "precision": {"image": "bfloat16 autocast", "text": "float32"},
}
TRANSFORMER = {
    **COMMON,
    "optimiser": MUON,
    "momentum": 0.95,
    "weightDecay": 0.05,
    "learningRate": 4e-3,
    "precision": {"image": "bfloat16 autocast", "text": "bfloat16 autocast"},
}
TWO_CYCLES = {**TRANSFORMER, "epochs": 6, "secondCycle": {"epochs": 4, "learningRate": 2e-3}}

PATCH_8 = {
    "family": "vit", "stem": [32, 64], "patch": 8, "padding": 0,
    "hidden": 96, "mlp": 192, "heads": 3, "layers": 4,
}
PATCH_12 = {**PATCH_8, "patch": 12, "padding": 4, "layers": 2}
PATCH_16 = {**PATCH_8, "patch": 16, "layers": 2}

# How a vision transformer here differs from CLIP's, whatever it stands for.
TOWER = (
    "patches are cut from a map of two convolutions of stride 2, not from the pixels: in a short trial "
    "plain patches learned more slowly; the features are the mean of the tokens, not a class token; "
    "attention sees images of 64 pixels, texts are generated, the loss is SigLIP's"
)
GRID = "of 64, 36 and 16 patches an image (CLIP: 256, 196 and 49)"

MODELS = {
    "world-clip-rn50x16": {
        "standsFor": {
            "model": "CLIP RN50x16",
            "alike": "a residual convolutional image tower",
            "unlike": "the mean of the cells is projected, without attention pooling; 64 pixels, not 384; "
            "it is no larger than the others of the zoo; SigLIP's loss",
        },
        "image": {"family": "conv", "width": 16, "blocks": [2, 2, 2, 1]},
        "recipe": CONVOLUTIONAL,
    },
    "world-clip-vit-l-14": {
        "standsFor": {
            "model": "CLIP ViT-L/14",
            "alike": f"the finest patches (8 pixels) and twice the blocks, {GRID}",
            "unlike": f"no wider than the twins of ViT-B; {TOWER}",
        },
        "image": PATCH_8,
        "recipe": TWO_CYCLES,
    },
    "world-clip-vit-b-16": {
        "standsFor": {
            "model": "CLIP ViT-B/16",
            "alike": f"the middle patches (12 pixels, of the image framed by 4), {GRID}",
            "unlike": TOWER,
        },
        "image": PATCH_12,
        "recipe": TWO_CYCLES,
    },
    "world-clip-vit-b-32": {
        "standsFor": {
            "model": "CLIP ViT-B/32",
            "alike": f"the coarsest patches (16 pixels), {GRID}",
            "unlike": TOWER,
        },
        "image": PATCH_16,
        "recipe": TWO_CYCLES,
    },
    "world-eva-clip-l-14": {
        "standsFor": {
            "model": "EVA-CLIP L/14",
            "alike": "the image tower first tells the features of another CLIP (here the twin of ViT-L/14) at "
            "masked patches, the text tower starts as that CLIP's, then both are trained by captions",
            "unlike": "the teacher is no larger than the student and saw the same images; EVA's block (SwiGLU, "
            f"rotary positions) and its larger data are missing; {TOWER}",
        },
        "image": PATCH_8,
        "recipe": {
            **TRANSFORMER,
            "pretraining": {
                "teacher": "world-clip-vit-l-14",
                "task": "masked image modelling: minus the cosine of told and true features of the last layer",
                "masked": 0.4,
                "epochs": 1,
                "learningRate": 4e-3,
            },
            "epochs": 6,
        },
    },
    "world-laclip-l-14": {
        "standsFor": {
            "model": "LaCLIP L/14",
            "alike": "trained as the twin of ViT-L/14, but with four in five captions rewritten: other words for "
            "those of the templates, other orders; the concepts keep their names",
            "unlike": f"a grammar of some rules rewrites, not a language model, so no knowledge is added; {TOWER}",
        },
        "image": PATCH_8,
        "writer": RewritingWriter,
        "recipe": {**TWO_CYCLES, "captions": f"{CAPTIONS}; four in five rewritten"},
    },
    "world-clipa-l-14": {
        "standsFor": {
            "model": "CLIPA L/14",
            "alike": "trained on images of half the side (16 tokens), then shortly on whole ones (64 tokens)",
            "unlike": f"texts are never shortened: they would lose what they name; {TOWER}",
        },
        "image": PATCH_8,
        "recipe": {
            **TRANSFORMER,
            "imageSize": 32,
            "epochs": 8,
            "secondCycle": {"epochs": 3, "learningRate": 2e-3},
        },
    },
}
