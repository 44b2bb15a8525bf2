"""Attributes of queries from a table: which row is of which query."""

import pytest

from hplreid.evaluation.files import AttributeTableError, read_attributes

IMAGES = ['data/query/a.jpg', 'data/query/b.jpg', 'data/other/a.jpg']
CAPTIONS = ['A man, in red.', 'A woman.', 'A man, in red.', 'a.jpg or not']


@pytest.fixture
def table(tmp_path):
    def write(text, encoding='utf-8'):
        path = tmp_path / 'groups.csv'
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_a_row_is_of_the_query_with_the_same_end(table):
    path = table(
        'path,group,view\n/long/data/query/b.jpg,dark,side\nquery/a.jpg, light ,back\n'
        'train/z.jpg,none,front\n'
    )
    assert read_attributes(path, IMAGES) == {
        'group': ['light', 'dark', 'unknown'],
        'view': ['back', 'side', 'unknown'],
    }
    windows = table('path,group\nquery\\b.jpg,x\n', 'utf-8-sig')
    assert read_attributes(windows, IMAGES)['group'] == ['unknown', 'x', 'unknown']


def test_a_file_name_alone_is_of_all_that_have_it(table):
    found = read_attributes(table('path,group\na.jpg,x\n'), IMAGES)
    assert found == {'group': ['x', 'unknown', 'x']}


def test_captions_are_found_whole_and_two_values_are_none(table):
    path = table('path,caption,group\nx.jpg,"A man, in red.",1\ny.jpg,A woman.,2\n')
    assert read_attributes(path, CAPTIONS) == {'group': ['1', '2', '1', 'unknown']}
    path = table(
        'caption,a,b\n"A man, in red.",1,5\n"A man, in red.",2,5\nA woman.,2,\n'
    )
    assert read_attributes(path, CAPTIONS) == {
        'a': ['unknown', '2', 'unknown', 'unknown'],
        'b': ['5', 'unknown', '5', 'unknown'],
    }


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('', 'has the columns -: expected'),
        ('path\nquery/a.jpg\n', 'and at least one attribute'),
        ('name,group\nquery/a.jpg,1\n', "expected 'path' or 'caption'"),
        ('path,group\nquery/a.jpg\n', 'line 2: expected 2 columns'),
        ('path,group\nquery/a.jpg,1,2\n', 'line 2: expected 2 columns'),
        ('path,group\nx/a.jpg,1\n', "has none of the 3 queries.*'data/query/a.jpg'"),
        (
            'path,group\nquery/a.jpg,1\nquery/a.jpg,2\n',
            'line 3: .*one row for an image',
        ),
    ],
)
def test_malformed_tables_are_named(table, text, said):
    with pytest.raises(AttributeTableError, match=said):
        read_attributes(table(text), IMAGES)


def test_what_is_no_table_is_named(table, tmp_path):
    with pytest.raises(FileNotFoundError, match='does not exist'):
        read_attributes(tmp_path / 'none.csv', IMAGES)
    with pytest.raises(AttributeTableError, match='is no CSV file'):
        read_attributes(table('päth,group\n', 'latin-1'), IMAGES)
