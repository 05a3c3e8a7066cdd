import numpy as np
import pytest

from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.features import choice
from tf_unsup3d.evaluation.features.choice import EFFICIENTNET_LITE0, open_network


def test_the_random_network_is_the_default_and_says_what_it_is_not():
    network = open_network(64)
    assert network.name == "random" and "random" in network.description
    assert "not comparable" in network.note
    assert network.features([np.zeros([1, 64, 64, 3], np.uint8)]).shape == (1, 256)


def test_every_network_goes_by_its_name(monkeypatch):
    assert open_network(16, EFFICIENTNET_LITE0).name == EFFICIENTNET_LITE0
    monkeypatch.setattr(choice, "inception", lambda weights: f"inception {weights}")
    assert open_network(16, inception_weights="file.h5") == "inception file.h5"


def test_two_networks_are_refused():
    with pytest.raises(UserError, match="efficientnet_lite0 and --feature_weights"):
        open_network(16, EFFICIENTNET_LITE0, "file.h5")
