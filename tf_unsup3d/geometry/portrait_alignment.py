"""The constants of the alignment of portraits in the data set FFHQ.

With e the middle between the eyes and m that of the mouth, the alignment of T. Karras,
S. Laine and T. Aila, "A Style-Based Generator Architecture for Generative Adversarial
Networks" (2019), appendix A, crops a square whose middle is
e + `CENTRE_BELOW_EYES` (m - e) and half of whose width is the larger of
`EYE_DISTANCES` times the distance between the eyes and `MOUTH_DISTANCES` times |m - e|.

This module does not import TensorFlow, because the worker processes of a preparation
import it.
"""

EYE_DISTANCES = 2.0
MOUTH_DISTANCES = 1.8
CENTRE_BELOW_EYES = 0.1
