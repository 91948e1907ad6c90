"""A terminal's parameters as settings of the house: one row each, from the device's words to ours (HTTP API 2.3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...access import Similarity
from ..station import Setting, SettingKind, SettingValue

# 70-100 is the device's scale. What a person means by "low" is the least that the device allows.
_SIMILARITY: dict[str, SettingValue] = {Similarity.LOW: 70, Similarity.NORMAL: 80, Similarity.HIGH: 90}
_GATE_MODES: dict[str, SettingValue] = {
    "uninitialized": 0,
    "face": 1,
    "id_card": 2,
    "face_and_id_card": 3,
    "card": 4,
    "face_and_card": 5,
    "any_face": 6,
    "face_or_id_card_allowed": 7,
    "face_or_id_card": 8,
    "card_with_picture": 9,
    "face_or_face_and_id_card": 10,
    "id_card_allowed": 11,
    "any_id_card": 12,
    "face_or_any_id_card": 13,
    "face_or_rfid": 20,
}
ONLINE_MODE = 2
# 1.5 LcdDisplayItem.
_DISPLAY_ITEMS = ("title", "time", "ip", "people", "serial", "card", "signal", "count")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One setting and the application or stream parameter that it lives in.

    `words` maps our options to the device's values; `bit` picks one bit of a mask; `nearest` reads a number as the
    option with the greatest value that it reaches; `scale` is how many of the device's units make one of ours.
    """

    setting: Setting
    path: str
    words: Mapping[str, SettingValue] = field(default_factory=dict)
    bit: int | None = None
    nearest: bool = False
    scale: int = 1

    def read(self, raw: SettingValue | None) -> SettingValue | None:
        """Translate what the device has; None when it lacks the parameter or has a value that we do not know."""
        if raw is None:
            return None
        if self.bit is not None:
            return bool(int(raw) & self.bit)
        if self.nearest:
            reached = [word for word, value in self.words.items() if float(value) <= float(raw)]
            return reached[-1] if reached else next(iter(self.words))
        if self.words:
            return next((word for word, value in self.words.items() if value == raw), None)
        return raw if self.scale == 1 else float(raw) / self.scale

    def write(self, value: SettingValue, raw: SettingValue | None) -> SettingValue:
        """Translate what was chosen into what the device takes; `raw` is what it has now."""
        if self.bit is not None:
            mask = int(raw or 0)
            return mask | self.bit if value else mask & ~self.bit
        if self.words:
            return self.words[str(value)]
        return value if self.scale == 1 else round(float(value) * self.scale)


def _toggle(key: str, path: str, *, bit: int | None = None, rare: bool = False) -> Row:
    return Row(setting=Setting(key=key, kind=SettingKind.TOGGLE, rare=rare), path=path, bit=bit)


def _choice(
    key: str, path: str, words: Mapping[str, SettingValue], *, nearest: bool = False, rare: bool = False
) -> Row:
    setting = Setting(key=key, kind=SettingKind.CHOICE, options=tuple(words), rare=rare)
    return Row(setting=setting, path=path, words=words, nearest=nearest)


def _words(*words: str) -> dict[str, SettingValue]:
    """Options that the device calls as we do."""
    return {word: word for word in words}


def _number(
    key: str,
    path: str,
    low: float,
    high: float,
    unit: str | None = None,
    *,
    step: float = 1,
    scale: int = 1,
    rare: bool = False,
) -> Row:
    setting = Setting(key=key, kind=SettingKind.NUMBER, minimum=low, maximum=high, step=step, unit=unit, rare=rare)
    return Row(setting=setting, path=path, scale=scale)


def _text(key: str, path: str, limit: int, *, rare: bool = False) -> Row:
    return Row(setting=Setting(key=key, kind=SettingKind.TEXT, maximum=limit, rare=rare), path=path)


