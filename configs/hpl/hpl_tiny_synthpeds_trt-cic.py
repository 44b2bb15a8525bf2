_base_ = './hpl_tiny_synthpeds.py'

# Not a row of the paper: Eq. 11 alone on the Task-Routed Transformer. Its tables do not
# separate the gain of identity prompts from that of instance prompts (errata E9).
model = dict(heads=dict(align=[*_base_.losses_base, _base_.loss_cic]))
