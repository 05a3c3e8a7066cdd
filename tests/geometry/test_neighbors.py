import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.geometry.mesh import triangle_neighbors
from tf_unsup3d.geometry.neighbors import find_neighbors
from tf_unsup3d.geometry.sphere import octahedral_sphere


@pytest.fixture
def find_in_graph():
    return tf.function(
        find_neighbors, input_signature=[tf.TensorSpec([None, 3], tf.int32)]
    )


@pytest.mark.parametrize("kept", [0.0, 0.3, 1.0])
def test_are_those_of_arrays(kept, find_in_graph):
    triangles = octahedral_sphere(6).triangles
    triangles = triangles[np.random.default_rng(0).uniform(size=len(triangles)) < kept]
    expected = triangle_neighbors(triangles)
    np.testing.assert_array_equal(find_neighbors(triangles), expected)
    np.testing.assert_array_equal(find_in_graph(triangles), expected)


def test_an_edge_of_three_triangles_is_an_error(find_in_graph):
    fan = tf.constant([[0, 1, 2], [1, 0, 3], [0, 1, 4]])
    for find in (find_neighbors, find_in_graph):
        with pytest.raises(tf.errors.InvalidArgumentError, match="more than two"):
            find(fan)
