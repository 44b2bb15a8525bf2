# f_t, before the BNNeck, is the feature of the triplet loss; f_i, after it, is the
# feature of the classifier and of retrieval.
model = dict(
    type='ImageReID',
    image_encoder=dict(
        type='ResNetEncoder',
        arch='resnet50',
        pretrained='IMAGENET1K_V1',
        last_stride=1,
    ),
    necks=dict(
        f_t=dict(type='GlobalAveragePool', reads='map'),
        f_i=dict(type='BNNeck', reads='f_t'),
    ),
    i2i_feature=['f_i'],
    heads=dict(
        identify=[
            dict(type='IDHead', feature='f_i', neck=None, label_smoothing=0.1),
            dict(type='TripletHead', feature='f_t', margin=0.3),
        ]
    ),
    data_preprocessor=dict(
        type='ReIDDataPreprocessor',
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    ),
)
loss_center = dict(type='CenterHead', feature='f_t', alpha=0.5, loss_weight=5e-4)

bot_train_pipeline = [
    dict(type='LoadImage'),
    dict(type='ResizeImage', size=(256, 128)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PadRandomCrop', padding=10),
    dict(
        type='RandomErasing',
        prob=0.5,
        area=(0.02, 0.4),
        ratio=(0.3, 10 / 3),
        # ImageNet's mean of pixels from 0 to 1, put in after normalization, as in the
        # reference's code
        fill=(0.485, 0.456, 0.406),
    ),
    dict(type='PackReIDInputs'),
]
