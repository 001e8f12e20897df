"""Sequences as tokens of k letters, for transformers such as DNABERT (Ji et al. 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from genailab.data.sequences.alphabet import ALPHABETS, Alphabet
from genailab.data.sequences.encoding import decode, encode
from genailab.data.sequences.kmers import kmer_names, kmers
from genailab.data.sequences.padding import position_mask
from genailab.data.sequences.windows import windows
from genailab.errors import InputError, nearest

__all__ = ["KmerTokenizer"]


@dataclass(frozen=True, kw_only=True)
class KmerTokenizer:
    """Words of ``k`` letters as token numbers, after four tokens that are no words.

    Token 0 fills short rows up, 1 hides a word in masked training, 2 opens a sequence, 3 is a word with
    unknown letters; ``kmers`` number ``i`` is token ``4 + i``.

    Parameters
    ----------
    k
        Letters in a word.
    stride
        Letters from one word to the next: 1 overlaps as much as can be, ``k`` not at all. Letters after the
        last whole word have no token.
    open_with_cls
        Begin each sequence with the token ``[CLS]``.
    alphabet
        Name of the alphabet.

    Raises
    ------
    InputError
        If ``k`` or ``stride`` is below 1, ``stride`` is above ``k`` or the alphabet is not known.

    Examples
    --------
    >>> tokenizer = KmerTokenizer(k=3, stride=3)
    >>> tokens, mask = tokenizer.encode(["AAAAAC", "AAG"])
    >>> tokens.tolist(), mask.tolist()
    ([[4, 5], [6, 0]], [[True, True], [True, False]])
    >>> tokenizer.decode(tokens)
    ['AAAAAC', 'AAG']
    """

    k: int = 6
    stride: int = 1
    open_with_cls: bool = False
    alphabet: str = "DNA"

    pad: ClassVar[int] = 0
    mask: ClassVar[int] = 1
    cls: ClassVar[int] = 2
    unknown: ClassVar[int] = 3
    special: ClassVar[tuple[str, ...]] = ("[PAD]", "[MASK]", "[CLS]", "[UNK]")

    def __post_init__(self) -> None:
        if self.alphabet not in ALPHABETS:
            raise InputError(f"alphabet {self.alphabet!r} is not known: {nearest(self.alphabet, ALPHABETS)}")
        if not 1 <= self.stride <= self.k:
            raise InputError(
                f"stride must be between 1 and k={self.k}, got {self.stride}: a longer one would skip letters"
            )

    @property
    def letters(self) -> Alphabet:
        """The alphabet that the words are written in."""
        return ALPHABETS[self.alphabet]

    @property
    def n_tokens(self) -> int:
        """Number of tokens, the special ones included: the rows of an embedding."""
        return len(self.special) + self.letters.size**self.k

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """What each token stands for, in order."""
        return (*self.special, *kmer_names(self.k, alphabet=self.letters))

    def encode(
        self, sequences: Sequence[str] | Tensor, *, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Turn sequences into tokens.

        Parameters
        ----------
        sequences
            Texts, or codes ``(batch, length)``.
        lengths
            Letters of each row of codes, long ``(batch,)``; by default all of them.

        Returns
        -------
        Tokens long ``(batch, tokens)`` and a mask, bool ``(batch, tokens)``, that is True where there is one.
        """
        if not isinstance(sequences, Tensor):
            texts = [sequences] if isinstance(sequences, str) else list(sequences)
            sequences, lengths = (
                encode(texts, alphabet=self.letters),
                torch.tensor([len(text) for text in texts]),
            )
        numbers = kmers(sequences, self.k, alphabet=self.letters)[..., :: self.stride]  # (batch, words)
        tokens = (numbers + len(self.special)).where(numbers < self.letters.size**self.k, self.unknown)
        n_words = self._n_words(sequences, lengths)  # (batch,)
        mask = position_mask(n_words, tokens.shape[1])  # (batch, words)
        tokens = tokens.where(mask, self.pad)
        if self.open_with_cls:
            tokens = torch.cat([torch.full_like(tokens[:, :1], self.cls), tokens], dim=1)
            mask = torch.cat([torch.ones_like(mask[:, :1]), mask], dim=1)
        return tokens, mask

    def decode(self, tokens: Tensor) -> list[str]:
        """Write tokens as letters, N where no token tells.

        The inverse of `encode`, but for letters after the last whole word and for words with unknown letters.
        """
        if self.open_with_cls:
            tokens = tokens[:, 1:]
        size, batch = self.letters.size, len(tokens)
        n_words = (tokens != self.pad).sum(dim=1)  # (batch,)
        length = self.k + self.stride * (tokens.shape[1] - 1)
        codes = torch.full((batch, length), size, dtype=torch.uint8, device=tokens.device)
        is_word = tokens >= len(self.special)
        numbers = tokens - len(self.special)
        for offset in range(self.k):
            letter = numbers // size ** (self.k - 1 - offset) % size  # (batch, words)
            place = windows(codes, self.k, stride=self.stride)[..., offset]  # a view into codes
            place[is_word] = letter[is_word].to(torch.uint8)
        ends = (self.k + self.stride * (n_words - 1)).where(n_words > 0, 0).tolist()
        texts = decode(codes, alphabet=self.letters)
        return [text[:end] for text, end in zip(texts, ends, strict=True)]

    def _n_words(self, codes: Tensor, lengths: Tensor | None) -> Tensor:
        if lengths is None:
            lengths = torch.full((len(codes),), codes.shape[1])
        lengths = lengths.to(codes.device)
        return ((lengths - self.k) // self.stride + 1).clamp(min=0)
