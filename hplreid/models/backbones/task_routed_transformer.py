"""Task-Routed Transformer: one class token for T2I, one for I2I (HPL, Eq. 1)."""

import torch
from torch import Tensor, nn

from hplreid.registry import BACKBONES
from hplreid.utils.log import log

from .clip_image_encoder import CLIPImageEncoder
from .weights import WeightsError, read_weights

_INITS = ('noisy_copy', 'copy', 'random')
_POSITIONS = ('copy', 'zeros', 'random')
_ISOLATES = ('none', 'always', 'construct')
_PROJECTIONS = ('shared', 'separate')


def _check(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name}='{value}': expected one of {allowed}.")


@BACKBONES.register_module()
class TaskRoutedTransformer(CLIPImageEncoder):
    """E_v that gives Z_v = [v, u, p_1 .. p_N].

    CLIP's class token becomes ``v``, read by the T2I losses; an added one, ``u``, is
    read by the I2I losses. Everything else is shared, and routing is by loss alone.

    Args:
        arch: See :class:`CLIPImageEncoder`, also for the arguments not listed here.
        pretrained: See there. Where the weights have a u of their own, those of a
            trained HPL do, it is taken in the place of what the next two say.
        i2i_init: Start of u's embedding: CLIP's class embedding plus N(0, 0.02) noise
            (``'noisy_copy'``), the same without noise (``'copy'``: u equals v until the
            losses part them), or N(0, 1/width) (``'random'``).
        i2i_position: Start of u's position: ``'copy'`` of the class token's,
            ``'zeros'`` or ``'random'``.
        isolate: Where no other token attends to u, so that v is exactly the v of a CLIP
            with one class token: ``'none'`` (the paper simply appends u), ``'always'``,
            or ``'construct'`` (stage I, whose frozen v the prompts are fitted to).
        i2i_projection: ``'shared'`` final norm and projection, or ``'separate'`` ones
            for u that start as copies.
        checkpoint_blocks: See :class:`Tower`.
        compiled: See :class:`Tower`.

    Raises:
        ValueError: An option has none of the values above.
    """

    class_names = ('v', 'u')

    def __init__(
        self,
        arch: str,
        pretrained: str | None = None,
        img_size: tuple[int, int] = (384, 128),
        stride: int | None = None,
        pretrained_grid: tuple[int, int] | None = None,
        i2i_init: str = 'noisy_copy',
        i2i_position: str = 'copy',
        isolate: str = 'none',
        i2i_projection: str = 'shared',
        checkpoint_blocks: bool = False,
        compiled: bool = False,
    ) -> None:
        _check('i2i_init', i2i_init, _INITS)
        _check('i2i_position', i2i_position, _POSITIONS)
        _check('isolate', isolate, _ISOLATES)
        _check('i2i_projection', i2i_projection, _PROJECTIONS)
        super().__init__(
            arch,
            pretrained,
            img_size,
            stride,
            pretrained_grid,
            checkpoint_blocks=checkpoint_blocks,
            compiled=compiled,
        )
        self.isolate = isolate
        self.isolating = isolate == 'always'
        scale = self.width**-0.5
        token = self.visual.class_embedding.detach().clone()
        if i2i_init == 'noisy_copy':
            token += 0.02 * torch.randn(self.width)
        elif i2i_init == 'random':
            token = scale * torch.randn(self.width)
        position = self.visual.positional_embedding[0].detach().clone()
        if i2i_position == 'zeros':
            position = torch.zeros(self.width)
        elif i2i_position == 'random':
            position = scale * torch.randn(self.width)
        self.i2i_embedding = nn.Parameter(token)
        self.i2i_position = nn.Parameter(position)
        self.i2i_ln_post: nn.LayerNorm | None = None
        if i2i_projection == 'separate':
            self.i2i_ln_post = nn.LayerNorm(self.width)
            self.i2i_ln_post.load_state_dict(self.visual.ln_post.state_dict())
            self.i2i_proj = nn.Parameter(self.visual.proj.detach().clone())
        if pretrained is not None:
            self._load_class_token(arch, pretrained)

    def _load_class_token(self, arch: str, pretrained: str) -> None:
        """Take u from weights that have one, as those of a trained HPL do."""
        path, state = read_weights(arch, pretrained)
        given = {k: v for k, v in state.items() if k.startswith('i2i_')}
        if not given:
            return
        own = {k: v for k, v in self.state_dict().items() if k.startswith('i2i_')}
        if own.keys() != given.keys():
            raise WeightsError(
                f"{path} has a class token u with {sorted(given)}, and this tower's "
                f"has {sorted(own)}: set i2i_projection='"
                f"{'separate' if len(given) > len(own) else 'shared'}'."
            )
        self.load_state_dict(given, strict=False)
        log(f'{type(self).__name__}: took the class token u from {path}')

    def enter_stage(self, name: str) -> None:
        """Switch the isolating mask as stage ``name`` wants it."""
        self.isolating = self.isolate in ('always', name)

    def class_tokens(self) -> tuple[Tensor, Tensor]:
        """Return embeddings and positions of v and u, ``(2, width)`` each."""
        visual = self.visual
        return (
            torch.stack([visual.class_embedding, self.i2i_embedding]),
            torch.stack([visual.positional_embedding[0], self.i2i_position]),
        )

    def attention_mask(self, num_tokens: int) -> Tensor | None:
        """Return the mask under which u reads every token and only u reads u."""
        if not self.isolating:
            return None
        places = torch.arange(num_tokens, device=self.i2i_embedding.device)
        return (places != 1) | (places == 1).unsqueeze(1)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Project all tokens; u by its own norm and projection where it has them."""
        hidden, tokens = super().project(x)
        if self.i2i_ln_post is None:
            return hidden, tokens
        u = self.i2i_ln_post(x[:, 1:2])
        hidden = torch.cat([hidden[:, :1], u, hidden[:, 2:]], dim=1)
        tokens = torch.cat([tokens[:, :1], u @ self.i2i_proj, tokens[:, 2:]], dim=1)
        return hidden, tokens
