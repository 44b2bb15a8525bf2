"""Tables of results, as papers print them: ours, and what others have published.

``rows`` reads scores of runs, ``published`` those of metafiles, ``comparability`` says
what keeps rows out of one table, ``layout`` writes Markdown, LaTeX and CSV.
"""

from .comparability import OtherProtocolError, find_protocol_differences
from .layout import FORMATS, format_results
from .published import find_published
from .rows import NoResultsError, ResultRow, Score, read_rows

__all__ = [
    'FORMATS',
    'NoResultsError',
    'OtherProtocolError',
    'ResultRow',
    'Score',
    'find_protocol_differences',
    'find_published',
    'format_results',
    'read_rows',
]
