"""Train the head of instruments: logistic regressions, their calibration, and what is unlike the training pieces."""

import numpy as np

from bench.tags.instruments import EVERY_PROGRAM, ONLY_IN, TAGS, Rendered
from recsys.arrays import F32, F64, I64, Bool
from recsys.audio.embedding.instruments import InstrumentHead

STRENGTHS = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0)  # inverse of the regularisation
N_COMPONENTS, N_FOLDS = 64, 5
GATE_STRENGTH = 1e-3  # inverse regularisation of telling rendered from real
FAR_QUANTILE = 0.995  # of the distances of validation pieces
SEED, CERTAIN = 7, 8.0  # the latter a logit
UNSEEN_SHARE = len(ONLY_IN["validation"]) / len(EVERY_PROGRAM)  # of the pieces that probabilities are calibrated on


def logistic(points: F32, has_tag: F32, strength: float) -> tuple[F32, F32]:
    """Return weights, shape (n_inputs, n_tags), and bias, shape (n_tags,), of a logistic regression per tag."""
    fitted = [_fit(points, column > 0, strength) for column in has_tag.T]
    weights = np.stack([coefficients for coefficients, _ in fitted], axis=1)
    return weights.astype(np.float32), np.array([bias for _, bias in fitted], np.float32)


def _fit(points: F32 | F64, has_tag: Bool, strength: float) -> tuple[F64, float]:
    """Return coefficients and intercept of a logistic regression; if all pieces or none have the tag, it is certain."""
    from sklearn.linear_model import LogisticRegression

    if has_tag.all() or not has_tag.any():
        return np.zeros(points.shape[1]), CERTAIN if has_tag.all() else -CERTAIN
    model = LogisticRegression(C=strength, max_iter=1_000).fit(points, has_tag)
    return model.coef_[0], float(model.intercept_[0])


def precision(scores: F64 | F32, has_tag: F32) -> float:
    """Return the area under the precision-recall curve, mean over the tags that occur."""
    from sklearn.metrics import average_precision_score

    occurs = has_tag.any(axis=0)
    return float(average_precision_score(has_tag[:, occurs], scores[:, occurs], average="macro"))


def best_strength(train: F32, has_tag: F32, unseen: F32, unseen_has_tag: F32) -> float:
    """Return the inverse regularisation with the best macro PR-AUC on unseen pieces."""
    models = [logistic(train, has_tag, strength) for strength in STRENGTHS]
    scores = [precision(unseen @ weights, unseen_has_tag) for weights, _ in models]
    print("  macro PR-AUC by inverse regularisation: " + ", ".join(f"{score:.3f}" for score in scores))
    return STRENGTHS[int(np.argmax(scores))]


def cross_fit(points: F32, has_tag: F32, folds: I64, strength: float) -> F64:
    """Return the scores of each piece by a model that was trained on the other folds. Shape (n, n_tags)."""
    scores = np.zeros(has_tag.shape)
    for fold in range(N_FOLDS):
        weights, bias = logistic(points[folds != fold], has_tag[folds != fold], strength)
        scores[folds == fold] = points[folds == fold] @ weights + bias
    return scores


def calibrated(logits: F64, has_tag: F32) -> tuple[F64, F64]:
    """Return factor and shift of the logits of each tag by logistic regression (Platt). Shapes (n_tags,)."""
    fitted = [_fit(own[:, None], column > 0, 1e3) for own, column in zip(logits.T, has_tag.T, strict=True)]
    return np.array([factor[0] for factor, _ in fitted]), np.array([shift for _, shift in fitted])


def is_shown(logits: F64, has_tag: F32, is_fitted: Bool) -> Bool:
    """Print the calibration of each tag on the pieces that were not fitted, and return which tags are kept."""
    from scipy.special import expit

    from recsys.tags.calibration import tag_calibration

    factor, shift = calibrated(logits[is_fitted], has_tag[is_fitted])
    probability = expit(logits[~is_fitted] * factor + shift)
    rng, kept = np.random.default_rng(SEED), []
    for tag, own, truth in zip(TAGS, probability.T, has_tag[~is_fitted].T, strict=True):
        found = tag_calibration(own, truth, rng)
        print(f"  {tag:<18} {found.n_positives:>4} pieces, calibration error {found.ece:.3f}  {found.reason}")
        kept.append(found.is_shown)
    return np.array(kept)


