"""The models and the renderer with their arguments open to gin.

gin's own decorator hides a constructor's arguments from Keras, so the classes stay
plain and their configurable twins, which make the same objects, stand here.
"""

import gin

from tf_unsup3d.models import discriminator, generator
from tf_unsup3d.rendering import renderer

Generator = gin.external_configurable(generator.Generator)
Discriminator = gin.external_configurable(discriminator.Discriminator)
Renderer = gin.external_configurable(renderer.Renderer)
