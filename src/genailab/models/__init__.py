"""Supervised models of sequences and expression, each in one file that reads from top to bottom.

Names load when they are first used, so that importing this package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genailab.models.deepbind import DeepBind, DeepBindConfig
    from genailab.models.domain_adaptation import DomainAdversarial, DomainAdversarialConfig, coral
    from genailab.models.gru_attention import GRUAttention, GRUAttentionConfig
    from genailab.models.histone_regressor import HistoneRegressor, HistoneRegressorConfig
    from genailab.models.kmer_transformer import KmerTransformer, KmerTransformerConfig, hide_tokens
    from genailab.models.motif_cnn import MotifCNN, MotifCNNConfig
    from genailab.models.multispecies import MultiSpecies, MultiSpeciesConfig
    from genailab.models.multitask import MultiTask, MultiTaskConfig
    from genailab.models.pair_attention import PairAttention, PairAttentionConfig
    from genailab.models.promoter_mlp import PromoterMLP, PromoterMLPConfig
    from genailab.models.secondary_structure import SecondaryStructureBiLSTM, SecondaryStructureConfig
    from genailab.models.sequence_lstm import SequenceLSTM, SequenceLSTMConfig
    from genailab.models.splice_cnn import SpliceCNN, SpliceCNNConfig
    from genailab.models.spliceai import SpliceAI, SpliceAIConfig, load_spliceai, splice_probabilities

__all__ = [
    "DeepBind",
    "DeepBindConfig",
    "DomainAdversarial",
    "DomainAdversarialConfig",
    "GRUAttention",
    "GRUAttentionConfig",
    "HistoneRegressor",
    "HistoneRegressorConfig",
    "KmerTransformer",
    "KmerTransformerConfig",
    "MotifCNN",
    "MotifCNNConfig",
    "MultiSpecies",
    "MultiSpeciesConfig",
    "MultiTask",
    "MultiTaskConfig",
    "PairAttention",
    "PairAttentionConfig",
    "PromoterMLP",
    "PromoterMLPConfig",
    "SecondaryStructureBiLSTM",
    "SecondaryStructureConfig",
    "SequenceLSTM",
    "SequenceLSTMConfig",
    "SpliceAI",
    "SpliceAIConfig",
    "SpliceCNN",
    "SpliceCNNConfig",
    "coral",
    "hide_tokens",
    "load_spliceai",
    "splice_probabilities",
]

_MODULE_OF = {
    "DeepBind": "deepbind",
    "DeepBindConfig": "deepbind",
    "DomainAdversarial": "domain_adaptation",
    "DomainAdversarialConfig": "domain_adaptation",
    "GRUAttention": "gru_attention",
    "GRUAttentionConfig": "gru_attention",
    "HistoneRegressor": "histone_regressor",
    "HistoneRegressorConfig": "histone_regressor",
    "KmerTransformer": "kmer_transformer",
    "KmerTransformerConfig": "kmer_transformer",
    "MotifCNN": "motif_cnn",
    "MotifCNNConfig": "motif_cnn",
    "MultiSpecies": "multispecies",
    "MultiSpeciesConfig": "multispecies",
    "MultiTask": "multitask",
    "MultiTaskConfig": "multitask",
    "PairAttention": "pair_attention",
    "PairAttentionConfig": "pair_attention",
    "PromoterMLP": "promoter_mlp",
    "PromoterMLPConfig": "promoter_mlp",
    "SecondaryStructureBiLSTM": "secondary_structure",
    "SecondaryStructureConfig": "secondary_structure",
    "SequenceLSTM": "sequence_lstm",
    "SequenceLSTMConfig": "sequence_lstm",
    "SpliceAI": "spliceai",
    "SpliceAIConfig": "spliceai",
    "SpliceCNN": "splice_cnn",
    "SpliceCNNConfig": "splice_cnn",
    "coral": "domain_adaptation",
    "hide_tokens": "kmer_transformer",
    "load_spliceai": "spliceai",
    "splice_probabilities": "spliceai",
}


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"genailab.models.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'genailab.models' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
