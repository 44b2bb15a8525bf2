"""Sizes of a dataset and the identity numbers of its splits."""

from dataclasses import dataclass, replace

# First identity number of every role. Roles never share an identity: each has a
# million numbers, more than any size uses, whatever the seed.
ROLE_SPAN = 1_000_000
FIRST_IDENTITY: dict[str, int] = {
    'i2i_train': 0,
    't2i_train': 1 * ROLE_SPAN,
    'val': 2 * ROLE_SPAN,
    'test': 3 * ROLE_SPAN,
    'distractor': 4 * ROLE_SPAN,
    'pretrain_train': 5 * ROLE_SPAN,
    'pretrain_val': 6 * ROLE_SPAN,
    'pretrain_test': 7 * ROLE_SPAN,
    'overview': 8 * ROLE_SPAN,
    'stranger': 9 * ROLE_SPAN,
}


@dataclass(frozen=True)
class Size:
    """Numbers of identities and, in fields named ``*_images``, of images of each.

    Args:
        train, train_images: Image-to-image training split.
        shared, shared_images: Identities of the image-to-image training split that
            the text-to-image training split shares, and captioned images of each.
        captioned, captioned_images: Identities that only the text-to-image training
            split has.
        val, val_images: Text-to-image validation split.
        test, test_images: Test split of both tasks.
        queries: Query images of a test identity.
        test_captioned: Captioned images of a test identity.
        distractors: Gallery images of identities that no other split has.
        junk: Badly cropped gallery images.
        pretrain: Whether to use the identity numbers reserved for pretraining.
        shape: Height and width of an image, pixels.
    """

    train: int
    train_images: int
    shared: int
    shared_images: int
    captioned: int
    captioned_images: int
    val: int
    val_images: int
    test: int
    test_images: int
    queries: int
    test_captioned: int
    distractors: int
    junk: int
    pretrain: bool = False
    shape: tuple[int, int] = (128, 64)


_DEFAULT = Size(
    train=480, train_images=4, shared=140, shared_images=2, captioned=1460,
    captioned_images=2, val=30, val_images=4, test=200, test_images=5, queries=2,
    test_captioned=3, distractors=200, junk=30,
)  # fmt: skip

SIZES: dict[str, Size] = {
    'tiny': Size(
        train=12, train_images=4, shared=4, shared_images=2, captioned=4,
        captioned_images=2, val=4, val_images=2, test=6, test_images=4, queries=2,
        test_captioned=2, distractors=6, junk=2, shape=(64, 32),
    ),
    'default': _DEFAULT,
    'large': replace(
        _DEFAULT, train=4800, shared=1400, captioned=14600, val=300, test=2000,
        distractors=2000, junk=300,
    ),
    'pretrain': Size(
        train=0, train_images=0, shared=0, shared_images=0, captioned=800,
        captioned_images=4, val=50, val_images=4, test=50, test_images=4,
        queries=0, test_captioned=4, distractors=0, junk=0, pretrain=True,
    ),
}  # fmt: skip
