"""What can go wrong in local recognition, one class per remedy."""


class RecognitionError(Exception):
    """Recognition could not be done. The message is for the log, in English, and holds nothing biometric."""


class RuntimeMissingError(RecognitionError):
    """Neither onnxruntime nor numpy can be imported here."""


class RecognitionOffError(RecognitionError):
    """The household has switched the recognition of a camera off."""


class PictureError(RecognitionError):
    """The picture cannot be used: not a picture, damaged, or larger than a camera makes."""


class NoFaceError(RecognitionError):
    """There is no face in the picture. `picture` is 1 or 2 where two are compared."""

    def __init__(self, picture: int = 1) -> None:
        super().__init__(f"there is no face in picture {picture}")
        self.picture = picture


class GraphError(RecognitionError):
    """The ONNX file is malformed, or asks for more than a network of this kind needs."""


class UnsupportedOperatorError(GraphError):
    """The ONNX file is sound but uses an operator that this runtime lacks."""


class ModelError(RecognitionError):
    """A model cannot be used. `model` names it."""

    def __init__(self, model: str, message: str) -> None:
        super().__init__(f"{model}: {message}")
        self.model = model


class ModelMissingError(ModelError):
    """The model's file is not there."""


class ModelDamagedError(ModelError):
    """The file is there, but it is not the one that the manifest names: size or SHA-256 differ."""


class ModelLicenceError(ModelError):
    """Nobody has accepted the licence that a download, or a model that may not be used commercially, needs."""


class ModelUnusableError(ModelError):
    """The file is intact, but cannot serve in its role: a broken graph, unknown operators, unexpected outputs."""


class DownloadError(ModelError):
    """The model could not be fetched; what has arrived is kept, and the next attempt resumes there."""


class GalleryError(RecognitionError):
    """A template does not fit the gallery: wrong length, not finite, or made by another model."""


class WorkerBusyError(RecognitionError):
    """More questions wait than anybody will wait for, or recognition has been closed."""


class EngineError(RecognitionError):
    """A recognition server did not do what it was asked. The message holds no picture, no key and no token."""


class EngineUnreachableError(EngineError):
    """Nobody answers, in time or at all."""


class EngineTimeoutError(EngineUnreachableError):
    """The server was not done in time: it may still be at it. `answered` is whether it said so itself."""

    def __init__(self, message: str = "", *, answered: bool = False) -> None:
        super().__init__(message)
        self.answered = answered


class EngineCertificateError(EngineUnreachableError):
    """The server answers, but nobody we trust says that it is the one."""


class EngineAddressError(EngineError):
    """What was given as its address is none."""


class EngineInsecureError(EngineAddressError):
    """At this address anybody on the way could read faces and tokens."""


class EngineUnableError(EngineError):
    """The server has no way to do this at all."""


class EngineAuthError(EngineError):
    """The server wants another login."""


class EngineRefusedError(EngineError):
    """The server refuses: `code` is its own word (or status) for why.

    `words` are what it says beside that. They may name somebody, and so are no part of the message, which is logged.
    """

    def __init__(self, code: str, words: str = "") -> None:
        super().__init__(f"the server refuses ({code})")
        self.code = code
        self.words = words


class EngineForbiddenError(EngineRefusedError):
    """The server knows who asks, and does not let them do this."""


class EngineFaultError(EngineRefusedError):
    """Something is broken on the server's side; later it may work."""


class EngineLimitError(EngineRefusedError):
    """Too many requests, a quota or a licence that is used up."""


class EngineNotFoundError(EngineRefusedError):
    """What was asked for is not there: nobody has this key, no such list, no such picture."""


class EngineProtocolError(EngineError):
    """What came back is not what the server's document says."""


class PhotoRefusedError(EngineRefusedError):
    """The server cannot use a photo: `reasons` are in our words (`remote.words.Unfit`) as far as we have them."""

    def __init__(self, code: str, reasons: tuple[str, ...] = (), words: str = "") -> None:
        super().__init__(code, words)
        self.reasons = reasons


class DuplicateError(EngineRefusedError):
    """Somebody with this face, or this id, is in the register already."""
