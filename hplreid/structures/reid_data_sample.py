"""The data sample of one item: an image, a caption, or a captioned image."""

from mmengine.structures import BaseDataElement


class ReIDDataSample(BaseDataElement):
    """One query, gallery or training item.

    Meta information (set by :class:`PackReIDInputs`):

    * ``pid`` (int): identity number of the dataset; -1 is junk.
    * ``label`` (int): contiguous training label, -1 outside training splits.
    * ``camid`` (int): camera, from 0; -1 where unknown.
    * ``split`` (str): ``'train'``, ``'query'`` or ``'gallery'``.
    * ``source`` (str): name of the dataset.
    * ``sample_idx`` (int): position in the dataset.
    * ``img_path`` (str | None), ``caption`` (str | None).
    * ``erasure`` (:class:`Erasure`): where random erasing has struck, and only there.

    Data (set by a model's ``predict``):

    * ``i2i_feat`` (Tensor, ``(C,)``): feature for image-to-image retrieval.
    * ``t2i_feat`` (Tensor, ``(C,)``): feature in the joint space of image and text.
    """
