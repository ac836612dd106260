"""Where results go: folders named for what made them, and files that stand in nothing's way."""

import re
import time
from pathlib import Path
from tempfile import TemporaryFile

from hypgraph.exceptions import ConfigError

__all__ = ["check_new_file", "check_writable", "data_stem", "new_folder"]


def data_stem(data: str) -> str:
    """The name of the data, of a file without folder and ending."""
    path = Path(data)
    # A simulation may end in a number with a point; .csv.gz is two endings.
    return Path(path.name.removesuffix(".gz")).stem if path.exists() else path.name


def new_folder(data: str, what: str, *, prefix: str = "", suffix: str = "") -> Path:
    """``results/<prefix><data>-<what>-<time><suffix>``, a number behind it where that stands already."""
    stem = re.sub(r"[^\w.=-]+", "-", data_stem(data))
    name = f"{prefix}{stem}-{what}-{time.strftime('%Y%m%d-%H%M%S')}{suffix}"
    path, number = Path("results") / name, 1
    while path.exists():
        number += 1
        path = Path("results") / f"{name}-{number}"
    return path


def check_new_file(out: Path, *, force: bool, folder: bool = False) -> None:
    """Refuses a file (or ``folder``) that cannot be made, or that stands already unless ``force``.

    Raises:
        ConfigError: naming what stands there and what to do.
    """
    if folder and out.is_file():
        raise ConfigError(f"--out {out}: is a file; name a folder to make")
    if not folder and out.is_dir():
        raise ConfigError(f"--out {out}: is a folder; name a file in it")
    if out.exists() and not force and not (folder and not any(out.iterdir())):
        raise ConfigError(f"--out {out}: exists already; choose another name, or add --force to replace it")
    check_writable(out)


def check_writable(file: Path, *, flag: str = "--out") -> None:
    """Refuses a place where no file can be made, before work is done whose result would go there.

    Raises:
        ConfigError: naming the flag, what is wrong, and what to do.
    """
    folder = file.absolute().parent
    if not folder.is_dir():
        raise ConfigError(f"{flag} {file}: there is no folder {file.parent}; make it first")
    try:
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(
            f"{flag} {file}: cannot be written ({error.strerror or error}); choose another place"
        ) from None