APP_ROWS: tuple[Row, ...] = (
    _toggle("recognition", "face.enable_match"),
    _toggle("liveness", "face.enable_alive"),
    _choice("similarity", "face.match_score", _SIMILARITY, nearest=True),
    _choice("recognition_mode", "face.enable_alive", {"software": False, "antispoofing": True}, rare=True),
    _number("match_score", "face.match_score", 70, 100, rare=True),
    _toggle("deduplication", "face.enable_dereplication", rare=True),
    _number("repeat_time", "face.derep_timeout", 3, 60, "s"),
    _number("min_face_size", "face.min_face_size", 0, 1080, "px", rare=True),
    _toggle("name_privacy", "face.name_privacy", rare=True),
    _choice("picture_form", "face.pic_form", _words("overall", "closeup", "both", "none"), rare=True),
    _toggle("output_template", "face.enable_output_reg", rare=True),
    _toggle("output_feature", "face.enable_output_feature", rare=True),
    _toggle("detect_age", "face.enable_age", rare=True),
    _toggle("detect_sex", "face.enable_sex", rare=True),
    _number("audio_flip_interval", "face.audio_flip_interval", 0, 1440, "min", rare=True),
    _toggle("temperature_check", "face.body_temperature.enable"),
    _number("temperature_limit", "face.body_temperature.limit", 30, 45, "°C", step=0.1),
    _toggle("temperature_outdoor", "face.body_temperature.outdoor", rare=True),
    _toggle("temperature_multi_frame", "face.body_temperature.multi_frame_confir", rare=True),
    _number("temperature_range_min", "face.body_temperature.range_min", 20, 45, "°C", step=0.1, rare=True),
    _number("temperature_range_max", "face.body_temperature.range_max", 20, 45, "°C", step=0.1, rare=True),
    _number("temperature_correction", "face.body_temperature.correction_value", -5, 5, "°C", step=0.05, rare=True),
    _toggle("temperature_fahrenheit", "face.body_temperature.fahrenheit_unit", rare=True),
    _toggle("temperature_fast", "face.body_temperature.fast_mode", rare=True),
    _toggle("mask_check", "face.mask.enable"),
    _toggle("mask_required", "face.mask.must_wear_mask"),
    _toggle("mask_alarm", "face.mask.no_mask_alarm", rare=True),
    _toggle("remote_upgrade", "remote_upgrader.enable", rare=True),
    _choice("gate_output", "gate_control.output_mode", _words("gpio", "wiegand"), rare=True),
    _choice("gate_mode", "gate_control.gate_mode", _GATE_MODES),
    _choice("match_mode", "gate_control.match_mode", {"auto": 1, "online": ONLINE_MODE, "offline": 3}),
    _choice("relay_state", "gate_control.gpio_state", {"normally_closed": 0, "normally_open": 1}, rare=True),
    _number("hold_time", "gate_control.gpio_retention_time", 0.5, 5, "s", step=0.1, scale=1000),
    _toggle("relay_linked", "gate_control.gpio_linked", rare=True),
    _toggle("card_linked", "gate_control.wg_linked", rare=True),
    _choice("card_protocol", "gate_control.wg_protocol", _words("wg26", "wg34"), rare=True),
    _choice("led_mode", "led_control.led_mode", {"on": 1, "auto": 2, "off": 3}),
    _number("led_brightness", "led_control.led_brightness", 1, 100, "%"),
    _choice("led_sensitivity", "led_control.led_sensitivity", _words("low", "mid", "high"), rare=True),
    _text("screen_title", "lcd_control.lcd_title", 96),
    _toggle("screen_mirror", "lcd_control.led_mirror", rare=True),
    *(
        _toggle(f"display_{item}", "lcd_control.lcd_display_item", bit=1 << number, rare=True)
        for number, item in enumerate(_DISPLAY_ITEMS)
    ),
    _toggle("qr_code", "qr_code_control.enable"),
    _number("qr_interval", "qr_code_control.repeat_interval", 0, 255, "s", rare=True),
    _toggle("auto_clean", "name_list.auto_clean", rare=True),
    _text("device_number", "device_info.device_no", 31, rare=True),
    _text("position_number", "device_info.addr_no", 31, rare=True),
    _text("position_name", "device_info.addr_name", 95, rare=True),
)
STREAM_ROWS: tuple[Row, ...] = (
    _number("max_exposure", "image.max_exposure", 300, 9900, "µs", rare=True),
    _number("max_gain", "image.max_gain", 0, 40, "dB", rare=True),
    _number("contrast", "image.contrast", 0, 128, rare=True),
    _number("saturation", "image.saturation", 1, 255, rare=True),
    _number("brightness", "image.brightness", 1, 100, "%"),
    _number("bitrate", "video.bitrate", 1024, 4096, "kbit/s", rare=True),
)
VOLUME = _number("volume", "volume", 0, 100, "%")
SCREENSAVER = _choice("screensaver", "screensaver_mode", _words("none", "extinguish", "media"))
