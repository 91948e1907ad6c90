"""What kind of picture some bytes are."""


def content_type(picture: bytes) -> str:
    """Tell PNG and WebP from JPEG: stations make no others, and what they call them means nothing."""
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    return "image/webp" if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP" else "image/jpeg"
