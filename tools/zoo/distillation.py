"""Teaches a network at each cell of an image what another one sees there."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class CellDistillation(nn.Module):
    """A student, and the linear map by which one of its layers tells the features of a teacher's.

    Both layers have the same number of cells, so that every cell gets an answer of its own. The loss is
    the mean square of the difference, each of the teacher's channels standardised over the batch.
    """

    def __init__(self, student: nn.Module, teacher: nn.Module, plan: dict, image_size: int):
        super().__init__()
        self.student, self.weight = student, plan["weight"]
        # A list, because a teacher is no part of what is trained and saved.
        self.teacher, self.seen = [teacher.eval()], {}
        student.get_submodule(plan["at"]).register_forward_hook(
            lambda module, inputs, output: self.seen.update(student=output)
        )
        teacher.get_submodule(plan["output"]).register_forward_hook(
            lambda module, inputs, output: self.seen.update(teacher=output)
        )
        training, nothing = student.training, torch.zeros(1, 3, image_size, image_size)
        with torch.no_grad():
            student.eval()(nothing)
            teacher(nothing)
        student.train(training)
        self.told = nn.Linear(cells(self.seen["student"]).shape[2], cells(self.seen["teacher"]).shape[2])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The student's logits and the weighted loss at the cells."""
        logits = self.student(x)
        with torch.no_grad():
            self.teacher[0](x)
        features = cells(self.seen["teacher"]).float()
        deviation, mean = torch.std_mean(features, (0, 1))
        told = self.told(cells(self.seen["student"])).float()
        return logits, self.weight * F.mse_loss(told, (features - mean) / (deviation + 1e-3))


def cells(output: Tensor) -> Tensor:
    """[n, cells, channels] of a feature map [n, channels, height, width] or of tokens after a class token."""
    return output.flatten(2).transpose(1, 2) if output.ndim == 4 else output[:, 1:]
