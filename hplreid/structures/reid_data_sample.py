"""What is known about one item: a picture, a caption, or a captioned picture."""

from mmengine.structures import BaseDataElement


class ReIDDataSample(BaseDataElement):
    """One query, gallery or training item.

    Meta information (set by :class:`PackReIDInputs`):

    * ``pid`` (int): identity number of the data set; -1 is junk.
    * ``label`` (int): contiguous training label, -1 outside training splits.
    * ``camid`` (int): camera, from 0; -1 where unknown.
    * ``split`` (str): ``'train'``, ``'query'`` or ``'gallery'``.
    * ``source`` (str): name of the data set.
    * ``sample_idx`` (int): position in the data set.
    * ``img_path`` (str | None), ``caption`` (str | None).
    * ``erasure`` (:class:`Erasure`): where random erasing has struck, and only there.

    Data (set by a model's ``predict``):

    * ``i2i_feat`` (Tensor, ``(C,)``): feature for image-to-image retrieval.
    * ``t2i_feat`` (Tensor, ``(C,)``): feature in the joint space of picture and text.
    """
