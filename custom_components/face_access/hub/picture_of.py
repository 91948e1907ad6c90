"""A single picture from a camera or an image entity."""

from homeassistant.components import image
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError

from ..const import DOMAIN


async def async_picture_of(hass: HomeAssistant, entity_id: str, field: str = "entity") -> bytes:
    """Take a picture. Raises ServiceValidationError, which names the field, and HomeAssistantError of the entity."""
    if hass.states.get(entity_id) is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="media_unavailable", translation_placeholders={"field": field}
        )
    if entity_id.startswith(f"{Platform.IMAGE}."):
        return (await image.async_get_image(hass, entity_id)).content
    # Only now: the camera integration has requirements, which are there once it has an entity.
    from homeassistant.components import camera  # noqa: PLC0415

    return (await camera.async_get_image(hass, entity_id)).content
