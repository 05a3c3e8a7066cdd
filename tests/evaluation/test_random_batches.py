import numpy as np

from tf_unsup3d.evaluation.random_batches import random_batches


def test_random_batches_are_as_many_as_asked_and_repeat(small_trained):
    def drawn(count, seed=0):
        batches = list(random_batches(small_trained, count, seed=seed))
        lights = [tuple(batch.light_seed.numpy()) for batch in batches]
        assert len(set(lights)) == len(batches)
        vertices = np.concatenate([batch.scene.vertices for batch in batches])
        return vertices, np.concatenate([batch.viewpoints for batch in batches])

    vertices, views = drawn(20)
    assert len(vertices) == 20 and views.shape == (20, 3)
    assert len(np.unique(vertices[:, 3, 0])) == len(np.unique(views[:, 0])) == 20
    np.testing.assert_array_equal(drawn(17)[0], vertices[:17])
    assert np.all(drawn(20, seed=1)[1][:, 0] != views[:, 0])
