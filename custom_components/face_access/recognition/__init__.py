"""Recognition of faces in pictures, without Home Assistant.

`models`, `store` and `download` bring the networks, `onnx` runs them, `engine` looks at pictures, `vote` at several of
them, and `worker` does it on a thread of its own. `sighting` says the result in the words of the house.
"""
