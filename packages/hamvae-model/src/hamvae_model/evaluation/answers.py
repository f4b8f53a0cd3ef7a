"""What a judge's answers say about samples whose class is known: right or wrong, sure or unsure, diverse or not."""

import math

import torch
from torch import Tensor


def answers(log_probabilities: Tensor, labels: Tensor) -> dict[str, float]:
    """Accuracy and entropies, in nats, of log p(y | x) for n samples x: (n, classes) and (n,).

    Returns:
        accuracy: share of samples for which the wanted class is the likeliest.
        entropy_given_x: H(y|x), the mean over samples of the entropy of p(y | x): small if each shows one class.
        entropy: H(y), the entropy of the mean of p(y | x): at most ln(classes), reached if all show up alike.
        inception_score: exp(H(y) − H(y|x)), as in Salimans et al. (2016); at most the number of classes.
    """
    log_p = log_probabilities.cpu().double()
    given, marginal = _entropy(log_p).mean(), _entropy(log_p.logsumexp(0) - math.log(len(log_p)))
    return {
        "accuracy": float((log_p.argmax(1) == labels.cpu()).double().mean()),
        "entropy_given_x": float(given),
        "entropy": float(marginal),
        "inception_score": float((marginal - given).exp()),
    }


def _entropy(log_p: Tensor) -> Tensor:
    entropy: Tensor = torch.special.entr(log_p.exp()).sum(-1)
    return entropy
