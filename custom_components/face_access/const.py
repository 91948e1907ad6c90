"""Names that more than one module uses."""

from datetime import timedelta
import logging
from typing import Final

DOMAIN: Final = "face_access"
LOGGER: Final = logging.getLogger(__package__)

# What an entry is like. Since 1.2 each door of a station has a policy of its own.
VERSION: Final = 1
MINOR_VERSION: Final = 2

# Entry data: facts of the connection.
CONF_FAMILY: Final = "family"
CONF_FEATURES: Final = "features"
CONF_STATION: Final = "station"
CONF_CONTROL_ID: Final = "control_id"
CONF_PUSH: Final = "push"
CONF_PREVIOUS_TARGET: Final = "previous_target"
CONF_PREVIOUS_QUESTIONS: Final = "previous_questions"
CONF_PREVIOUS_BROKER: Final = "previous_broker"
CONF_INBOX: Final = "inbox"
CONF_CAMERA: Final = "camera"
CONF_ENGINE: Final = "engine"

# Entry options: what the household prefers.
CONF_DOORS: Final = "doors"
CONF_DOOR_POLICIES: Final = "door_policies"
CONF_DOOR_MODE: Final = "door_mode"
CONF_LIVENESS_REQUIRED: Final = "liveness_required"
CONF_MINIMUM_SCORE: Final = "minimum_score"
CONF_FACTORS: Final = "second_factors"
CONF_FACTORS_WITHIN: Final = "second_factors_within"
CONF_LOCAL_ONLY: Final = "local_only"
CONF_STREAM_PORT: Final = "stream_port"
CONF_STREAM_PATH: Final = "stream_path"
CONF_GRANTED_TEXT: Final = "granted_text"
CONF_DENIED_TEXT: Final = "denied_text"
CONF_ANSWER_QUESTIONS: Final = "answer_questions"
CONF_BROKER: Final = "broker"
CONF_BROKER_WRITE: Final = "broker_write"
CONF_BROKER_URL: Final = "broker_url"
CONF_BROKER_PASSWORD: Final = "broker_password"  # noqa: S105 (a name)
CONF_BROKER_ENCRYPTED: Final = "broker_encrypted"
CONF_KEEP_DAYS: Final = "keep_days"
CONF_KEEP_MOST: Final = "keep_most"
CONF_SETTINGS: Final = "settings"
CONF_TRIGGERS: Final = "triggers"
CONF_RATE: Final = "frames_per_second"
CONF_FAR: Final = "far_faces"
CONF_DOOR: Final = "door"

# What watches a camera: the local engine, or the entry of a recognition server by its id.
ENGINE_LOCAL: Final = "local"
DEFAULT_RATE: Final = 2

DEFAULT_FACTORS_WITHIN: Final = 30
DEFAULT_GRANTED_TEXT: Final = "Welcome, {name}"
DEFAULT_DENIED_TEXT: Final = ""

# A push older than this goes into history alone: nobody wants a bell for yesterday's visitor.
LIVE_WITHIN: Final = timedelta(seconds=30)
# Nobody presses a bell twice to be heard twice within this time; a device that missed our answer does.
RING_ONCE_IN: Final = timedelta(seconds=5)
# A full reading is a dozen requests, so it is rare; the ping between two of them is one.
READ_EVERY: Final = timedelta(minutes=5)
PING_EVERY: Final = timedelta(seconds=30)
# How often a push that works is tried out; whether its address still stands in the station is asked far more often.
PROVE_EVERY: Final = timedelta(days=1)
# A terminal asks for its next command at once after an answer, or 15 s after none (HTTP API 1.1.3), and we hold 10 s.
SILENT_AFTER: Final = timedelta(seconds=45)
# Terminals keep time badly; beyond this, validity dates and schedules on the device go wrong.
CLOCK_TOLERANCE: Final = timedelta(minutes=1)
# What scores and thresholds of sightings go to: those of a server whose scale ends at 1 are told times 100.
SCORE_SCALE: Final = 100
