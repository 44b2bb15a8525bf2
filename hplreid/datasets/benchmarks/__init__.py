"""The seven public benchmarks, one file each, and the two annotation forms they use.

Own data lives in ``own_data``, two benchmarks trained on together in ``joint``; nothing
here samples, augments or decodes.
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
