"""The VGAE of PyG's own modules, as its example `autoencoder.py` trains it: what the benchmarks compare with.

Two graph convolutions of 32 units and of d, the inner product, negatives of PyG's own, Adam at 0.01, float32. The
features are dense, as in the example, or compressed sparse rows, the layout that was fastest on Cora.
Unlike the example, the convolutions keep the normalised graph (`cached`), as PyG advises where it does not change.
"""

import warnings

import scipy.sparse
import torch
from torch import Tensor
from torch_geometric.nn import VGAE, GCNConv

EPOCHS = 500  # the example has 400


class Encoder(torch.nn.Module):
    def __init__(self, in_features: int, dim: int) -> None:
        super().__init__()
        self.conv = GCNConv(in_features, 2 * dim, cached=True)
        self.mu = GCNConv(2 * dim, dim, cached=True)
        self.logstd = GCNConv(2 * dim, dim, cached=True)

    def forward(self, x: Tensor, edge_index: Tensor) -> tuple[Tensor, Tensor]:
        x = self.conv(x, edge_index).relu()
        return self.mu(x, edge_index), self.logstd(x, edge_index)


def node_features(features: scipy.sparse.sparray, *, sparse: bool) -> Tensor:
    """Rows that sum to 1, as in the example; ``[N, F]``, float32."""
    total = features.sum(axis=1)
    total[total == 0] = 1
    rows = scipy.sparse.csr_array(scipy.sparse.diags_array(1 / total) @ features)
    if not sparse:
        return torch.as_tensor(rows.toarray(), dtype=torch.float32)
    pointers, columns = (torch.as_tensor(part).long() for part in (rows.indptr, rows.indices))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta", category=UserWarning)
        values = torch.as_tensor(rows.data, dtype=torch.float32)
        return torch.sparse_csr_tensor(pointers, columns, values, size=rows.shape, check_invariants=False)


class PygTraining:
    """A model and its optimiser, moved on by a step at a time.

    Args:
        features: ``[N, F]``.
        positive: training edges ``[2, E]``, each once.
        dim: d; the hidden layer has twice as many.
        sparse: whether the features stay sparse.
        device: where to train.
    """

    def __init__(
        self, features: scipy.sparse.sparray, positive: Tensor, *, dim: int, sparse: bool, device: str = "cpu"
    ) -> None:
        self.features = node_features(features, sparse=sparse).to(device)
        self.positive = positive.to(device)
        self.edge_index = torch.cat([self.positive, self.positive.flip(0)], dim=1)
        self.model = VGAE(Encoder(self.features.shape[1], dim)).to(device)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.01)

    def step(self) -> float:
        self.model.train()
        self.optimizer.zero_grad()
        z = self.model.encode(self.features, self.edge_index)
        loss = self.model.recon_loss(z, self.positive) + self.model.kl_loss() / z.shape[0]
        loss.backward()
        self.optimizer.step()
        return float(loss.item())

    @torch.no_grad()
    def score(self, edges: Tensor, non_edges: Tensor) -> tuple[float, float]:
        """AUC and AP at the means."""
        self.model.eval()
        z = self.model.encode(self.features, self.edge_index)
        auc, ap = self.model.test(z, edges, non_edges)
        return float(auc), float(ap)
