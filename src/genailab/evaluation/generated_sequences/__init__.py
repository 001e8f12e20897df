"""How good generated sequences are, beside held-out real ones, shuffled ones and Markov chains."""

from genailab.evaluation.generated_sequences.collection import SequenceCollection
from genailab.evaluation.generated_sequences.comparison import SequenceComparison
from genailab.evaluation.generated_sequences.options import SequenceOptions, SequencePredictors
from genailab.evaluation.generated_sequences.verdict import sequence_verdict

__all__ = [
    "SequenceCollection",
    "SequenceComparison",
    "SequenceOptions",
    "SequencePredictors",
    "sequence_verdict",
]
