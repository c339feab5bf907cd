"""What the package raises where plain ``ValueError`` or ``OSError`` would say too little.

Each is a ``ValueError`` or an ``OSError``, so that callers who know nothing of these classes catch them all the same.
Messages name the file, field, joint or index, what was found and what was expected; they speak of Python's arguments
(``image_size=``), which the command line turns into its options (``--image-size``).
"""

from __future__ import annotations


class FormatError(ValueError):
    """A file is damaged, too large, or not of the format that it should be of."""


class SuspiciousInputError(ValueError):
    """Input that can be read but looks wrong; ``force=True`` takes it as it is."""


class SeveralPeopleError(ValueError):
    """A file holds several people and none was chosen."""


class ConfigError(ValueError):
    """A configuration names what does not exist, lacks what is needed, or has a value of the wrong kind."""


class ContractError(ValueError):
    """A model, dataset or other part from a user's package lacks what the package asks of it."""


class CheckpointError(ValueError):
    """A checkpoint is damaged, not of this package, or does not fit the model."""


class MissingExtraError(ValueError):
    """A library that only an extra installs is not there; the message names the extra."""


class OutputExistsError(FileExistsError):
    """A file to be written is there already; ``force=True`` replaces it."""
