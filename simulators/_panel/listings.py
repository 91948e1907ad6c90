"""What answers the calls for lists: log, identifiers, time profiles, forward rules, webhooks."""

from typing import Any

from aiohttp import BodyPartReader, web

from .._terminal.schema import array, integer, text
from .core import Core
from .errors import wrong
from .handlers import Call, checked
from .listing import page
from .profiles import LIST_FIELDS


def log(core: Core, call: Call) -> dict[str, Any]:
    """A page of the log."""
    return core.journal.page(call.query)


# Identifiers.


def create_identifier(core: Core, call: Call) -> dict[str, int]:
    """A new one."""
    return {"uid": core.identifiers.create(call.body)}


def identifier(core: Core, call: Call) -> dict[str, Any]:
    """One of them."""
    core.identifiers.get(call.args["uid"])
    return core.identifiers.show(call.args["uid"])


def update_identifier(core: Core, call: Call) -> None:
    """Replace one."""
    core.identifiers.update(call.args["uid"], call.body)


def delete_identifier(core: Core, call: Call) -> None:
    """Remove one."""
    core.identifiers.delete(call.args["uid"])


def identifiers(core: Core, call: Call) -> dict[str, Any]:
    """A page of them."""
    return core.identifiers.page(call.query)


def delete_identifiers(core: Core, call: Call) -> None:
    """Remove several."""
    core.identifiers.delete_many(checked(core, call, {"uid_items": array(integer(-1))})["uid_items"])


def upsert_linked(core: Core, call: Call) -> dict[str, Any]:
    """Create or replace several by `link_id`. Of the answer only the name `result` is documented."""
    return {"result": core.identifiers.upsert(call.body)}


def linked(core: Core, call: Call) -> dict[str, Any]:
    """A page of those with a `link_id`."""
    return core.identifiers.linked(call.query)


def delete_linked(core: Core, call: Call) -> dict[str, Any]:
    """Remove several by `link_id`."""
    return {"result": core.identifiers.delete_linked(call.body)}


def by_type(core: Core, call: Call) -> dict[str, Any]:
    """Those of a type."""
    return core.identifiers.by_type(call.query)


def reset_passes(core: Core, call: Call) -> None:
    """All passes again."""
    core.identifiers.reset_passes(call.args["uid"])


def qr(core: Core, call: Call) -> web.Response:
    """The picture of a QR code."""
    return web.Response(body=core.identifiers.qr(call.args["uid"]), content_type="image/png")


async def enrol(core: Core, call: Call) -> None:
    """A face from a photo: one multipart part, named `file` (schema) or `status` (sample)."""
    if call.request.content_type != "multipart/form-data":
        raise wrong("Wrong image file")
    try:
        reader = await call.request.multipart()
        part = await reader.next()
        if not isinstance(part, BodyPartReader):
            raise wrong("Wrong image file")
        if part.name not in {"file", "status"} or not part.filename:
            core.violation(f"the part of a photo is named {part.name!r}, its file {part.filename!r}")
        if part.headers.get("Content-Type") != "image/jpeg":
            core.violation("the part of a photo is not called image/jpeg")
        data = bytes(await part.read())
    except ValueError as err:
        raise wrong("Loading file error") from err
    await core.identifiers.enrol(call.args["uid"], data)


def attach_profile(core: Core, call: Call) -> None:
    """Bind an identifier to a time profile."""
    item = core.identifiers.get(call.args["uid"])
    core.profiles.get(call.args["profile"])
    if call.args["profile"] not in item["profiles"]:
        item["profiles"].append(call.args["profile"])
    core.save()


def detach_profile(core: Core, call: Call) -> None:
    """Free it again."""
    item = core.identifiers.get(call.args["uid"])
    core.profiles.get(call.args["profile"])
    item["profiles"] = [uid for uid in item["profiles"] if uid != call.args["profile"]]
    core.save()


