"""What can be said of a person in an action: facts, photos and how they are checked. None goes back to the default."""

from typing import Any, Final

from homeassistant.const import Platform
from homeassistant.helpers import config_validation as cv
import probatio as vol

from ..access import Role
from ..hub.people import input as field
from ..hub.people.photo_checks import CHECK_DUPLICATES, CHECK_LIVENESS, CHECK_QUALITY, MINIMUM_SIMILARITY
from ..people.model import MAX_CARD, Storage
from . import fields
from .media import IMAGE_ENTITY, MEDIA, PATH

SIGHTING: Final = "sighting_id"

FACTS: Final[dict[vol.Marker, Any]] = {
    vol.Optional(field.ROLE): vol.Any(None, vol.Coerce(Role)),
    vol.Optional(field.ENABLED): vol.Any(None, cv.boolean),
    vol.Optional(field.VALID_FROM): vol.Any(None, fields.moment),
    vol.Optional(field.VALID_UNTIL): vol.Any(None, fields.moment),
    vol.Optional(field.DOORS): vol.Any(None, vol.All(cv.ensure_list, [fields.text])),
    vol.Optional(field.SCHEDULE): vol.Any(None, cv.entity_domain("schedule")),
    vol.Optional(field.CARD): vol.Any(None, fields.whole(1, MAX_CARD, exact=True)),
    vol.Optional(field.TEXT): vol.Any(None, cv.string),
    vol.Optional(field.LINKED): vol.Any(None, cv.entity_domain("person")),
    vol.Optional(field.METADATA): vol.Any(None, {fields.text: cv.string}),
    vol.Optional(field.STORAGE): vol.Any(None, vol.Coerce(Storage)),
}
PICTURES: Final[dict[vol.Marker, Any]] = {
    vol.Optional(MEDIA): vol.All(lambda value: value if isinstance(value, list) else [value], [fields.media]),
    vol.Optional(PATH): vol.All(cv.ensure_list, [fields.file_path]),
    vol.Optional(IMAGE_ENTITY): vol.All(cv.ensure_list, [cv.entity_domain([Platform.CAMERA, Platform.IMAGE])]),
    vol.Optional(SIGHTING): vol.All(cv.ensure_list, [fields.whole(1, 2**63 - 1)]),
}
CHECKS: Final[dict[vol.Marker, Any]] = {
    vol.Optional(CHECK_DUPLICATES): cv.boolean,
    vol.Optional(MINIMUM_SIMILARITY): fields.share,
    vol.Optional(CHECK_LIVENESS): cv.boolean,
    vol.Optional(CHECK_QUALITY): cv.boolean,
}
ID: Final[dict[vol.Marker, Any]] = {vol.Required(field.PERSON_ID): fields.text}
NEW: Final[dict[vol.Marker, Any]] = {vol.Optional(field.PERSON_ID): fields.text, vol.Required(field.NAME): fields.text}
LINE: Final = vol.Schema({**NEW, **FACTS})
