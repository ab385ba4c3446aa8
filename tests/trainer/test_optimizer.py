import pytest
import torch
from torch import nn

from charbot.config import Hyperparameters
from charbot.models.language_model import TABLES
from trainer.optimizer import Optimizer

SETTINGS = Hyperparameters(learning_rate=0.01, table_rate=0.02)


def _parameters() -> dict[str, nn.Parameter]:
    return {name: nn.Parameter(torch.ones(3, 2)) for name in ("recurrent.weight_hh_l0", TABLES[0])}


def _visit(parameters: dict[str, nn.Parameter], optimizer: Optimizer, row: int, share: float = 1.0) -> dict[str, float]:
    """How far a gradient in one row moves that row."""
    before = {name: p[row, 0].item() for name, p in parameters.items()}
    for p in parameters.values():
        p.grad = torch.zeros_like(p)
        p.grad[row] = 5.0
    optimizer.step(share)
    assert all(p.grad is None for p in parameters.values())
    return {name: before[name] - p[row, 0].item() for name, p in parameters.items()}


def test_a_table_moves_less_at_every_visit_and_the_rest_does_not() -> None:
    parameters = _parameters()
    optimizer = Optimizer(parameters, SETTINGS)
    moved = [_visit(parameters, optimizer, 0) for _ in range(4)]
    assert [one[TABLES[0]] for one in moved] == pytest.approx([0.02 / n**0.5 for n in (1, 2, 3, 4)], rel=1e-4)
    assert [one["recurrent.weight_hh_l0"] for one in moved] == pytest.approx([0.01] * 4, rel=1e-3)


def test_a_row_that_is_not_looked_up_stays() -> None:
    parameters = _parameters()
    optimizer = Optimizer(parameters, SETTINGS)
    _visit(parameters, optimizer, 0)
    _visit(parameters, optimizer, 1)
    first = parameters[TABLES[0]][0].clone()
    _visit(parameters, optimizer, 1)
    assert torch.equal(parameters[TABLES[0]][0], first)
    assert torch.equal(parameters[TABLES[0]][2], torch.ones(2))


def test_rates_are_shared_out_alike() -> None:
    parameters = _parameters()
    moved = _visit(parameters, Optimizer(parameters, SETTINGS), 0, share=0.1)
    assert moved == pytest.approx({"recurrent.weight_hh_l0": 0.001, TABLES[0]: 0.002}, rel=1e-3)


def test_what_is_remembered_can_be_put_back() -> None:
    whole, parts = _parameters(), _parameters()
    uninterrupted, before, after = Optimizer(whole, SETTINGS), Optimizer(parts, SETTINGS), Optimizer(parts, SETTINGS)
    for _ in range(2):
        _visit(whole, uninterrupted, 0)
        _visit(parts, before, 0)
    for parameter in parts.values():
        after.restore(parameter, {key: value.clone() for key, value in before.memory(parameter).items()})
    _visit(whole, uninterrupted, 0)
    _visit(parts, after, 0)
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
