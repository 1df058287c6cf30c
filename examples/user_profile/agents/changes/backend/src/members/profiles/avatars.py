"""Pictures on disk: recognised by what they contain, stored under names nobody chooses."""

import secrets
import uuid
from pathlib import Path

URL_PREFIX = "/media/avatars/"
FILE_NAME = r"^[0-9a-f]{32}-[0-9a-f]{16}\.(jpg|png|gif)$"
SIGNATURES = {
    b"\xff\xd8\xff": "jpg",
    b"\x89PNG\r\n\x1a\n": "png",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
}


def picture_type(content: bytes) -> str | None:
    """Recognise jpg, png or gif by the first bytes; names and declared types are hearsay."""
    return next((kind for start, kind in SIGNATURES.items() if content.startswith(start)), None)


def store(content: bytes, kind: str, owner: uuid.UUID, folder: Path) -> str:
    """Write a picture and return the URL it is served from."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{owner.hex}-{secrets.token_hex(8)}.{kind}"
    (folder / name).write_bytes(content)
    return URL_PREFIX + name


def remove(url: str | None, folder: Path) -> None:
    """Delete the picture behind a URL that ``store`` returned; one that is gone is no error."""
    if url is not None:
        (folder / Path(url).name).unlink(missing_ok=True)