def train(pieces: Rendered, unseen: Rendered, real: F32) -> InstrumentHead:
    """Return the head; `real` are inputs of real recordings, shape (n, 1506)."""
    mean, std = pieces.pooled.mean(axis=0), pieces.pooled.std(axis=0) + np.float32(1e-3)
    zscores, unseen_zscores = (((part.pooled - mean) / std).clip(-6, 6) for part in (pieces, unseen))
    strength = best_strength(zscores, pieces.has_tag, unseen_zscores, unseen.has_tag)
    held_out, has_tag, tunes = _held_out(pieces, unseen, zscores, unseen_zscores, strength)
    kept = is_shown(held_out, has_tag, tunes % 2 == 0)
    factor, shift = calibrated(held_out[:, kept], has_tag[:, kept])
    every = np.concatenate([zscores, unseen_zscores])
    weights, bias = logistic(every, np.concatenate([pieces.has_tag, unseen.has_tag])[:, kept], strength)
    rendered_weights, rendered_bias = rendered_or_real(every, ((real - mean) / std).clip(-6, 6))
    power, axes = np.linalg.eigh(every.T.astype(np.float64) @ every / len(every))
    leading = np.argsort(-power)[:N_COMPONENTS]
    head = InstrumentHead(
        tags=np.array(TAGS)[kept],
        mean=mean,
        std=std,
        weights=(weights * factor).astype(np.float32),
        bias=(bias * factor + shift).astype(np.float32),
        axes=(axes[:, leading] / np.sqrt(power[leading])).astype(np.float32),
        left_over=np.asarray((power.sum() - power[leading].sum()) / len(power), np.float32),
        farthest=np.asarray(np.inf, np.float32),
        rendered=rendered_weights,
        rendered_bias=rendered_bias,
    )
    farthest = np.asarray(np.quantile(head.distance(unseen.pooled), FAR_QUANTILE), np.float32)
    print(f"  distance of validation pieces: {FAR_QUANTILE:.1%} are below {farthest:.2f}")
    return InstrumentHead(**{**vars(head), "farthest": farthest})


def rendered_or_real(rendered_zscores: F32, real_zscores: F32) -> tuple[F32, F32]:
    """Return weights, shape (n_inputs,), and bias of a logistic regression that both classes weigh equally in."""
    from sklearn.linear_model import LogisticRegression

    points = np.concatenate([rendered_zscores, real_zscores])
    is_rendered = np.arange(len(points)) < len(rendered_zscores)
    model = LogisticRegression(C=GATE_STRENGTH, max_iter=1_000, class_weight="balanced").fit(points, is_rendered)
    return model.coef_[0].astype(np.float32), np.asarray(model.intercept_[0], np.float32)


def _held_out(
    pieces: Rendered, unseen: Rendered, zscores: F32, unseen_zscores: F32, strength: float
) -> tuple[F64, F32, I64]:
    """Return held-out scores of training and some validation pieces, their tags, and the numbers of their tunes."""
    folds = np.unique(pieces.tune, return_inverse=True)[1] % N_FOLDS
    of_training = cross_fit(zscores, pieces.has_tag, folds, strength)
    weights, bias = logistic(zscores, pieces.has_tag, strength)
    n = min(len(unseen.tune), round(len(folds) * UNSEEN_SHARE / (1 - UNSEEN_SHARE)))
    scores = np.concatenate([of_training, (unseen_zscores @ weights + bias)[:n]])
    has_tag = np.concatenate([pieces.has_tag, unseen.has_tag[:n]])
    return scores, has_tag, np.unique(np.concatenate([pieces.tune, unseen.tune[:n]]), return_inverse=True)[1]
