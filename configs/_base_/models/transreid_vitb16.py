# Five features, each with its own BNNeck, classifier and triplet loss. The global one
# weighs as much as the four of the parts together. No label smoothing; soft margins
model = dict(
    type='ImageReID',
    image_encoder=dict(
        type='TransReIDEncoder',
        arch='vit_base_patch16_224',
        # ImageNet-21k, then 1k; the same as jx_vit_base_p16_224-80ecf9dd.pth
        pretrained='orig_in21k_ft_in1k',
        img_size=(256, 128),
        # num_cameras, for SIE: a benchmark's config sets it
    ),
    heads=dict(
        identify=[
            dict(type='IDHead', feature='v', label_smoothing=0, loss_weight=0.5),
            dict(type='TripletHead', feature='v', margin=None, loss_weight=0.5),
            *[
                dict(
                    type='IDHead',
                    feature=part,
                    label_smoothing=0,
                    loss_weight=0.125,
                    name='id_' + part,
                )
                for part in ('part_1', 'part_2', 'part_3', 'part_4')
            ],
            *[
                dict(
                    type='TripletHead',
                    feature=part,
                    margin=None,
                    loss_weight=0.125,
                    name='triplet_' + part,
                )
                for part in ('part_1', 'part_2', 'part_3', 'part_4')
            ],
        ]
    ),
    data_preprocessor=dict(
        type='ReIDDataPreprocessor', mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
    ),
)
