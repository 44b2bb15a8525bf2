"""The converters say what is wrong with a file, without a traceback."""

import runpy
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.test_tools.programs import ROOT


@pytest.fixture
def call(monkeypatch, capsys):
    """A function that runs a converter and returns its exit code and output."""

    def call(tool, *arguments):
        monkeypatch.setattr(sys, 'argv', [tool, *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            runpy.run_path(
                str(ROOT / 'tools' / 'model_converters' / tool), run_name='__main__'
            )
        printed = capsys.readouterr()
        assert 'Traceback' not in printed.err
        return caught.value.code, printed.out + printed.err

    return call


def test_two_towers_are_published(call, tmp_path):
    state = {
        'module.image_encoder.visual.conv1.weight': torch.ones(2, 3),
        '_orig_mod.text_encoder.text.token_embedding.weight': torch.ones(4, 2),
        'module.heads.align.0.weight': torch.ones(5, 2),
    }
    torch.save(dict(state_dict=state), tmp_path / 'a.pth')
    code, printed = call(
        'publish_clip.py', tmp_path / 'a.pth', tmp_path / 'b.safetensors'
    )
    assert code is None
    assert '2 tensors, 0.00 MB, rounded to fp16; left out: heads (1)' in printed
    found = load_file(tmp_path / 'b.safetensors')
    assert {k: v.dtype for k, v in found.items()} == {
        'visual.conv1.weight': torch.float16,
        'token_embedding.weight': torch.float16,
    }


def damaged(path):
    save_file({'visual.conv1.weight': torch.ones(9)}, path)
    path.write_bytes(path.read_bytes()[:-4])


@pytest.mark.parametrize(
    ('name', 'write', 'message'),
    [
        ('nope.pth', lambda path: None, "nope.pth' does not exist."),
        ('a.pth', lambda p: p.write_text('no'), "can't be read as a checkpoint: it is"),
        ('a.safetensors', damaged, "can't be read as a checkpoint: it is damaged"),
        ('a.pth', lambda p: torch.save([1], p), 'holds a list, expected a dict'),
        (
            'bot.pth',
            lambda p: torch.save(dict(state_dict={'resnet.a': torch.ones(1)}), p),
            'holds no CLIP that is known here',
        ),
    ],
)
def test_a_wrong_file_is_a_message(call, tmp_path, name, write, message):
    write(tmp_path / name)
    out = tmp_path / 'out.safetensors'
    code, printed = call('publish_clip.py', tmp_path / name, out)
    assert code == 2
    assert message in printed
    assert 'weights_only' not in printed
    assert not out.exists()


def test_a_wrong_name_of_the_result_is_a_message(call, tmp_path):
    code, printed = call('publish_clip.py', tmp_path / 'a.pth', tmp_path / 'b.pth')
    assert code == 2
    assert 'expected a name that ends in .safetensors' in printed


def test_an_unknown_tag_is_a_message(call):
    code, printed = call('fetch_weights.py', 'ViT-B-16-quickgelu', 'nope')
    assert code == 2
    assert "Error: No weights 'nope' for arch='ViT-B-16-quickgelu'" in printed
