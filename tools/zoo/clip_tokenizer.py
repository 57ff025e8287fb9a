"""A tokenizer of CLIP's kind: lower case, byte-level BPE whose words end in `</w>`."""

from collections import Counter
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE

START, END = "<|startoftext|>", "<|endoftext|>"
LENGTH = 32
WORDS = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def alphabet() -> list[str]:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    return letters + [letter + "</w>" for letter in letters]


def learn_merges(words: set[str]) -> list[tuple[str, str]]:
    """The pairs to merge until each word is one token: the most frequent first.

    Of equally frequent pairs the first in the alphabet; the library's own trainer takes any, and
    gives other ids in each process.
    """
    pieces = [[*word[:-1], word[-1] + "</w>"] for word in sorted(words)]
    merges = []
    while counts := Counter(pair for parts in pieces for pair in zip(parts, parts[1:])):
        pair = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(pair)
        pieces = [merged(parts, pair) for parts in pieces]
    return merges


def merged(parts: list[str], pair: tuple[str, str]) -> list[str]:
    """The parts of a word with each such pair as one, from the left."""
    result, position = [], 0
    while position < len(parts):
        length = 2 if tuple(parts[position : position + 2]) == pair else 1
        result.append("".join(parts[position : position + length]))
        position += length
    return result


def train_tokenizer(words: set[str]) -> Tokenizer:
    """A tokenizer in which each of the words is one token, and every other text some tokens.

    The special tokens come last, so that the end of a text has the highest id: CLIP's text tower
    pools there.
    """
    merges = learn_merges(words)
    vocabulary = alphabet() + [left + right for left, right in merges]
    ids = {token: index for index, token in enumerate(dict.fromkeys(vocabulary))}
    ids[START], ids[END] = len(ids), len(ids) + 1
    tokenizer = prepared(BPE(vocab=ids, merges=merges, unk_token=END, end_of_word_suffix="</w>"))
    tokenizer.add_special_tokens([START, END])
    tokenizer.post_processor = processors.RobertaProcessing(
        (END, ids[END]), (START, ids[START]), False, False
    )
    tokenizer.decoder = decoders.ByteLevel()
    for word in words:
        pieces = tokenizer.encode(word, add_special_tokens=False).tokens
        assert len(pieces) == 1, f"{word} is split: {pieces}"
    return tokenizer


def prepared(model: BPE) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    return tokenizer


def tokenizer_config() -> dict:
    return {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": LENGTH,
        "bos_token": START,
        "eos_token": END,
        "pad_token": END,
        "unk_token": END,
        "do_lower_case": True,
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": True,
        "errors": "replace",
    }


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    tokenizer.save(str(folder / "tokenizer.json"))
