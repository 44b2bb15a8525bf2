"""HPL's contrast of images with identity prompts, as the paper writes it.

Training uses :func:`.supcon_loss`. Because the prompt of a row depends on the row's
identity alone, both are equal: averaging an anchor's positives and then the anchors
of an identity counts each of its images once, as the equations do. The literal forms
stand here to be compared with it.
"""

import torch
from torch import Tensor

from hplreid.utils.argument_checks import check_rows

from ..layers.full_precision import full_precision
from .similarity import similarity_logits


@full_precision
def prompt_to_image_loss(
    image: Tensor, prompt: Tensor, similarity: str = 'cosine', tau: float = 1.0
) -> Tensor:
    """HPL Eq. 8: ``-mean_i log(exp s(v_i, r_yi) / sum_j exp s(v_j, r_yi))``.

    Args:
        image: v, ``(N, C)``.
        prompt: The prompt ``r_yi`` of each row's identity, ``(N, C)``.
        similarity: ``'cosine'`` (the paper) or ``'dot'``.
        tau: Temperature; the paper has none, which is 1.

    Returns:
        Scalar.

    Raises:
        ValueError: No such similarity, or the inputs have no rows or not equally many.

    Example:
        >>> import torch
        >>> from hplreid.models.losses import prompt_to_image_loss
        >>> pairs = torch.eye(2)
        >>> prompt_to_image_loss(pairs, pairs)  # ln(1 + 1/e)
        tensor(0.3133)
    """
    check_rows(image=image, prompt=prompt)
    logits = similarity_logits(image, prompt, similarity, tau)
    return -(logits.diagonal() - torch.logsumexp(logits, 0)).mean()


@full_precision
def image_to_prompt_loss(
    image: Tensor, prompt: Tensor, similarity: str = 'cosine', tau: float = 1.0
) -> Tensor:
    """HPL Eq. 9: ``-mean_i log(exp s(v_i, r_yi) / sum_j exp s(v_i, r_yj))``.

    Arguments, result and errors as for :func:`prompt_to_image_loss`.

    Example:
        >>> import torch
        >>> from hplreid.models.losses import image_to_prompt_loss
        >>> pairs = torch.eye(2)
        >>> image_to_prompt_loss(pairs, pairs)  # ln(1 + 1/e)
        tensor(0.3133)
    """
    check_rows(image=image, prompt=prompt)
    logits = similarity_logits(image, prompt, similarity, tau)
    return -(logits.diagonal() - torch.logsumexp(logits, 1)).mean()
