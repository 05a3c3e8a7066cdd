import pytest

from tf_unsup3d.training.growth import Growth


def test_one_resolution_never_changes():
    growth = Growth(64, 64)
    assert growth.sizes == [64]
    assert growth.at(0) == growth.at(10**9) == (64, None)


def test_stages_follow_each_other():
    growth = Growth(16, 64, stage_pictures=1000, fade_pictures=400)
    assert growth.sizes == [16, 32, 64]
    assert growth.at(0) == growth.at(999) == (16, None)
    assert growth.at(1000) == (32, 0.0)
    assert growth.at(1100) == (32, 0.25)
    assert growth.at(1400) == growth.at(1999) == (32, None)
    assert growth.at(2100) == (64, 0.25)
    assert growth.at(2400) == growth.at(10**9) == (64, None)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((24, 24), "resolution 24 is not a power of two from 8 on"),
        ((4, 4), "resolution 4 is not"),
        ((48, 64, 100), "start_resolution 48 is not 64 halved some times"),
        ((128, 64, 100), "start_resolution 128"),
        ((4, 64, 100), "start_resolution must be at least 8, got 4"),
        ((32, 64), "stage_pictures must be positive"),
        ((32, 64, 100, 101), "fade_pictures must be within"),
        ((32, 64, 100, -1), "fade_pictures must be within"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Growth(*arguments)
