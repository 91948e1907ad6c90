"""What kind of picture some bytes are."""


def content_type(picture: bytes) -> str:
    """Tell a PNG from a JPEG, the only two that stations make."""
    return "image/png" if picture.startswith(b"\x89PNG\r\n\x1a\n") else "image/jpeg"
