"""Where a station listens, and who we are to it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a station listens: `secure` for HTTPS, `verify` for certificates that somebody trusts.

    Families without a login take no notice of `username` and `password`.
    """

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    secure: bool = False
    verify: bool = False
