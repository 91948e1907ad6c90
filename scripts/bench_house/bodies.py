"""Pushes of a terminal as bytes (HTTP API 2.2.1.1): a close-up of 200 kB, and every one a sighting of its own."""

from base64 import b64encode
from datetime import UTC, datetime
import json
import random
from typing import Final

PICTURE_BYTES: Final = 200_000
# Anything would do; this many digits keep all bodies of a run equally long.
_FIRST_SEQUENCE: Final = 1_000_000_000
# Every picture ends with the push's sequence number in so many bytes, which are 12 characters of base64.
_MARK: Final = 9
_SEQUENCE: Final = "@sequence@"
_CAPTURED: Final = "@captured@"
_PICTURE: Final = "@picture@"


class Bodies:
    """Makes bodies. Neither side looks into a picture, so noise between the marks of a JPEG stands for one."""

    def __init__(self, serial: str, picture_bytes: int = PICTURE_BYTES, first: int = _FIRST_SEQUENCE) -> None:
        """Prepare all that is equal in every push of the terminal `serial`; sequence numbers follow `first`."""
        start = b"\xff\xd8\xff\xe0" + random.Random(serial).randbytes(picture_bytes - 4 - _MARK)  # noqa: S311
        # A length that needs no padding: what is appended in base64 is appended to the picture.
        self._picture = b64encode(start[: len(start) // 3 * 3])
        text = json.dumps(_push(serial), ensure_ascii=False)
        head, _, rest = text.partition(f'"{_SEQUENCE}"')
        middle, _, rest = rest.partition(_CAPTURED)
        before, _, after = rest.partition(_PICTURE)
        self._parts = tuple(part.encode() for part in (head, middle, before, after))
        self._sequence = first

    @property
    def size(self) -> int:
        """The length of a body in bytes."""
        return len(self.make())

    def make(self) -> bytes:
        """Make the next push, captured now, with a picture that differs from all others."""
        self._sequence += 1
        head, middle, before, after = self._parts
        captured = f"{datetime.now(UTC):%Y/%m/%d %H:%M:%S.%f}"[:-3]
        tail = b64encode(self._sequence.to_bytes(_MARK))
        return b"".join((head, b"%d" % self._sequence, middle, captured.encode(), before, self._picture, tail, after))


def _push(serial: str) -> dict[str, object]:
    """Describe a recognised face as a terminal does that sends close-ups alone."""
    return {
        "version": "0.2",
        "cmd": "face",
        "sequence_no": _SEQUENCE,
        "device_no": "1",
        "device_sn": serial,
        "addr_no": "1",
        "addr_name": "Front door",
        "cap_time": _CAPTURED,
        "is_realtime": 1,
        "match_failed_reson": 0,
        "match_result": 93,
        "overall_pic_flag": False,
        "closeup_pic_flag": True,
        "closeup_pic": {
            "format": "jpg",
            "data": _PICTURE,
            "face_x": 0,
            "face_y": 0,
            "face_width": 200,
            "face_height": 250,
        },
        "video_flag": False,
        "person": {"sex": "", "age": 0, "hat": "none", "face_quality": 88, "turn_angle": 2, "rotate_angle": -1},
        "match": {
            "is_encryption": False,
            "person_id": "0001",
            "person_name": "Alice Gardner",
            "person_role": 1,
            "origin ": "software",
            "person_attr": "permanent_list",
            "customer_text": "",
        },
    }
