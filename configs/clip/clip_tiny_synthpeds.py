_base_ = [
    '../_base_/methods/clip_tiny_pretrain.py',
    '../_base_/datasets/synthpeds_pretrain.py',
]

# Trains the tiny CLIP that ships with the project, on identities that are in no
# benchmark split, with CLIP's symmetric contrastive loss; scored zero-shot on the
# default SynthPeds
