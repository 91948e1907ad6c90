"""Networks run by an inference server: any that speaks the Open Inference Protocol, version 2, over HTTP."""

from .address import Address
from .nets import RUNTIME, RemoteNet
from .server import InferenceServer

__all__ = ["RUNTIME", "Address", "InferenceServer", "RemoteNet"]
