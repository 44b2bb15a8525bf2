_base_ = ['./transreid_vitb16_market1501.py']

# The reference's file, deit_base_distilled_patch16_224-df68dfff.pth; what belongs to
# its distillation token is left out
model = dict(
    image_encoder=dict(
        arch='deit_base_patch16_224',
        pretrained='deit_base_distilled_patch16_224.fb_in1k',
    )
)

# Images are erased more often than with ViT
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            *_base_.train_pipeline[:4],
            dict(_base_.train_pipeline[4], prob=0.8),
            *_base_.train_pipeline[5:],
        ]
    )
)
