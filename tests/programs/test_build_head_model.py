import pytest

from tf_unsup3d.errors import UserError


def test_a_mistake_is_named(run_in_process):
    with pytest.raises(UserError, match=r"output must end in \.npz, got model\.bin"):
        run_in_process("build_head_model", "--output=model.bin")
