"""The table of token embeddings, which is the matrix of the softmax too."""

from torch import Tensor, nn

from charbot.models.quantization import ByteTable, QuantizedLinear


class TokenEmbedding(nn.Embedding):
    """Embeddings of ids; those of the first `outputs` ids are the weights of the softmax.

    It takes most of a model's memory, so that models which do not change it share one.
    """

    def __init__(self, inputs: int, outputs: int, size: int) -> None:
        super().__init__(inputs, size)
        self.outputs = outputs
        self._softmax: dict[int | None, QuantizedLinear] = {}
        self._table: ByteTable | None = None

    @property
    def output_weight(self) -> Tensor:
        """Weights (outputs, size) of the softmax."""
        return self.weight[: self.outputs] if self._table is None else self._table[slice(self.outputs)]

    def forward(self, ids: Tensor) -> Tensor:
        return super().forward(ids) if self._table is None else self._table[ids]

    def softmax(self, vocab_limit: int | None) -> QuantizedLinear | None:
        """Return the quantised layer of the softmax over the first `vocab_limit` ids, all if None, if there is one."""
        return self._softmax.get(vocab_limit)

    def quantize(self, vocab_limit: int) -> None:
        """Make the layers that `softmax` returns for `vocab_limit` and None, if they are not made yet.

        The table itself is then stored in 8 bits, unless that would change it.
        """
        if not self._softmax:
            self._softmax = {limit: QuantizedLinear(self.output_weight[:limit]) for limit in (vocab_limit, None)}
            self._table = ByteTable.of(self.weight)
            if self._table is not None:
                self.register_parameter("weight", None)
