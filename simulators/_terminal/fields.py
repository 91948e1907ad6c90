"""Description tables of every request of chapter 2: which fields, of which type, in which range."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from .schema import Field, array, blob, flag, group, group_of, integer, number, one_of, text

PROTOCOL: Final = "0.2"
MAX_U32: Final = 2**32 - 1
MAX_U64: Final = 2**64 - 1
DATE_TIME: Final = r"\d{4}/\d{2}/\d{2} \d{2}:\d{2}:\d{2}"

_START = text(pattern=rf"useless|{DATE_TIME}", optional=True)
_END = text(pattern=rf"forever|never|{DATE_TIME}")
_END_OPTIONAL = text(pattern=rf"forever|never|{DATE_TIME}", optional=True)
_PERSON_ID = text(19, low=1)
_CARDS: Final[dict[str, Field]] = {
    "wg_card_id": integer(0, MAX_U32, optional=True),
    "long_card_id": integer(0, MAX_U64, optional=True),
}
_JPG = group(format=one_of("jpg"), image_data=blob())
_NORM = group(width=one_of(150), height=one_of(150), image_data=blob())

# 2.1.3: what a person consists of when all of it is sent (add, or update without update_flags).
_PERSON: Final[dict[str, Field]] = {
    "id": _PERSON_ID,
    "name": text(15),
    "role": integer(0, 255),
    "kind": integer(0, 15),
    "image_num": integer(0, 1),
    "reg_images": array(_JPG, 0, 1),
    "term_start": _START,
    "term": _END,
    "customer_text": text(68),
    **_CARDS,
}
_FEATURES: Final[dict[str, Field]] = {
    "feature_unit_size": one_of(0),
    "feature_num": one_of(0),
    "feature_data": array(number(), 0, 0),
    "norm_image_num": integer(0, 5),
    "norm_images": array(_NORM, 0, 5),
}
_COVER: Final[dict[str, Field]] = {"cover": flag()}


def _loose(fields: Mapping[str, Field]) -> dict[str, Field]:
    """The same table with every field but the id optional (update with `update_flags`)."""
    loose = {name: replace(spec, optional=name != "id") for name, spec in fields.items()}
    return {**loose, "update_flags": integer(0, 0x1FF, optional=True)}


_POSITION = group(x=integer(0), y=integer(0))
TEXT_DISPLAY: Final[dict[str, Field]] = {
    "position": _POSITION,
    "alive_time": integer(0),
    "font_size": integer(1),
    "font_spacing": integer(0),
    "font_color": text(pattern=r"0x[0-9a-fA-F]{8}"),
    "text": text(),
}
_TIME = group(hour=integer(0, 23), minute=integer(0, 59))
_RULE = group(
    name=text(63),
    kind=integer(1, 15),
    mode=one_of("daily", "weekly"),
    days=array(group(sections=array(group(start=_TIME, end=_TIME))), 1, 7),
)
_MEDIA = group(sequence=integer(1, 10), media_name=text(64, low=1, pattern=r"[^/\\]+"))
_CTRL_MODE = one_of("test", "force", "scene")

# 2.3.2: what may be written (all optional: revision 0.38). Note "derep_timeout " with its space, and
# remote_upgrader, which is read inside "face" (2.3.1) and written at the top (2.3.2).
APP_PARAMS: Final[dict[str, Field]] = {
    "device_info": group(
        optional=True,
        device_no=text(31, optional=True),
        addr_no=text(31, optional=True),
        addr_name=text(95, optional=True),
    ),
    "extranet": group(
        optional=True,
        enable=flag(optional=True),
        mode=one_of("http", "tcp", optional=True),
        server_ip=text(64, low=1, optional=True),
        server_domain=text(255, low=1, optional=True),
        server_port=integer(1, 65535, optional=True),
        url=text(255, optional=True),
    ),
    "upload_info": group(
        optional=True,
        method=one_of("http", "tcp", "ftp", "webservice", "none", optional=True),
        server_ip=text(64, low=1, optional=True),
        server_domain=text(255, low=1, optional=True),
        server_port=integer(1, 65535, optional=True),
        service_url=text(101, optional=True),
        user=text(64, optional=True),
        password=text(64, optional=True),
        pattern=text(69, optional=True),
    ),
    "face": group_of(
        {
            "min_face_size": integer(1, 2000, optional=True),
            "name_privacy": flag(optional=True),
            "enable_match": flag(optional=True),
            "match_score": integer(70, 100, optional=True),
            "enable_dereplication": flag(optional=True),
            "derep_timeout ": integer(3, 60, optional=True),
            "audio_flip_interval": integer(0, 1440, optional=True),
            "pic_form": one_of("overall", "closeup", "both", "none", optional=True),
            "enable_output_reg": flag(optional=True),
            "enable_output_feature": flag(optional=True),
            "enable_age": flag(optional=True),
            "enable_sex": flag(optional=True),
            "enable_alive": flag(optional=True),
            "body_temperature": group(
                optional=True,
                enable=flag(optional=True),
                limit=number(0, 150, optional=True),
                outdoor=flag(optional=True),
                multi_frame_confir=flag(optional=True),
                range_min=number(0, 150, optional=True),
                range_max=number(0, 150, optional=True),
                correction_value=number(-20, 20, optional=True),
                fahrenheit_unit=flag(optional=True),
                fast_mode=flag(optional=True),
            ),
            "mask": group(
                optional=True,
                enable=flag(optional=True),
                must_wear_mask=flag(optional=True),
                no_mask_alarm=flag(optional=True),
            ),
        },
        optional=True,
    ),
    "gate_control": group(
        optional=True,
        output_mode=one_of("gpio", "wiegand", optional=True),
        gate_mode=one_of(*range(14), 20, optional=True),
        match_mode=one_of(1, 2, 3, optional=True),
        gpio_state=one_of(0, 1, optional=True),
        gpio_retention_time=integer(500, 5000, optional=True),
        gpio_linked=flag(optional=True),
        wg_linked=flag(optional=True),
        wg_protocol=one_of("wg26", "wg34", optional=True),
        wg_id_public=integer(0, MAX_U32, optional=True),
        wg_create_id_begin=integer(0, MAX_U32, optional=True),
        wg_create_id_end=integer(0, MAX_U32, optional=True),
    ),
    "led_control": group(
        optional=True,
        led_mode=one_of(1, 2, 3, optional=True),
        led_brightness=integer(1, 100, optional=True),
        led_sensitivity=one_of("low", "mid", "high", optional=True),
    ),
    "lcd_control": group(
        optional=True,
        lcd_title=text(128, optional=True),
        lcd_display_item=integer(0, 255, optional=True),
        led_mirror=flag(optional=True),
    ),
    "qr_code_control": group(optional=True, enable=flag(optional=True), repeat_interval=integer(0, 255, optional=True)),
    "remote_upgrader": group(optional=True, enable=flag(optional=True)),
    "name_list": group(optional=True, auto_clean=flag(optional=True)),
}

DEFAULT_APP_PARAMS: Final[dict[str, dict[str, Any]]] = {
    "device_info": {"device_no": "0001", "addr_no": "0001", "addr_name": "Front door"},
    "extranet": {"enable": False, "mode": "tcp", "url": ""},
    "upload_info": {"method": "none", "user": "", "password": "", "pattern": "/"},
    "face": {
        "min_face_size": 120,
        "name_privacy": False,
        "enable_match": True,
        "match_score": 80,
        "enable_dereplication": False,
        "derep_timeout ": 3,
        "audio_flip_interval": 5,
        "pic_form": "both",
        "enable_output_reg": False,
        "enable_output_feature": False,
        "enable_age": False,
        "enable_sex": False,
        "enable_alive": True,
        "body_temperature": {
            "enable": False,
            "limit": 37.5,
            "outdoor": False,
            "multi_frame_confir": False,
            "range_min": 36.0,
            "range_max": 42.0,
            "correction_value": 0.0,
            "fahrenheit_unit": False,
            "fast_mode": False,
        },
        "mask": {"enable": False, "must_wear_mask": False, "no_mask_alarm": False},
    },
    "gate_control": {
        "output_mode": "gpio",
        "gate_mode": 1,
        "match_mode": 1,
        "gpio_state": 0,
        "gpio_retention_time": 1000,
        "gpio_linked": False,
        "wg_linked": False,
        "wg_protocol": "wg26",
        "wg_id_public": 8888,
        "wg_create_id_begin": 1111,
        "wg_create_id_end": 9999999,
    },
    "led_control": {"led_mode": 2, "led_brightness": 80, "led_sensitivity": "mid"},
    "lcd_control": {"lcd_title": "Face Recognition", "lcd_display_item": 7, "led_mirror": False},
    "qr_code_control": {"enable": True, "repeat_interval": 10},
    "remote_upgrader": {"enable": True},
    "name_list": {"auto_clean": False},
}

# 2.3.5
STREAM_PARAMS: Final[dict[str, Field]] = {
    "image": group(
        optional=True,
        max_exposure=integer(300, 9900, optional=True),
        max_gain=integer(0, 40, optional=True),
        contrast=integer(0, 128, optional=True),
        saturation=integer(1, 255, optional=True),
        brightness=integer(1, 100, optional=True),
    ),
    "video": group(optional=True, bitrate=integer(1024, 4096, optional=True)),
}
DEFAULT_STREAM_PARAMS: Final[dict[str, dict[str, Any]]] = {
    "image": {"max_exposure": 4000, "max_gain": 20, "contrast": 60, "saturation": 110, "brightness": 46},
    "video": {"bitrate": 2048},
}

REQUESTS: Final[dict[str, dict[str, Field]]] = {
    "request persons": {
        "role": integer(-1, 2),
        "page_no": integer(-1),
        "page_size": integer(1, 20),
        "feature_flag": integer(),
        "image_flag": integer(),
        "query_mode": integer(optional=True),
        "condition": group_of(
            {
                "person_id": text(19, low=1, optional=True),
                "person_name": text(63, low=1, optional=True),
                "wg_card_no": integer(0, MAX_U32, optional=True),
                "long_card_no": integer(0, MAX_U64, optional=True),
                "term_start_start": _START,
                "term_start_end": _START,
                "term_start": _END_OPTIONAL,
                "term ": _END_OPTIONAL,
            },
            optional=True,
        ),
    },
    "upload person": {
        "id": _PERSON_ID,
        "name": text(63, optional=True),
        "role": one_of(1, 2, optional=True),
        "kind": integer(0, 15, optional=True),
        "reg_image": blob(optional=True),
        "term_start": _START,
        "term": _END_OPTIONAL,
        "customer_text": text(68, optional=True),
        "normal_image": blob(optional=True),
        "upload_mode": one_of(0, 1, 2, optional=True),
        "thumb_image": blob(optional=True),
        **_CARDS,
    },
    "add person": {**_PERSON, **_FEATURES, **_COVER},
    "add person jpg": {**_PERSON, **_COVER, "image_num": one_of(1), "reg_images": array(_JPG, 1, 1)},
    "update person": _loose({**_PERSON, **_FEATURES}),
    "update person jpg": _loose(_PERSON),
    "delete person(s)": {"flag": integer(-1, 3), "id": text(19, optional=True)},
    "request records": {
        "page_no": integer(1),
        "page_size": integer(1, 20),
        "face_image_flag": one_of(0, 1),
        "reg_image_flag": one_of(0, 1),
        "time_start": integer(0, optional=True),
        "time_end": integer(0, optional=True),
        "score_start": integer(0, 100, optional=True),
        "score_end": integer(0, 100, optional=True),
        "upload_state": one_of(0, 1, optional=True),
        "fuzzy_flag": one_of(0, 1, optional=True),
        "id": text(19, low=1, optional=True),
        "name": text(63, low=1, optional=True),
    },
    "request app params": {},
    "update app params": APP_PARAMS,
    "reset app params": {},
    "request stream params": {},
    "update stream params": STREAM_PARAMS,
    "reset stream params": {},
    "request schedule params": {},
    "update schedule params": {"kinds": array(_RULE, 0, 15)},
    "add schedule kind": {"kinds": array(_RULE, 1, 15)},
    "snapshot": {},
    "gpio control": {
        "port": integer(1),
        "ctrl_type": one_of("on"),
        "ctrl_mode": _CTRL_MODE,
        "person_id": text(19, optional=True),
    },
    "wiegand control": {
        "wiegand_card_no": integer(0, MAX_U32),
        "long_card_id": integer(0, MAX_U64, optional=True),
        "ctrl_mode": _CTRL_MODE,
        "person_id": text(19, optional=True),
    },
    "heart beat": {
        "ip": text(64),
        "device_sn": text(32),
        "device_no": text(32),
        "addr_no": text(32),
        "addr_name": text(96),
        "gps": group(n=text(), e=text(), strength=integer(0), optional=True),
    },
    "request customer auth code": {},
    "request date time": {},
    "update date time": {"date_time": text(pattern=DATE_TIME)},
    "reboot": {},
    "restart application": {},
    "request lcd screensaver": {},
    "update lcd screensaver": {"screensaver_mode": one_of("none", "extinguish", "media")},
    "request lcd media": {},
    "update lcd media": {"screensaver_media_list": array(_MEDIA, 1, 10)},
    "delete lcd media": {"screensaver_media_list": array(_MEDIA, 1, 10)},
    "text display": {
        "coding_type": one_of("utf8", "gb2312", optional=True),
        "text_list": array(group_of(TEXT_DISPLAY), 1),
    },
    "image display": {
        "position": _POSITION,
        "alive_time": integer(0),
        "format": one_of("png", "jpg"),
        "image_data": blob(),
    },
    "tts play": {"text": text(64, low=1)},
    "play audio stream": {"audio": group(format=one_of("wav"), data=blob())},
    "browse audio list": {},
    "play audio": {"audio_no": integer(0), "audio_name": text(64, low=1)},
    "get hardware info": {},
    "set hardware info": {
        "Lcd": group(manu=text(32), model=text(32, low=1)),
        "FourG": group(moduler_4g=one_of("YES", "NO")),
    },
    "download file": {"path": text(255, low=1), "offset": integer(0), "size": integer(1, 10240)},
    "upload file": {
        "path": text(255, low=1),
        "total_size": integer(1),
        "offset": integer(0),
        "size": integer(1, 204800),
        "data": blob(),
        "md5sum": text(pattern=r"[0-9a-f]{32}"),
    },
    "updata aes": {"ori_key": blob(), "enable": flag(optional=True), "new_key": blob(optional=True)},
    "request aes": {},
    "sip register": {
        "domain": text(128, low=1),
        "port": integer(1, 65535),
        "username": text(64, low=1),
        "password": text(64, optional=True),
    },
    "sip call": {"url": text(pattern=r"sip:[^@\s:]+@[^@\s:]+:\d{1,5}")},
    "sip hangup": {},
    "request 4g infor": {},
    "traffic statistics": {"month": integer(1, 12), "day": text(optional=True, pattern=r"\d{1,2}(-(\d{1,2})?)?")},
    "camera volume": {"method": one_of("SET", "GET"), "volume": integer(0, 100, optional=True)},
}

# 2.2.1.2: the optional parts of the answer to a push.
GATEWAY_CTRL: Final = group(
    device_type=one_of("gpio", "wiegand"),
    device_no=integer(0, MAX_U32),
    long_card_id=integer(0, MAX_U64, optional=True),
    ctrl_mode=_CTRL_MODE,
    person_id=text(19, optional=True),
    optional=True,
)
ACK_EXTRAS: Final[dict[str, Field]] = {
    "gateway_ctrl": GATEWAY_CTRL,
    "tts": group(text=text(64, low=1), optional=True),
    "Text_display": group_of(TEXT_DISPLAY, optional=True),
}

# 2.11: the answer to ask_upgrade.
FIRMWARE_KEYS: Final = (
    "system",
    "appversion",
    "algversion",
    "platform",
    "sensor",
    "board",
    "motor",
    "lcd",
    "timestamp",
)
UPGRADE_ANSWER: Final[dict[str, Field]] = {
    "reply": one_of("ACK"),
    "cmd": one_of("ask_upgrade"),
    "code": integer(),
    "upgrade_type": one_of("none", "normal", "force"),
    "upgrade_file": group(url=text(low=1), md5sum=text(pattern=r"[0-9a-f]{32}"), optional=True),
    "firmware": group_of({key: text() for key in FIRMWARE_KEYS}, optional=True),
}
