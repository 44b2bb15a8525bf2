"""How many people and images a dataset has, and which numbers they bear."""

from dataclasses import dataclass, replace

# First identity number of every role. Roles can never share a person: each has a
# million numbers, more than any size asks for, whatever the seed.
SPAN = 1_000_000
ROLES: dict[str, int] = {
    'i2i_train': 0,
    't2i_train': 1 * SPAN,
    'val': 2 * SPAN,
    'test': 3 * SPAN,
    'distractor': 4 * SPAN,
    'pretrain_train': 5 * SPAN,
    'pretrain_val': 6 * SPAN,
    'pretrain_test': 7 * SPAN,
    'overview': 8 * SPAN,
    'stranger': 9 * SPAN,
}


@dataclass(frozen=True)
class Size:
    """Numbers of people (without unit) and of images a person (``_images``).

    Args:
        train, train_images: People of the image-to-image training split.
        shared: How many of them also have captions in the text-to-image one.
        captioned, captioned_images: People of the text-to-image training split
            alone.
        shared_images: Captioned images of a shared person.
        val, val_images: Text-to-image validation split.
        test, test_images: Test split of both tasks.
        queries: Images of a test person that are queries.
        test_captioned: Images of a test person that have captions.
        distractors: Gallery images of people who are in no other split.
        junk: Badly cut gallery images.
        pretrain: Whether the people come from the numbers kept for pretraining.
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
