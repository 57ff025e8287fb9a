"""Exports any open_clip model as a folder of ONNX towers that the harness reads as a VL model.

    python -m pip install open_clip_torch transformers onnx onnxruntime
    python tools/export_open_clip.py EVA02-L-14 --pretrained merged2b_s4b_b131k --out data/hub/own/eva_clip_l_14

The model is named as open_clip names it: an architecture with --pretrained TAG or FILE (a checkpoint),
hf-hub:ORGANISATION/NAME, or local-dir:FOLDER. The folder has the layout of the hub's ONNX conversions
for transformers.js, with any batch, and a card.json with the hash of every file. Each tower is compared
with open_clip before the folder is done.
"""

import argparse
import hashlib
import json
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import open_clip
import torch
from open_clip.tokenizer import HFTokenizer, SimpleTokenizer
from open_clip.transformer import TextTransformer
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from torch import nn
from torch.nn import functional

TEXTS = ["a photo of the red circle", "striped", "It's a close-up photo of 2 otterhounds, at 7 o'clock!",
         "a good photo of the sky " * 30]
TOLERANCE = 1e-4
# A protocol buffer holds less; transformers.js would need external data.
MAX_BYTES = 2**31


class SelfAttention(nn.Module):
    """What nn.MultiheadAttention computes of one input, in operations that export at any length."""

    def __init__(self, attention: nn.MultiheadAttention):
        super().__init__()
        self.attention = attention

    def forward(self, query, key, value, need_weights=False, attn_mask=None):
        attention = self.attention
        batch, length, width = query.shape
        packed = functional.linear(query, attention.in_proj_weight, attention.in_proj_bias)
        heads = packed.reshape(batch, length, 3, attention.num_heads, width // attention.num_heads)
        mixed = functional.scaled_dot_product_attention(*heads.permute(2, 0, 3, 1, 4), attn_mask=attn_mask)
        return attention.out_proj(mixed.transpose(1, 2).reshape(batch, length, width)), None


class TextTower(nn.Module):
    """Token ids of any batch and length, with their mask, to features that are not normalised."""

    def __init__(self, model, tokenizer):
        super().__init__()
        self.model = model
        self.context = tokenizer.context_length
        is_hugging_face = isinstance(tokenizer, HFTokenizer)
        self.pad_id = tokenizer.tokenizer.pad_token_id if is_hugging_face else 0
        # open_clip overwrites the mark of end of BERT's tokenizer with zeros.
        self.strip_id = tokenizer.tokenizer.sep_token_id if getattr(tokenizer, "strip_sep_token", False) else None
        text = getattr(model, "text", None)
        self.causal = text.attn_mask if isinstance(text, TextTransformer) and text.cls_emb is None else None
        # What follows a causal tower's mark of end does not matter, so texts may be short.
        self.takes_any_length = self.causal is not None and text.pool_type in ("argmax", "eos")
        if self.takes_any_length:
            for block in text.transformer.resblocks:
                if isinstance(block.attn, nn.MultiheadAttention) and block.attn.batch_first:
                    block.attn = SelfAttention(block.attn)

    def forward(self, input_ids, attention_mask):
        ids = torch.where(attention_mask == 0, self.pad_id, input_ids)
        if self.strip_id is not None:
            ids = torch.where(ids == self.strip_id, 0, ids)
        if self.takes_any_length:
            length = ids.shape[1]
            self.model.text.attn_mask = self.causal[:length, :length]
        else:
            fill = torch.full((ids.shape[0], self.context), self.pad_id, dtype=ids.dtype)
            ids = torch.cat([ids, fill], dim=1)[:, : self.context]
        return self.model.encode_text(ids)


class ImageTower(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        return self.model.encode_image(pixel_values)


def hub_tokenizer(tokenizer) -> tuple[Tokenizer, dict]:
    """The same tokenizer as tokenizer.json has it, and the words of tokenizer_config.json."""
    if isinstance(tokenizer, HFTokenizer):
        source = tokenizer.tokenizer
        converted = Tokenizer.from_str(source.backend_tokenizer.to_str())
        converted.no_padding()
        converted.no_truncation()
        marks = {name: token for name, token in source.special_tokens_map.items() if isinstance(token, str)}
        return converted, {"tokenizer_class": type(source).__name__.removesuffix("Fast"), **marks}
    if not isinstance(tokenizer, SimpleTokenizer):
        raise SystemExit(f"A tokenizer of the kind {type(tokenizer).__name__} cannot be exported.")
    start, end = (tokenizer.decoder[i] for i in (tokenizer.sot_token_id, tokenizer.eot_token_id))
    merges = sorted(tokenizer.bpe_ranks, key=tokenizer.bpe_ranks.get)
    converted = Tokenizer(models.BPE(tokenizer.encoder, merges, unk_token=end, end_of_word_suffix="</w>"))
    converted.normalizer = normalizers.Sequence([
        normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    words = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    converted.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(words, behavior="removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    converted.decoder = decoders.ByteLevel()
    converted.add_special_tokens([start, end])
    converted.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}",
        special_tokens=[(start, tokenizer.sot_token_id), (end, tokenizer.eot_token_id)])
    return converted, {"tokenizer_class": "CLIPTokenizer", "bos_token": start, "eos_token": end,
                       "unk_token": end, "pad_token": end}


def preprocessor_config(model) -> dict:
    """open_clip's preprocessing in the words of CLIP's processor, and by whose rules it rounds."""
    config = open_clip.get_model_preprocess_cfg(model)
    size = config["size"]
    height, width = size if isinstance(size, (tuple, list)) else (size, size)
    mode = config.get("resize_mode", "shortest")
    if mode not in ("shortest", "squash") or (mode == "shortest" and height != width):
        raise SystemExit(f"The preprocessing {config} cannot be said in a preprocessor_config.json.")
    exact = {"height": height, "width": width}
    fitting = {"size": exact, "do_center_crop": False} if mode == "squash" else {
        "size": {"shortest_edge": height}, "do_center_crop": True, "crop_size": exact}
    return {
        "image_processor_type": "CLIPImageProcessor", "do_convert_rgb": True, "do_resize": True, **fitting,
        "resample": 2 if config.get("interpolation") == "bilinear" else 3,
        "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True,
        "image_mean": list(config["mean"]), "image_std": list(config["std"]), "rules": "torchvision"}


def check_size(model: nn.Module) -> None:
    """Says before any work that a tower is too large for one file."""
    sizes = {"image": 0, "text": 0}
    for name, value in model.state_dict().items():
        sizes["image" if name.startswith("visual.") else "text"] += value.numel() * value.element_size()
    for tower, size in sizes.items():
        if size >= MAX_BYTES:
            raise SystemExit(f"The {tower} tower has {size} bytes of weights, more than an ONNX file can hold.")


def export_tower(tower: nn.Module, inputs: dict, path: Path, output: str) -> None:
    dynamic = {name: {0: "batch"} if value.ndim == 4 else {0: "batch", 1: "length"}
               for name, value in inputs.items()}
    torch.onnx.export(tower, tuple(inputs.values()), str(path), dynamo=False, opset_version=17,
                      input_names=list(inputs), output_names=[output],
                      dynamic_axes={**dynamic, output: {0: "batch"}})


def compare(path: Path, feeds: dict, expected: torch.Tensor) -> None:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found, = session.run(None, {name: np.asarray(value) for name, value in feeds.items()})
    difference = np.abs(found - expected.numpy()).max() / np.abs(expected.numpy()).max()
    print(f"{path.name}, batch {len(found)}: relative difference from open_clip {difference:.1e}")
    if not difference < TOLERANCE:
        raise SystemExit(f"{path} differs from open_clip: it is not usable.")


def check_texts(folder: Path, tokenizer, expected: torch.Tensor) -> None:
    """Texts through the written tokenizer and tower, one alone and all together."""
    written = Tokenizer.from_file(str(folder / "tokenizer.json"))
    written.enable_truncation(tokenizer.context_length)
    written.enable_padding(pad_id=1)
    for count in (1, len(TEXTS)):
        encodings = written.encode_batch(TEXTS[:count])
        feeds = {"input_ids": np.array([e.ids for e in encodings], dtype=np.int64),
                 "attention_mask": np.array([e.attention_mask for e in encodings], dtype=np.int64)}
        compare(folder / "onnx" / "text_model.onnx", feeds, expected[:count])


def export(model, tokenizer, folder: Path, name: str) -> None:
    """Writes the six files and their card, each tower compared with open_clip."""
    check_size(model)
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    # The fused kernels of inference have no counterpart in ONNX.
    torch.backends.mha.set_fastpath_enabled(False)
    model.eval()
    converted, marks = hub_tokenizer(tokenizer)
    preprocessing = preprocessor_config(model)
    converted.save(str(folder / "tokenizer.json"))
    height, width = preprocessing.get("crop_size", preprocessing["size"]).values()
    pixels = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(0))
    ids = torch.tensor([converted.encode(TEXTS[0]).ids] * 2)
    with torch.no_grad():
        text_features, image_features = model.encode_text(tokenizer(TEXTS)), model.encode_image(pixels)
    text_path, image_path = folder / "onnx" / "text_model.onnx", folder / "onnx" / "vision_model.onnx"
    export_tower(TextTower(model, tokenizer).eval(), {"input_ids": ids, "attention_mask": torch.ones_like(ids)},
                 text_path, "text_embeds")
    export_tower(ImageTower(model).eval(), {"pixel_values": pixels}, image_path, "image_embeds")
    check_texts(folder, tokenizer, text_features)
    for count in (1, 2):
        compare(image_path, {"pixel_values": pixels[:count]}, image_features[:count])
    dimension = image_features.shape[1]
    documents = {
        "config.json": {"model_type": "clip", "architectures": ["CLIPModel"], "projection_dim": dimension},
        "tokenizer_config.json": {**marks, "model_max_length": tokenizer.context_length},
        "preprocessor_config.json": preprocessing,
    }
    for file, document in documents.items():
        (folder / file).write_text(json.dumps(document, indent=2) + "\n")
    files = [*documents, "tokenizer.json", "onnx/text_model.onnx", "onnx/vision_model.onnx"]
    hashes = {file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in files}
    card = {"name": name, "open_clip": open_clip.__version__, "sha256": hashes}
    (folder / "card.json").write_text(json.dumps(card, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="as open_clip names it")
    parser.add_argument("--pretrained", help="a tag of open_clip, or a checkpoint file")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write; it must not exist")
    options = parser.parse_args()
    if options.out.exists():
        raise SystemExit(f"{options.out} exists: remove it, or name another folder.")
    model = open_clip.create_model(
        options.model, pretrained=options.pretrained, force_custom_text=True, require_pretrained=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    # Renamed when it is complete, so that a folder of this name is always whole.
    with tempfile.TemporaryDirectory(dir=options.out.parent) as scratch:
        folder = Path(scratch) / "model"
        name = f"{options.model} {options.pretrained or ''}".strip()
        export(model, open_clip.get_tokenizer(options.model), folder, name)
        folder.rename(options.out)


if __name__ == "__main__":
    main()
