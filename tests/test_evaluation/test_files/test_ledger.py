"""The ledger is only appended to, by any number of processes, and survives a crash."""

import json
import multiprocessing

from hplreid.evaluation.files import append_entry, read_ledger


def append_many(path, writer):
    for number in range(20):
        append_entry(path, dict(writer=writer, number=number, filling='x' * 5000))


def test_several_processes_append_whole_lines(tmp_path):
    path = tmp_path / 'results.jsonl'
    spawned = multiprocessing.get_context('fork')
    writers = [spawned.Process(target=append_many, args=(path, w)) for w in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    entries, damaged = read_ledger(path)
    assert damaged == []
    for writer in range(4):
        numbers = [e['number'] for e in entries if e['writer'] == writer]
        assert numbers == list(range(20))


def test_what_is_there_is_never_changed(tmp_path):
    path = tmp_path / 'new' / 'results.jsonl'
    append_entry(path, dict(folder='a', words='größer\n'))
    first = path.read_bytes()
    append_entry(path, dict(folder='b'))
    assert path.read_bytes().startswith(first)
    entries, _ = read_ledger(path)
    assert [e['folder'] for e in entries] == ['a', 'b']
    assert entries[0]['words'] == 'größer\n'


def test_a_line_that_a_crash_cut_costs_no_other(tmp_path):
    path = tmp_path / 'results.jsonl'
    append_entry(path, dict(folder='a'))
    with open(path, 'ab') as file:
        file.write(json.dumps(dict(folder='b')).encode()[:-4])
    append_entry(path, dict(folder='c'))
    entries, damaged = read_ledger(path)
    assert [e['folder'] for e in entries] == ['a', 'c']
    assert damaged == [2]


def test_without_a_ledger_there_are_no_entries(tmp_path):
    assert read_ledger(tmp_path / 'none.jsonl') == ([], [])
