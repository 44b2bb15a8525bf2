"""The report as text."""

from hplreid.datasets.doctor.finding import Finding, make_findings
from hplreid.datasets.doctor.report import Report, summarize


def test_text_of_findings():
    faults = [f'fault {i}' for i in range(7)]
    many = make_findings('warning', 'odd', 'here', faults, 'All wrong', 'Mend it.')
    assert make_findings('warning', 'odd', 'here', [], 'All wrong', 'Mend it.') == []
    listed = Finding('error', 'worse', 'there', 1, 'Wrong: a.\nExpected b.', ('a',))
    text = Report('me', [listed, *many], [], [], 3).to_text()
    assert text == (
        'me: 3 image files decoded\n\n'
        '1. ERROR: worse, 1 in there\n   Wrong: a.\n   Expected b.\n\n'
        '2. WARNING: odd, 7 in here\n   All wrong\n     fault 0\n     fault 1\n'
        '     fault 2\n     fault 3\n     fault 4\n     and 2 more\n   Mend it.\n\n'
        'Not healthy: 1 error, 1 warning.\n'
    )
    assert Report('me', many, [], [], 3).healthy
    assert summarize(many) == 'Healthy with warnings: 0 errors, 1 warning.'
