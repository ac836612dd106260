"""What can go wrong, as a small tree under :class:`HypgraphError`.

A message is one line: it names the argument, what was given, what is allowed, and what to do. The command
line prints exactly that line.
"""

__all__ = ["ConfigError", "DataError", "DeviceError", "HypgraphError", "NumericalError", "RunError"]


class HypgraphError(Exception):
    """Base of every error that this package raises on purpose."""


class ConfigError(HypgraphError, ValueError):
    """An option, a configuration key or a name that is not known or not allowed."""


class DataError(HypgraphError, ValueError):
    """A data set that is missing, malformed or too small for what was asked."""


class RunError(HypgraphError):
    """A run folder that is none, or whose files are damaged or from another version."""


class DeviceError(HypgraphError):
    """A device that this machine does not have."""


class NumericalError(HypgraphError, ArithmeticError):
    """A loss that is not finite; names the epoch and the quantity."""
