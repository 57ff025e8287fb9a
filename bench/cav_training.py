"""The peer of bench/cav_training.ts: the same updates in PyTorch by autograd, timed.

    python bench/cav_training.py '{"concepts": 2, "dim": 2048, "probes": 1000, "seeds": 4,
        "way": "batched" | "one by one" | "closed form", "epochs": 10, "batch": 100, "draws": 10}'

prints the seconds on the clock and of the processor, on one thread. `one by one` trains each vector
on its own, as a plain script would; `batched` trains all vectors of a concept as the columns of one
matrix. `closed form` trains nothing: FastCAV (arXiv 2505.17883) takes the mean of the positives minus
the mean of the negatives, with its threshold midway, for each seed.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F


def train(starts, shots, labels, probes, targets, weights, spec):
    """SGD on the columns of `starts` [columns, dim]; shots [columns, images, dim]."""
    v = starts.clone().requires_grad_()
    b = torch.zeros(len(starts), requires_grad=True)
    optimiser = torch.optim.SGD([v, b], lr=1e-3)
    for _ in range(spec["epochs"]):
        for first in range(0, spec["probes"], spec["batch"]):
            part = slice(first, first + spec["batch"])
            optimiser.zero_grad()
            scores = (shots @ v[:, :, None])[..., 0] + b[:, None]
            loss = F.binary_cross_entropy_with_logits(scores, labels) * len(starts)
            if targets is not None:
                cosines = F.normalize(v, dim=1) @ probes[part].T
                difference = weights[:, part] * (cosines - targets[:, part]) ** 2
                loss = loss + difference.mean(1).sum()
            loss.backward()
            optimiser.step()
    return v


def main():
    spec = json.loads(sys.argv[1])
    dim, seeds, count = spec["dim"], spec["seeds"], spec["probes"]
    guided = 4 * seeds
    classifiers = seeds * (1 + spec["draws"])
    columns = guided + classifiers
    torch.set_num_threads(1)
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(spec["concepts"]):
        if spec["way"] == "closed form":
            positives, negatives = torch.rand(2, seeds, 10, dim).mean(2)
            direction = positives - negatives
            (direction * (positives + negatives)).sum(1) / 2
            continue
        probes = F.normalize(torch.rand(count, dim), dim=1)
        gram = probes @ probes.T
        gram.mean(), gram.std()
        starts, shots = 0.03 * torch.randn(columns, dim), torch.rand(columns, 20, dim)
        labels = (torch.arange(20) < 10).float().expand(columns, 20)
        targets, weights = torch.rand(guided, count), torch.ones(guided, count)
        every = [slice(0, guided), slice(guided, columns)]
        if spec["way"] == "one by one":
            every = [slice(i, i + 1) for i in range(columns)]
        for part in every:
            is_guided = part.start < guided
            train(
                starts[part],
                shots[part],
                labels[part],
                probes,
                targets[part] if is_guided else None,
                weights[part] if is_guided else None,
                spec,
            )
    seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
