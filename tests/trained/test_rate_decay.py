import pytest

from tf_unsup3d.trained.rate_decay import CosineDecay, LinearDecay


def test_rates_fall_from_the_start_to_the_end():
    linear = LinearDecay(start=100, pictures=200, final=0.2)
    seen = [0, 100, 150, 200, 300, 1000]
    factors = [linear.factor(number) for number in seen]
    assert factors == pytest.approx([1.0, 1.0, 0.8, 0.6, 0.2, 0.2])
    cosine = CosineDecay(start=100, pictures=200, final=0.2)
    factors = [cosine.factor(number) for number in seen]
    expected = [1.0, 1.0, 0.2 + 0.8 * 0.853553, 0.6, 0.2, 0.2]
    assert factors == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"start": -1}, "start"), ({"pictures": 0}, "pictures"), ({"final": 2}, "final")],
)
def test_numbers_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        LinearDecay(**arguments)
