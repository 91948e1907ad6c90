"""The kinds of recognition servers: a new one is one package beside this file and one line here."""

from collections.abc import Mapping

from .. import face_scan, kby, network_server, opencv_fr, smartface
from .kind import ServerKind

SERVERS: Mapping[str, ServerKind] = {
    "smartface": smartface.KIND,
    "opencv_fr": opencv_fr.KIND,
    "kby": kby.KIND,
    "face_scan": face_scan.KIND,
    "inference": network_server.KIND,
}
