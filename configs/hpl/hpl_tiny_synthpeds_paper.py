_base_ = './hpl_tiny_synthpeds.py'

# The formulas as printed: bare cosine logits (tau=1), distances of raw features, Eq. 11
# as a sum over the batch; the prompts as in the text, not as in Figure 2
model = dict(
    prompt_learner=dict(
        template='A photo of {id} and {inst} person',
        identity_template='A photo of {id} person',
    ),
    heads=dict(
        construct=_base_.losses_construct_literal,
        align=[
            *_base_.losses_base,
            _base_.loss_cic_literal,
            _base_.loss_ilpa_literal,
            _base_.loss_cmpr,
        ],
    ),
)
