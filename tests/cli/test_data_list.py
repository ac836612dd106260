"""``hypgraph data list``."""

from hypgraph.data import CATALOGUE
from tests.cli.program import hypgraph


def test_every_data_set_is_listed_with_its_counts(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    outcome = hypgraph("data", "list")
    assert (outcome.code, outcome.err) == (0, "")
    for name, entry in CATALOGUE.items():
        row = next(line for line in outcome.out.splitlines() if f" {name} " in line)
        for count in (entry.nodes, entry.edges, entry.features, entry.classes):
            assert f" {count:,} " in row
        assert entry.description in row
    assert "edge a line" in outcome.out
