"""Where models lie and which file is used: the user's own before a download, each checked as a whole."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
import hashlib
from pathlib import Path
from typing import Final

from .errors import ModelDamagedError, ModelLicenceError, ModelMissingError, ModelUnusableError
from .models import MAX_SIZE, Model, ModelFile, ModelRole, manifest, parse

DESCRIPTIONS: Final = "models.json"
"""The user's descriptions of own models, in the user's folder."""


class ModelOrigin(StrEnum):
    """Where a model's file comes from."""

    USER = "user"
    DOWNLOADED = "downloaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundModel:
    """A model whose file is here. `calibrated` is False where nobody measured what its cosines mean."""

    model: Model
    path: Path
    origin: ModelOrigin
    file: ModelFile


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A model's bytes, verified, with the hash that templates carry."""

    model: Model
    data: bytes
    sha256: str
    origin: ModelOrigin
    calibrated: bool


class ModelStore:
    """The folder of downloads and the folder of the user. Reads files: not for the event loop."""

    def __init__(self, downloaded: Path, users: Path | None = None, *, accepted: Collection[str] = ()) -> None:
        """`accepted` names the non-commercial models (ids) whose terms the user has accepted for this house."""
        self.downloaded = downloaded
        self._users = users
        self.accepted = frozenset(accepted)

    def accept(self, models: Collection[str]) -> None:
        """Accept the terms of more models, by id."""
        self.accepted |= frozenset(models)

    def models(self) -> tuple[Model, ...]:
        """List the user's models and then the package's. Raises ModelUnusableError for descriptions that are wrong."""
        path = None if self._users is None else self._users / DESCRIPTIONS
        if path is None or not path.is_file():
            return manifest()
        try:
            own = parse(path.read_text("utf-8"), users=True)
        except (OSError, ValueError) as err:
            raise ModelUnusableError(DESCRIPTIONS, f"it cannot be read: {err}") from err
        return own + tuple(model for model in manifest() if model.id not in {one.id for one in own})

    def choose(self, role: ModelRole, model_id: str | None = None) -> tuple[Model, ...]:
        """Choose the models of a role: the one named, else all of the user's, else the defaults.

        Raises ModelMissingError for a name that nobody knows.
        """
        of_role = [model for model in self.models() if model.role is role]
        if model_id is not None:
            if not (named := tuple(model for model in of_role if model.id == model_id)):
                raise ModelMissingError(model_id, f"no {role} has this name")
            return named
        own = tuple(model for model in of_role if model.users)
        chosen = own or tuple(model for model in of_role if model.default)
        return chosen if role is ModelRole.LIVENESS else chosen[:1]

    def find(self, model: Model) -> FoundModel:
        """Find a model's file. Raises ModelMissingError and ModelLicenceError; nothing else is taken in its place."""
        if model.noncommercial and model.id not in self.accepted:
            raise ModelLicenceError(model.id, f"the licence ({model.licence}) forbids commercial use")
        for folder, origin in ((self._users, ModelOrigin.USER), (self.downloaded, ModelOrigin.DOWNLOADED)):
            for file in model.files:
                if folder is not None and (folder / file.name).is_file():
                    return FoundModel(model=model, path=folder / file.name, origin=origin, file=file)
        raise ModelMissingError(model.id, f"none of {', '.join(file.name for file in model.files)} is there")

    def load(self, model: Model) -> LoadedModel:
        """Read and verify a model. Raises ModelError of the kind that fits.

        A file in the user's folder may be another one than the manifest's of the same name: then it is the user's own
        model, and nobody has measured it. One that the user has described with a hash must have it.
        """
        found = self.find(model)
        try:
            size = found.path.stat().st_size
            if size > MAX_SIZE:
                raise ModelDamagedError(model.id, f"{found.path.name} has {size} bytes, more than {MAX_SIZE}")
            data = found.path.read_bytes()
        except OSError as err:
            raise ModelMissingError(model.id, f"{found.path.name} cannot be read: {err.strerror}") from err
        sha256 = hashlib.sha256(data).hexdigest()
        genuine = sha256 in {file.sha256 for file in model.files}
        described = model.users and found.file.sha256 is not None
        if not genuine and (found.origin is ModelOrigin.DOWNLOADED or described):
            raise ModelDamagedError(model.id, f"{found.path.name} is not the file that was described (SHA-256 differs)")
        return LoadedModel(
            model=model,
            data=data,
            sha256=sha256,
            origin=found.origin,
            calibrated=model.calibrated and (genuine or model.users),
        )

    def missing(self, roles: Sequence[ModelRole]) -> list[Model]:
        """List the chosen models of some roles whose files are not here. Raises ModelLicenceError."""
        lacking = []
        for role in roles:
            for model in self.choose(role):
                try:
                    self.find(model)
                except ModelMissingError:
                    lacking.append(model)
        return lacking
