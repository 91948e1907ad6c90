"""Application, stream and schedule parameters: chapter 2.3."""

from copy import deepcopy
import ipaddress
from typing import Any, Final

from .core import Core
from .fields import DEFAULT_APP_PARAMS, DEFAULT_STREAM_PARAMS
from .handlers import Handler
from .schema import EXISTS, FULL, Refusal, illegal

_FTP: Final = ("user", "password", "pattern")
_MAX_KINDS: Final = 15


def _merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The old parameters with the given ones put in, group by group."""
    merged = dict(old)
    for key, value in new.items():
        merged[key] = _merge(old.get(key, {}), value) if isinstance(value, dict) else value
    return merged


def _check_host(link: dict[str, Any], sent: dict[str, Any], name: str, *, http: bool) -> None:
    """The address of a link: an ip or, with HTTP only, a domain; the one that is sent replaces the other."""
    if "server_ip" in sent:
        try:
            ipaddress.ip_address(sent["server_ip"].removeprefix("https://"))
        except ValueError as err:
            raise illegal(f"{name}.server_ip: not an ip address") from err
        if "server_domain" not in sent:
            link.pop("server_domain", None)
    elif "server_domain" in sent:
        link.pop("server_ip", None)
    if "server_domain" in sent and not http:
        raise illegal(f"{name}.server_domain: exists in http mode only")
    if not (link.get("server_ip") or link.get("server_domain")) or "server_port" not in link:
        raise illegal(f"{name}: an address and a port are needed")


def _check_extranet(link: dict[str, Any], sent: dict[str, Any]) -> None:
    """2.3.2 extranet: everything but the switch exists only while it is on."""
    if not link["enable"]:
        extra = sent.keys() - {"enable"}
        if extra:
            raise illegal(f"extranet: {sorted(extra)} exist only when enable is true")
        return
    if sent.get("enable") and "mode" not in sent and "mode" not in link:
        link["mode"] = "tcp"
    if "url" in sent and link["mode"] != "http":
        raise illegal("extranet.url: exists in http mode only")
    _check_host(link, sent, "extranet", http=link["mode"] == "http")


def _check_upload(link: dict[str, Any], sent: dict[str, Any]) -> None:
    """2.3.2 upload_info: which fields exist depends on the method."""
    method = link["method"]
    if method == "none":
        extra = sent.keys() - {"method"}
        if extra:
            raise illegal(f"upload_info: {sorted(extra)} do not exist when method is none")
        return
    if "service_url" in sent and method not in {"http", "webservice"}:
        raise illegal("upload_info.service_url: exists for http and webservice only")
    if method != "ftp" and sent.keys() & set(_FTP):
        raise illegal("upload_info: user, password and pattern exist for ftp only")
    _check_host(link, sent, "upload_info", http=method == "http")


def _update_app(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.3.2: change what is given; nothing changes when anything is wrong."""
    sent = {key: value for key, value in request.items() if key in DEFAULT_APP_PARAMS}
    merged = _merge(deepcopy(core.app), sent)
    if "extranet" in sent:
        _check_extranet(merged["extranet"], sent["extranet"])
    if "upload_info" in sent:
        _check_upload(merged["upload_info"], sent["upload_info"])
    body = merged["face"]["body_temperature"]
    if body["range_min"] > body["range_max"]:
        raise illegal("body_temperature: range_min is above range_max")
    gate = merged["gate_control"]
    if gate["wg_create_id_begin"] > gate["wg_create_id_end"]:
        raise illegal("gate_control: wg_create_id_begin is above wg_create_id_end")
    held = gate["gpio_state"] == 1 and core.app["gate_control"]["gpio_state"] == 0
    core.app = merged
    if held:
        core.doors.held()
    core.on_settings()
    return {}


def _request_app(core: Core, _request: dict[str, Any]) -> dict[str, Any]:
    """2.3.1: all parameters; those that depend on a switch only while it says so."""
    app = deepcopy(core.app)
    face, extranet, upload = app["face"], app["extranet"], app["upload_info"]
    face["remote_upgrader"] = app.pop("remote_upgrader")  # read here, written at the top
    face["body_temperature"].pop("fast_mode")  # printed in 2.3.2 only
    if not face["enable_match"]:
        face.pop("match_score")
    if not face["enable_dereplication"]:
        face.pop("derep_timeout ")
    if not extranet["enable"]:
        app["extranet"] = {"enable": False}
    elif extranet["mode"] != "http":
        extranet.pop("url", None)
    method = upload["method"]
    if method == "none":
        app["upload_info"] = {"method": "none"}
    else:
        for key in _FTP if method != "ftp" else ():
            upload.pop(key, None)
        if method not in {"http", "webservice"}:
            upload.pop("service_url", None)
    for link in (extranet, upload):
        if link.get("server_ip"):
            link.pop("server_domain", None)
    return app


def _reset_app(core: Core, _request: dict[str, Any]) -> dict[str, Any]:
    """2.3.3: the parameters of a new device, its links included."""
    core.app = deepcopy(DEFAULT_APP_PARAMS)
    core.on_settings()
    return {}


def _request_stream(core: Core, _request: dict[str, Any]) -> dict[str, Any]:
    """2.3.4."""
    return deepcopy(core.stream)


def _update_stream(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.3.5."""
    core.stream = _merge(core.stream, {key: request[key] for key in core.stream if key in request})
    return {}


def _reset_stream(core: Core, _request: dict[str, Any]) -> dict[str, Any]:
    """2.3.6."""
    core.stream = deepcopy(DEFAULT_STREAM_PARAMS)
    return {}


def _check_rules(rules: list[dict[str, Any]]) -> None:
    """A daily rule has one day, a weekly rule seven; every section ends after it starts; numbers differ."""
    if len({rule["kind"] for rule in rules}) != len(rules):
        raise illegal("kinds: a rule number occurs twice")
    for rule in rules:
        if len(rule["days"]) != (1 if rule["mode"] == "daily" else 7):
            raise illegal(f"kinds: rule {rule['kind']} has {len(rule['days'])} days")
        for day in rule["days"]:
            for section in day["sections"]:
                if minutes(section["start"]) >= minutes(section["end"]):
                    raise illegal(f"kinds: a section of rule {rule['kind']} ends before it starts")


def minutes(clock: dict[str, int]) -> int:
    """Minutes since midnight."""
    return clock["hour"] * 60 + clock["minute"]


def _request_schedule(core: Core, _request: dict[str, Any]) -> dict[str, Any]:
    """2.3.7 (its answer is lost in the document; the shape is that of 2.3.8)."""
    return {"kinds": deepcopy(core.schedule)}


def _update_schedule(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.3.8: replace all rules."""
    _check_rules(request["kinds"])
    core.schedule = deepcopy(request["kinds"])
    return {}


def _add_schedule(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.3.9: append rules."""
    _check_rules(request["kinds"])
    known = {rule["kind"] for rule in core.schedule}
    if any(rule["kind"] in known for rule in request["kinds"]):
        raise Refusal(EXISTS, "a rule of this number exists")
    if len(core.schedule) + len(request["kinds"]) > _MAX_KINDS:
        raise Refusal(FULL, "there are at most 15 rules")
    core.schedule += deepcopy(request["kinds"])
    return {}


HANDLERS: Final[dict[str, Handler]] = {
    "request app params": _request_app,
    "update app params": _update_app,
    "reset app params": _reset_app,
    "request stream params": _request_stream,
    "update stream params": _update_stream,
    "reset stream params": _reset_stream,
    "request schedule params": _request_schedule,
    "update schedule params": _update_schedule,
    "add schedule kind": _add_schedule,
}
