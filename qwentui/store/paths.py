"""Where things lie on disk."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """The user's folders; none of them need exist."""

    config: Path
    data: Path
    cache: Path
    state: Path

    @property
    def settings_file(self) -> Path:
        """The user's settings."""
        return self.config / "config.toml"

    @property
    def themes(self) -> Path:
        """The user's own themes."""
        return self.config / "themes"

    @property
    def personas(self) -> Path:
        """The user's personas, a file each."""
        return self.config / "personas"

    @property
    def prompt_history(self) -> Path:
        """What was typed into the composer, a JSON string a line, oldest first."""
        return self.state / "prompts.jsonl"

    @property
    def database(self) -> Path:
        """Sessions and messages."""
        return self.data / "sessions.db"

    @property
    def benches(self) -> Path:
        """Results of benches, a file each."""
        return self.data / "benches"

    @property
    def log_salt(self) -> Path:
        """What makes the clients in the usage log nameless."""
        return self.state / "log-salt"

    @property
    def models(self) -> Path:
        """Models that were fetched for the built-in server."""
        return self.cache / "models"

    @property
    def digests(self) -> Path:
        """The SHA-256 of large files that were sent to a server."""
        return self.cache / "digests.json"


def user_paths() -> Paths:
    """The folders of this user, by the platform's custom (XDG variables on Linux).

    Without a home folder they lie in a private folder under the system's temporary one: the program works,
    and what it keeps lasts as long as that folder does.
    """
    import platformdirs

    dirs = platformdirs.PlatformDirs("qwentui", appauthor=False)
    paths = Paths(
        config=Path(dirs.user_config_dir),
        data=Path(dirs.user_data_dir),
        cache=Path(dirs.user_cache_dir),
        state=Path(dirs.user_state_dir),
    )
    if paths.data.is_absolute():
        return paths
    root = Path(tempfile.gettempdir()) / f"qwentui-{os.getuid()}"
    return Paths(config=root / "config", data=root / "data", cache=root / "cache", state=root / "state")


def shipped(folder: str) -> Path:
    """A folder that comes with the program: inside the package in an installation, beside it in a checkout.

    Args:
        folder: "themes" or "examples".
    """
    package = Path(__file__).parent.parent
    inside = package / folder
    return inside if inside.is_dir() else package.parent / folder


def private_folder(folder: Path) -> Path:
    """Make `folder` and its parents, readable by this user only.

    Raises:
        OSError: It cannot be made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
