"""The seven public benchmarks, one file each, and the annotation formats they share.

Datasets of your own live in ``own_data``, joint training on two benchmarks in
``joint``. Nothing here samples, augments or decodes.
"""

from .cuhk03_np import CUHK03NP
from .cuhk_pedes import CUHKPEDES
from .dukemtmc import DukeMTMCReID
from .icfg_pedes import ICFGPEDES
from .market1501 import Market1501
from .msmt17 import MSMT17
from .rstp_reid import RSTPReid

__all__ = [
    'CUHK03NP',
    'CUHKPEDES',
    'ICFGPEDES',
    'MSMT17',
    'DukeMTMCReID',
    'Market1501',
    'RSTPReid',
]
