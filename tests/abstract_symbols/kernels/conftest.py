"""Settings for the tests of the kernels."""

import pytest
import torch


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Sums that threads share differ in their last bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
