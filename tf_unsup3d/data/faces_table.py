"""The table `faces.csv`, which says where each face was in its photograph."""

from tf_unsup3d.data.face_detection import Face

# After the number of the picture in the prepared set: the file, the number of the face
# in it, the box around the face and the square around its portrait in pixels of the
# upright photograph, the detector's score, and the tilt clockwise in degrees.
COLUMNS = (
    "path",
    "face",
    "left",
    "top",
    "right",
    "bottom",
    "score",
    "centre_x",
    "centre_y",
    "side",
    "angle",
)


def face_row(name: str, number: int, face: Face) -> tuple[str, ...]:
    """Returns the cells of a face.

    Args:
      name: Printable name of the photograph in its source.
      number: Number of the face in the photograph, from 1 for the largest.
      face: Where it is.
    """
    square = face.square
    places = [*face.box, face.score, *square.centre, square.side, square.angle]
    return (name, str(number), *(f"{place:.3f}" for place in places))
