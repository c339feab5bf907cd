"""The residual stage of H3WB's Large SimpleBaseline."""

from torch import Tensor, nn


class LargeStage(nn.Module):
    r"""Two linear maps with leaky ReLU, a skip, a leaky ReLU: :math:`y = \phi(x + \phi(W_2\, \phi(W_1 x)))`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(channels, channels)
        self.linear2 = nn.Linear(channels, channels)
        self.activation = nn.LeakyReLU(0.01)

    def forward(self, x: Tensor) -> Tensor:
        h = self.activation(self.linear1(x))
        return self.activation(x + self.activation(self.linear2(h)))
