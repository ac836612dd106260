"""What holds for every test."""

import torch

# The tensors of the tests are small, and waiting for a second thread on a busy machine costs more than it saves.
torch.set_num_threads(1)
