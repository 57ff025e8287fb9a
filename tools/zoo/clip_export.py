"""Writes a CLIP of the world as a folder of the hub: ONNX towers, tokenizer and configs."""

import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from clip_model import IMAGE_SIZE, MEAN, PROJECTION, STD, TEXT, InCone
from clip_tokenizer import END, START, save_tokenizer, tokenizer_config


def write_hub_folder(image: InCone, text: InCone, tokenizer, folder: Path) -> list[str]:
    """Writes the six files; gives their names. The towers' weights must be float16 numbers already."""
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    ids = tokenizer.encode("a photo of the red star").ids
    input_ids = torch.tensor([ids, ids])
    text_inputs = (input_ids, torch.ones_like(input_ids))
    export(text, text_inputs, folder / "onnx" / "text_model.onnx", {
        "inputs": ["input_ids", "attention_mask"],
        "outputs": ["text_embeds", "last_hidden_state"],
        "dynamic": {0: "batch", 1: "length"},
    })
    export(image, (torch.randn(2, 3, IMAGE_SIZE, IMAGE_SIZE),), folder / "onnx" / "vision_model.onnx", {
        "inputs": ["pixel_values"],
        "outputs": ["image_embeds", "last_hidden_state"],
        "dynamic": {0: "batch"},
    })
    save_tokenizer(tokenizer, folder)
    documents = {
        "config.json": model_config(tokenizer),
        "tokenizer_config.json": tokenizer_config(),
        "preprocessor_config.json": preprocessor_config(),
    }
    for name, document in documents.items():
        (folder / name).write_text(json.dumps(document, indent=2) + "\n")
    return [*documents, "tokenizer.json", "onnx/text_model.onnx", "onnx/vision_model.onnx"]


def model_config(tokenizer) -> dict:
    return {
        "model_type": "clip",
        "architectures": ["CLIPModel"],
        # The constants of the cone are two dimensions more.
        "projection_dim": PROJECTION + 2,
        "text_config": {
            "model_type": "clip_text_model",
            "vocab_size": tokenizer.get_vocab_size(),
            "hidden_size": TEXT["hidden"],
            "intermediate_size": TEXT["mlp"],
            "num_hidden_layers": TEXT["layers"],
            "num_attention_heads": TEXT["heads"],
            "max_position_embeddings": TEXT["length"],
            "bos_token_id": tokenizer.token_to_id(START),
            "eos_token_id": tokenizer.token_to_id(END),
        },
        "vision_config": {"model_type": "clip_vision_model", "image_size": IMAGE_SIZE},
    }


def preprocessor_config() -> dict:
    return {
        "image_processor_type": "CLIPImageProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": {"shortest_edge": IMAGE_SIZE},
        "resample": 3,
        "do_center_crop": True,
        "crop_size": {"height": IMAGE_SIZE, "width": IMAGE_SIZE},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": MEAN,
        "image_std": STD,
    }


def export(tower: nn.Module, inputs: tuple[Tensor, ...], path: Path, names: dict) -> None:
    """One tower as ONNX with float16 weights, checked against PyTorch on inputs of other sizes."""
    axes = {name: names["dynamic"] for name in names["inputs"]}
    axes |= {name: {0: "batch"} for name in names["outputs"]}
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "plain.onnx"
        torch.onnx.export(
            tower, inputs, str(plain), input_names=names["inputs"], output_names=names["outputs"],
            dynamic_axes=axes, opset_version=17, dynamo=False,
        )
        model = onnx.load(plain)
    store_as_float16(model)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for count in (1, 3):
        batch = tuple(value[:1].repeat(count, *[1] * (value.ndim - 1)) for value in inputs)
        if 1 in names["dynamic"]:
            batch = tuple(value[:, : 3 + count] for value in batch)
        with torch.no_grad():
            expected = tower(*batch)
        feeds = {name: value.numpy() for name, value in zip(names["inputs"], batch)}
        for mine, theirs in zip(session.run(names["outputs"], feeds), expected):
            difference = np.abs(mine - theirs.numpy()).max() / np.abs(theirs.numpy()).max()
            assert difference < 1e-4, f"{path.name} differs from PyTorch by {difference:.2e}"
            print(f"{path.name} batch {count}: relative difference from PyTorch {difference:.1e}")


def store_as_float16(model: onnx.ModelProto) -> None:
    """Halves the file: float32 weights become float16 and a Cast, which a runtime folds on loading."""
    casts = []
    for index, weight in enumerate(list(model.graph.initializer)):
        values = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or values.size < 64:
            continue
        half = values.astype(np.float16)
        name = weight.name
        model.graph.initializer[index].CopyFrom(numpy_helper.from_array(half, f"{name}.float16"))
        casts.append(helper.make_node("Cast", [f"{name}.float16"], [name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)
