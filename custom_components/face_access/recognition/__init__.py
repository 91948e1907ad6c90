"""Recognition of faces in pictures, without Home Assistant."""
