"""What holds for every test."""

import os

import torch
from hypothesis import settings

# The tensors of the tests are small, and waiting for a second thread on a busy machine costs more than it saves.
torch.set_num_threads(1)

# No deadline, since machines are shared; and CI tries the same examples every time.
settings.register_profile("hypgraph", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("hypgraph")
