_base_ = './transreid_vitb16.py'

# The reference's file, deit_base_distilled_patch16_224-df68dfff.pth; the weights of its
# distillation token are left out
model = dict(
    image_encoder=dict(
        arch='deit_base_patch16_224',
        pretrained='deit_base_distilled_patch16_224.fb_in1k',
    )
)
