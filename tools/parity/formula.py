"""Weights and pixels as a formula of (name, index), equal to tests/models/_formula.ts bit by bit."""

import numpy as np


def uniform(name: str, size: int, start: int = 0) -> np.ndarray:
    """Hashed numbers in [-1, 1), multiples of 2^-23, from an index on: float64, [size]."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    with np.errstate(over="ignore"):
        x = np.arange(start, start + size, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(seed)
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x85EBCA6B)
        x ^= x >> np.uint32(13)
        x *= np.uint32(0xC2B2AE35)
        x ^= x >> np.uint32(16)
    return (x >> np.uint32(8)) / 2.0**23 - 1.0


def parameter(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """A parameter of a scale at which activations neither vanish nor explode."""
    return scaled(uniform(name, int(np.prod(shape))), name, shape).reshape(shape)


def parameter_row(name: str, shape: tuple[int, ...], row: int, draw: int) -> np.ndarray:
    """A row of a parameter, of the draw that has this number; `parameter` is draw 0."""
    size = int(np.prod(shape[1:]))
    values = uniform(f"{name}#{draw}" if draw > 0 else name, size, row * size)
    return scaled(values, name, shape).reshape(shape[1:])


def scaled(values: np.ndarray, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers in [-1, 1) as those of a parameter of this name and shape: float32."""
    if name.endswith("running_var"):
        values = 1 + values / 2
    elif name.endswith("weight") and len(shape) == 1:
        values = 1 + values / 4
    elif name.endswith("weight"):
        values = values * np.sqrt(6 / np.prod(shape[1:]))
    else:
        values = values / 4
    return values.astype(np.float32)


def pixels(shape: tuple[int, ...]) -> np.ndarray:
    """A preprocessed image of noise."""
    return (2 * uniform("pixels", int(np.prod(shape)))).astype(np.float32).reshape(shape)
