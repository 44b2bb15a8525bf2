_base_ = './hpl_vitb16_joint.py'

# Stage I fits identity prompts to u, which Eq. 11 of stage II compares them with. Eq. 8
# and 9 have v.
model = dict(
    heads=dict(
        construct=[
            dict(_base_.losses_construct[0], image='u'),
            _base_.losses_construct[1],
        ]
    )
)
