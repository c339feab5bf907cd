"""A user's package: one of each kind that an experiment can name."""

from my_package.data import Beginners
from my_package.losses import farthest, worst_joint
from my_package.model import Lifter, NeighbourMean, Widening
from my_package.training import Lines, SignDescent, Stairs

__all__ = [
    "Beginners",
    "Lifter",
    "Lines",
    "NeighbourMean",
    "SignDescent",
    "Stairs",
    "Widening",
    "farthest",
    "worst_joint",
]
