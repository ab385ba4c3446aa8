"""The LSTM language model, over characters or words."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import accumulate
from typing import Any, Literal

import torch
from torch import Tensor, nn

from charbot.models.attention import Attention
from charbot.models.message_encoder import MessageEncoder
from charbot.models.neural_cache import CacheDistribution, CacheQuery, NeuralCache, target_mask
from charbot.models.ngram_embedding import NgramEmbedding
from charbot.models.quantization import QuantizedLinear, QuantizedLSTM, is_supported
from charbot.models.response_selector import Bags, ResponseSelector
from charbot.models.state import DecoderState
from charbot.models.token_embedding import TokenEmbedding

Cell = Literal["lstm", "gru", "rnn"]
_CELLS: dict[Cell, type[nn.LSTM | nn.GRU | nn.RNN]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


@dataclass(frozen=True)
class Architecture:
    """The sizes of a model. Optional parts have size 0 where the model lacks them."""

    inputs: int
    """Number of ids that the model reads."""
    outputs: int
    """Number of ids that it predicts: the first ones. The id after these begins a conversation."""
    embedding: int
    hidden: int
    layers: int
    """Recurrent layers, not counting the writer (see LanguageModel)."""
    phrases: int = 0
    """Number of phrases in the NgramEmbedding."""
    cell: Cell = "lstm"
    cache: int = 0
    """Size of the neural cache's keys."""
    selector: int = 0
    """Size of the response selector's encodings."""
    attention: int = 0
    """Size of all attention heads together."""
    messages: int = 0
    """Size of the message encoder's encodings."""
    word_vectors: int = 0
    """Number of words that the message encoder knows; 0 for encoders of older bundles, which are not read any more."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


MIN_PROB = torch.finfo(torch.float32).tiny
"""Lower bound of probabilities, to keep logarithms finite: anything smaller may be flushed to zero."""

_FEW = 32
"""Up to this many rows of x, `weight @ x.t()` takes half as long as `x @ weight.t()` (MKL, two cores)."""

TABLES = ("embedding.weight", "phrases.weight")
"""Names of the parameters that are lookup tables: each token uses few of their rows."""


class LanguageModel(nn.Module):
    """Embedding, LSTM (or GRU or RNN), and a softmax tied to the embedding.

    For tied weights see Press and Wolf 2017, "Using the Output Embedding to Improve Language Models". With attention, another
    LSTM, the writer, reads the sum of the recurrent layers' and the attention's outputs, and adds its own.

    Dropout is locked: one mask for all time steps of a window (Gal and Ghahramani 2016).
    """

    def __init__(self, architecture: Architecture, dropout: float = 0.0) -> None:
        super().__init__()
        self.architecture = architecture
        self.dropout = dropout
        self.embedding = TokenEmbedding(architecture.inputs, architecture.outputs, architecture.embedding)
        self.speaker: int | None = None
        self.register_buffer("speaker_embedding", None, persistent=False)
        self.phrases = (
            NgramEmbedding(architecture.phrases, architecture.inputs, architecture.embedding) if architecture.phrases else None
        )
        self.recurrent: nn.RNNBase | QuantizedLSTM = _CELLS[architecture.cell](
            architecture.embedding, architecture.hidden, architecture.layers
        )
        self.attention = Attention(architecture.hidden, architecture.attention) if architecture.attention else None
        self.writer: nn.LSTM | QuantizedLSTM | None = (
            nn.LSTM(architecture.hidden, architecture.hidden) if architecture.attention else None
        )
        self.projection: nn.Linear | QuantizedLinear = nn.Linear(architecture.hidden, architecture.embedding)
        self.cache = NeuralCache(architecture.embedding, architecture.cache) if architecture.cache else None
        self.selector: ResponseSelector | None = None
        if architecture.selector:
            self.add_selector(architecture.selector)
        self.message_encoder: MessageEncoder | None = None
        if architecture.word_vectors:
            self.add_message_encoder(architecture.word_vectors, architecture.messages)
        self.bias = nn.Parameter(torch.zeros(architecture.outputs))
        # Small as weights of the softmax; scaled up to unit variance as inputs (see `_embedded`).
        nn.init.normal_(self.embedding.weight, std=architecture.embedding**-0.5)
        for lstm in (self.recurrent, self.writer):
            for layer in range(lstm.num_layers if isinstance(lstm, nn.LSTM) else 0):
                # Forget gates start open (Jozefowicz et al. 2015); torch orders the gates i, f, g, o.
                bias = getattr(lstm, f"bias_ih_l{layer}")
                nn.init.constant_(bias[architecture.hidden : 2 * architecture.hidden], 1.0)

    @property
    def output_weight(self) -> Tensor:
        """Weights (outputs, embedding) of the softmax: the embeddings of the ids that are predicted."""
        return self.embedding.output_weight

    def forward(self, ids: Tensor, state: DecoderState | None = None) -> tuple[Tensor, DecoderState]:
        """Return the features (T, B, embedding) of ids (T, B), and the state after the last.

        `logits` turns features into scores: a separate step, because only some positions need it.
        """
        state = self.initial_state(ids.shape[1]) if state is None else state
        embedded, trie = self._embedded(ids, state)
        layers = self.architecture.layers
        if self.architecture.cell == "lstm":
            out, (hidden, cell) = self.recurrent(embedded, (state.hidden[:layers], state.cell[:layers]))
        else:
            out, hidden = self.recurrent(embedded, state.hidden[:layers])
            cell = state.cell[:0]
        if self.attention is not None and self.writer is not None:
            out, state = self.attention(out, ids == self.architecture.outputs, state)
            written, (last_hidden, last_cell) = self.writer(self._drop(out), (state.hidden[layers:], state.cell[-1:]))
            out, hidden, cell = out + written, torch.cat([hidden, last_hidden]), torch.cat([cell, last_cell])
        return self.projection(self._drop(out)).float(), state._replace(hidden=hidden.float(), cell=cell.float(), trie=trie)

    def initial_state(self, batch: int) -> DecoderState:
        """Return the state of `batch` sequences before their first id."""
        sizes = self.architecture
        writers = int(self.writer is not None)
        nothing = self.bias.new_zeros(0, batch, sizes.attention)
        hidden = self.bias.new_zeros(sizes.layers + writers, batch, sizes.hidden)
        trie = torch.zeros((3, batch), dtype=torch.int64, device=hidden.device)
        return DecoderState(
            hidden,
            hidden if sizes.cell == "lstm" else hidden[:writers],
            trie if self.phrases is None else self.phrases.initial_state(batch),
            nothing,
            nothing,
            torch.zeros((0, batch), dtype=torch.bool, device=hidden.device),
        )

    def step(self, ids: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Return what `forward` returns, without dropout, for one id per sequence: ids (B,), features (B, embedding).

        For single tokens `nn.LSTM` is two to three times as slow, as it rearranges its weights at each call.
        """
        if isinstance(self.recurrent, QuantizedLSTM):
            features, state = self(ids[None], state)
            return features[0], state
        embedded, trie = self._embedded(ids[None], state)
        x, hidden, cells = embedded[0], [], []
        for layer, weights in enumerate(self.recurrent.all_weights):
            before = state.hidden[layer]
            if isinstance(self.recurrent, nn.LSTM):
                x, cell = _lstm_step(x, before, state.cell[layer], *weights)
                cells.append(cell)
            elif isinstance(self.recurrent, nn.GRU):
                x = torch.gru_cell(x, before, *weights)
            else:
                x = torch.rnn_tanh_cell(x, before, *weights)
            hidden.append(x)
        if self.attention is not None and isinstance(self.writer, nn.LSTM):
            (x,), state = self.attention(x[None], (ids == self.architecture.outputs)[None], state)
            written, cell = _lstm_step(x, state.hidden[-1], state.cell[-1], *self.writer.all_weights[0])
            x = x + written
            hidden.append(written)
            cells.append(cell)
        after = state._replace(hidden=torch.stack(hidden), cell=torch.stack(cells) if cells else state.cell, trie=trie)
        return self.projection(x), after

    def quantize(self, vocab_limit: int) -> None:
        """Replace the matrices by 8-bit ones, if the model is an LSTM and the machine supports it.

        `logits` is then quick with this `vocab_limit` and without one. The model, and others that share its tables, cannot be
        trained afterwards.
        """
        if isinstance(self.recurrent, nn.LSTM) and isinstance(self.projection, nn.Linear) and is_supported():
            self.recurrent = QuantizedLSTM(self.recurrent)
            if self.attention is not None and isinstance(self.writer, nn.LSTM):
                self.writer = QuantizedLSTM(self.writer)
                for name in ("read", "write"):
                    setattr(self.attention, name, QuantizedLinear(getattr(self.attention, name).weight))
            self.projection = QuantizedLinear(self.projection.weight, self.projection.bias)
            self.embedding.quantize(vocab_limit)
            if self.message_encoder is not None:
                self.message_encoder.quantize()

    def set_speaker(self, speaker: int, embedding: Tensor) -> None:
        """Set the embedding of a speaker's id beside the table, which may be shared."""
        self.speaker, self.speaker_embedding = speaker, embedding

    def add_cache(self, size: int) -> None:
        """Add an untrained neural cache with keys of size `size`."""
        self.architecture = replace(self.architecture, cache=size)
        self.cache = NeuralCache(self.architecture.embedding, size)

    def add_selector(self, size: int) -> None:
        """Add an untrained response selector with encodings of size `size`."""
        self.architecture = replace(self.architecture, selector=size)
        self.selector = ResponseSelector(self.architecture.inputs, self.architecture.embedding, size)

    def add_message_encoder(self, words: int, size: int) -> None:
        """Add an untrained message encoder, with encodings of size `size`, of `words` words."""
        self.architecture = replace(self.architecture, messages=size, word_vectors=words)
        self.message_encoder = MessageEncoder(words, size)

    def bags(self, texts: Sequence[Tensor]) -> Bags:
        """Return texts, each given as its ids (N,), as bags of words."""
        ids = torch.cat(list(texts))
        starts = torch.tensor([0, *accumulate(len(one) for one in texts[:-1])])
        return Bags(ids, starts, nn.functional.normalize(self.embedding(ids), dim=1))

    def keys(self, features: Tensor, ids: Tensor) -> Tensor:
        """Return the cache's keys (..., size) of ids (...), given the features before them (..., embedding)."""
        assert self.cache is not None
        keys: Tensor = self.cache.keys(features, self.embedding(ids) * self.architecture.embedding**0.5)
        return keys

    def _embedded(self, ids: Tensor, state: DecoderState) -> tuple[Tensor, Tensor]:
        """Return the recurrent layers' inputs (T, B, embedding) for ids (T, B), and the NgramEmbedding's state after the last."""
        embedded, trie = self.embedding(ids), state.trie
        if self.speaker is not None:
            embedded = self.speaker_embedding.where((ids == self.speaker)[..., None], embedded)
        if self.phrases is not None:
            found, trie = self.phrases(ids, trie)
            embedded = embedded + found
        return self._drop(embedded * self.architecture.embedding**0.5), trie

    def logits(self, features: Tensor, vocab_limit: int | None = None) -> Tensor:
        """Return the logits (..., outputs) for features (..., embedding), or only those of the first `vocab_limit` ids."""
        features, bias = self._scale_logits(features, self.bias[:vocab_limit])
        # The table may be shared with models that are quantised.
        softmax = self.embedding.softmax(vocab_limit) if isinstance(self.projection, QuantizedLinear) else None
        if softmax is not None:
            scores: Tensor = softmax(features)
            return scores.add_(bias)
        weight = self.output_weight[:vocab_limit]
        if features.ndim == 2 and len(features) <= _FEW:
            return torch.addmm(bias[:, None], weight, features.t()).t().contiguous()
        return nn.functional.linear(features, weight, bias)

    def entry_nll(self, features: Tensor, ids: Tensor, mass: Tensor, vocab_limit: int | None = None) -> Tensor:
        """Return -ln p (B, T, M) of ids (B, M) at each of T positions, by the model without its cache and without gradients.

        `features` (B, T, embedding) are the model's there, `mass` (B, T) is the logsumexp of all scores. Ids that are not
        among the first `vocab_limit` (if it is given) get infinity.
        """
        with torch.no_grad():
            some, which = torch.unique(ids.clamp(min=0), return_inverse=True)
            features, bias = self._scale_logits(features, self.bias[some])
            scores = nn.functional.linear(features, self.embedding(some), bias)
            nats = mass[..., None] - scores.gather(2, which[:, None].expand(-1, features.shape[1], -1))
            return nats if vocab_limit is None else nats.where(ids[:, None] < vocab_limit, torch.inf)

    def mixed_nll(
        self, nats: Tensor, query: CacheQuery, targets: Tensor, group: Tensor | None = None, vocab_limit: int | None = None
    ) -> Tensor:
        """Return -ln p (1, B, T) of targets (B, T) by the model and its cache.

        `nats` (3, B, T) is what `token_nll` returns for the same targets, group and limit. If `group` (V,) marks ids, the second
        row of (2, B, T) is -ln p of any of them.
        """
        assert self.cache is not None
        *alone, likeliest, mass = nats
        ids = query.entries.ids
        mixture: CacheDistribution = self.cache(*query, self.entry_nll(query.features, ids, mass, vocab_limit), likeliest)
        chosen = [target_mask(ids, targets)] + ([] if group is None else [group[ids][:, None]])
        return torch.stack([mixture.mixture_nll(own, marks) for own, marks in zip(alone, chosen, strict=True)])

    def mixed_probs(self, scores: Tensor, query: CacheQuery | None) -> Tensor:
        """Turn logits (B, T, V), in place, into probabilities by the model and its cache; by the model alone without a query.

        Each is at least MIN_PROB, so that any id can be sampled.
        """
        probs, sums = shifted_exp_(scores)
        if query is None:
            return probs.div_(sums[..., None]).clamp_(min=MIN_PROB)
        assert self.cache is not None
        ids = query.entries.ids[:, None].expand_as(query.visible)
        known, likeliest = (ids >= 0) & (ids < probs.shape[2]), sums.log()
        logs = probs.gather(2, ids.where(known, 0)).log_().where(known, -torch.inf)
        mixture: CacheDistribution = self.cache(*query, likeliest[..., None] - logs, likeliest)
        probs.mul_((mixture.log_model_weight.exp() / sums)[..., None])
        return probs.add_(mixture.to_vocab(probs.shape[2])).clamp_(min=MIN_PROB)

    def _scale_logits(self, features: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Return features and bias, scaled by the cache's `logit_scale` if there is a cache."""
        return (features, bias) if self.cache is None else (features * self.cache.logit_scale, bias * self.cache.logit_scale)

    def _drop(self, x: Tensor) -> Tensor:
        if not self.training or self.dropout == 0:
            return x
        keep = 1 - self.dropout
        return x * (x.new_empty((1, *x.shape[1:])).bernoulli_(keep) / keep)


def _lstm_step(
    x: Tensor, hidden: Tensor, cell: Tensor, of_x: Tensor, of_hidden: Tensor, bias: Tensor, more_bias: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the hidden and cell state (B, hidden) after x (B, inputs). For why it computes in columns see _FEW."""
    gates = torch.mm(of_x, x.t()).addmm_(of_hidden, hidden.t()).add_((bias + more_bias)[:, None])
    into, forget, new, out = gates.chunk(4)
    cell = forget.sigmoid_() * cell.t() + into.sigmoid_() * new.tanh_()
    return (out.sigmoid_() * cell.tanh()).t(), cell.t()


class _LinearCrossEntropy(torch.autograd.Function):
    """Mean cross-entropy of linear scores, computed and differentiated in slices of SLICE rows.

    The scores of a window over a word vocabulary are far larger than the CPU's caches; slices made training steps 1.5 times
    faster on two cores.
    """

    SLICE = 256

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, products: torch.dtype) -> Tensor:
        read, rows = features.to(products), weight.to(products)
        grad_features, grad_bias = torch.empty_like(features), torch.zeros_like(bias)
        grad_weight = torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        total = features.new_zeros(())
        for start in range(0, len(features), _LinearCrossEntropy.SLICE):
            part = slice(start, start + _LinearCrossEntropy.SLICE)
            wanted = targets[part, None]
            shares = torch.softmax(torch.mm(read[part], rows.t()) + bias, 1)
            total -= shares.gather(1, wanted).clamp_(min=MIN_PROB).log_().sum()
            shares.scatter_add_(1, wanted, shares.new_full(wanted.shape, -1.0))
            grad_bias += shares.sum(0)
            errors = shares.to(products)
            grad_features[part] = torch.mm(errors, rows)
            if grad_weight is not None:
                grad_weight += torch.mm(errors.t(), read[part])
        ctx.save_for_backward(grad_features, grad_weight, grad_bias)
        return total / len(features)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        share = grads[0] / len(ctx.saved_tensors[0])
        return *(saved if saved is None else share * saved for saved in ctx.saved_tensors), None, None


def linear_cross_entropy(
    features: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, products: torch.dtype = torch.float32
) -> Tensor:
    """Return the mean -ln p, in nats, of targets (N,) under softmax(features (N, E) @ weight.T (E, V) + bias (V,)).

    Matrix products are computed in the dtype `products`, and rounded to it; the rest is float32.
    """
    loss: Tensor = _LinearCrossEntropy.apply(features, weight, bias, targets, products)  # type: ignore[no-untyped-call]
    return loss


def shifted_exp_(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Replace scores (..., V) by exp(scores - row maximum); return them and the row sums (...)."""
    found = scores.sub_(scores.amax(-1, keepdim=True)).exp_()
    return found, found.sum(-1)


def token_nll(
    model: LanguageModel, features: Tensor, targets: Tensor, group: Tensor | None = None, vocab_limit: int | None = None
) -> Tensor:
    """Return -ln p of each target (N,), given its features (N, E), by the model without its cache and without gradients.

    The first row of the result (3, N) is -ln p of the target. If `group` (V,) marks ids, another row follows: -ln p of any of
    them. The last two rows are for the cache: -ln p of the likeliest id, and the logsumexp of all scores. Only the first
    `vocab_limit` ids (if it is given) are possible.
    """
    with torch.no_grad():
        found = torch.zeros(3 if group is None else 4, len(targets))
        for start in range(0, len(targets), _LinearCrossEntropy.SLICE):
            part = slice(start, start + _LinearCrossEntropy.SLICE)
            scores = model.logits(features[part], vocab_limit)
            found[0, part], found[-2, part] = -scores.gather(1, targets[part, None])[:, 0], -scores.amax(1)
            if group is not None:
                found[1, part] = -scores[:, group].logsumexp(1)
            found[:, part] += shifted_exp_(scores)[1].log_() - found[-2, part]
        return found