def attach_apartment(core: Core, call: Call) -> None:
    """Bind an identifier to an apartment."""
    item = core.identifiers.get(call.args["uid"])
    if call.args["apartment"] not in core.identifiers.apartments:
        raise wrong("Wrong apartment-uid")
    item["apartment"] = call.args["apartment"]
    core.save()


def detach_apartment(core: Core, call: Call) -> None:
    """Free it again."""
    core.identifiers.get(call.args["uid"])["apartment"] = None
    core.save()


def apartments(core: Core, call: Call) -> dict[str, Any]:
    """The apartments that the panel knows."""
    items = [{"apartment_uid": uid, "name": f"Apartment {uid}"} for uid in core.identifiers.apartments]
    fields = ("apartment_uid", "name")
    return page(items, call.query, core.model.filters, fields=fields, sort="apartment_uid", option="list_option")


# Time profiles.


def create_profile(core: Core, call: Call) -> dict[str, int]:
    """A new one."""
    return {"uid": core.profiles.create(call.body)}


def profile(core: Core, call: Call) -> dict[str, Any]:
    """One of them."""
    return core.profiles.get(call.args["uid"])


def update_profile(core: Core, call: Call) -> None:
    """Replace one."""
    core.profiles.update(call.args["uid"], call.body)


def delete_profile(core: Core, call: Call) -> None:
    """Remove one."""
    core.profiles.delete(call.args["uid"])


def profiles(core: Core, call: Call) -> dict[str, Any]:
    """A page of them."""
    items = [{"timeprofile_uid": uid, **item} for uid, item in core.profiles.items.items()]
    style = core.model.filters
    return page(items, call.query, style, fields=LIST_FIELDS, sort="timeprofile_uid", option="list_option")


# Forward rules.


def forwards(core: Core, call: Call) -> dict[str, Any]:
    """A page of the rules."""
    rules = core.settings.values.setdefault("forwards", {})
    items = [{"forward_number": int(number), "forward_entity_list": urls} for number, urls in rules.items()]
    return page(items, call.query, "flat", fields=("forward_number",), sort="forward_number", option="list_option")


def set_forward(core: Core, call: Call) -> None:
    """Where calls to an apartment go."""
    urls = checked(core, call, {"forward_entity_list": array(text(255))})["forward_entity_list"]
    core.settings.values.setdefault("forwards", {})[str(call.args["apartment"])] = urls
    core.save()


def delete_forwards(core: Core, call: Call) -> None:
    """Remove rules."""
    rules = core.settings.values.setdefault("forwards", {})
    for number in checked(core, call, {"uid_items": array(integer(0))})["uid_items"]:
        rules.pop(str(number), None)
    core.save()


# Webhooks.


def create_webhook(core: Core, call: Call) -> dict[str, int]:
    """A new one."""
    return {"item_uid": core.webhooks.create(call.body)}


def webhooks(core: Core, call: Call) -> dict[str, Any]:
    """A page of them."""
    return core.webhooks.page(call.query)


def webhook(core: Core, call: Call) -> dict[str, Any]:
    """One of them."""
    return core.webhooks.get(call.args["uid"])


def update_webhook(core: Core, call: Call) -> None:
    """Replace one."""
    core.webhooks.update(call.args["uid"], call.body)


def delete_webhook(core: Core, call: Call) -> None:
    """Remove one."""
    core.webhooks.delete(call.args["uid"])


async def test_webhook(core: Core, call: Call) -> web.Response:
    """Send a test."""
    return web.Response(text=await core.webhooks.test(call.args["uid"]), content_type="text/html")


def deliveries(core: Core, call: Call) -> dict[str, Any]:
    """A page of what was sent."""
    return core.webhooks.deliveries_of(call.args["uid"], call.query)


def delivery(core: Core, call: Call) -> dict[str, Any]:
    """One delivery."""
    return core.webhooks.delivery(call.args["uid"])
