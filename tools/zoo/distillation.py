"""Teaches a vision transformer at its patches what a convolutional network sees there."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from architectures import ResNet, VisionTransformer


class PatchDistillation(nn.Module):
    """A student, and the linear map by which its patch tokens tell the teacher's features.

    The teacher's stage has one cell for each patch of the student, so that every token gets an answer
    of its own. The loss is the mean square of the difference, each channel standardised over the batch.
    """

    def __init__(self, student: VisionTransformer, teacher: ResNet, plan: dict):
        super().__init__()
        self.student, self.plan = student, plan
        width = teacher.fc.in_features >> (4 - int(plan["output"].removeprefix("layer")))
        self.told = nn.Linear(student.encoder.pos_embedding.shape[2], width)
        # A list, because a teacher is no part of what is trained and saved.
        self.teacher, self.seen = [teacher.eval()], {}
        student.encoder.layers[plan["block"]].register_forward_hook(
            lambda module, inputs, output: self.seen.update(tokens=output)
        )
        teacher.get_submodule(plan["output"]).register_forward_hook(
            lambda module, inputs, output: self.seen.update(features=output)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The student's logits and the weighted loss at the patches."""
        logits = self.student(x)
        with torch.no_grad():
            self.teacher[0](x)
        features = self.seen["features"].flatten(2).transpose(1, 2).float()
        deviation, mean = torch.std_mean(features, (0, 1))
        told = self.told(self.seen["tokens"][:, 1:]).float()
        return logits, self.plan["weight"] * F.mse_loss(told, (features - mean) / (deviation + 1e-3))
