"""The configs that are measured and checked on a GPU, one of each method."""

from dataclasses import dataclass
from typing import Any

from mmengine.config import Config

from ..config import read_config
from ..loops import Stage, parse_stages


@dataclass(frozen=True)
class Method:
    """A method's config in the paper's size, and a tiny one.

    Attributes:
        config: The config, without folder and ending: a ViT-B/16 or ResNet-50.
        tiny: The same of the tiny one.
        num_ids: Identities of the paper's training set.
        timed: Names of the stages whose throughput is measured.
    """

    config: str
    tiny: str
    num_ids: int
    timed: tuple[str, ...] = ()

    def read(self, small: bool, options: dict[str, Any] | None = None) -> Config:
        """Read one of the configs, without drop path: it has other random numbers."""
        config = read_config(f'configs/{self.tiny if small else self.config}.py')
        config.merge_from_dict(options or {})
        if config.model.image_encoder.type == 'TransReIDEncoder':
            config.model.image_encoder.drop_path = 0.0
        return config


METHODS = dict(
    hpl=Method(
        'hpl/hpl_vitb16_joint',
        'hpl/hpl_tiny_synthpeds',
        11754,
        ('construct', 'align'),
    ),
    irra=Method(
        'irra/irra_vitb16_cuhk-pedes', 'irra/irra_tiny_synthpeds', 11003, ('align',)
    ),
    clip_reid=Method(
        'clip_reid/clip-reid_vitb16_market1501',
        'clip_reid/clip-reid_tiny_synthpeds',
        751,
        ('prompt', 'encoder'),
    ),
    promptsg=Method(
        'promptsg/promptsg_vitb16_market1501',
        'promptsg/promptsg_tiny_synthpeds',
        751,
        ('align',),
    ),
    propot=Method(
        'propot/propot_vitb16_cuhk-pedes', 'propot/propot_tiny_synthpeds', 11003
    ),
    transreid=Method(
        'transreid/transreid_vitb16_market1501',
        'transreid/transreid_tiny_synthpeds',
        751,
    ),
    clip=Method(
        'clip/clip_vitb16_cuhk-pedes_sdm-id',
        'clip/clip_tiny_synthpeds-t2i_sdm-id',
        11003,
    ),
    bot=Method('bot/bot_resnet50_market1501', 'bot/bot_tiny_synthpeds', 751),
)


def stages_of(config: Config) -> list[Stage]:
    """Return the stages of a config."""
    return parse_stages(
        config.train_cfg.stages,
        dict(config.optim_wrapper),
        config.train_dataloader.to_dict(),
    )
