"""Settings of re-ranking: the constants and the formula of each code base."""

from dataclasses import dataclass

DISTANCES = ('euclidean', 'cosine')


@dataclass(frozen=True)
class Variant:
    """A code base's k-reciprocal re-ranking, D being squared Euclidean distance.

    Attributes:
        k1: Its default number of neighbors.
        k2: Its default number of neighbors that a vector is averaged over.
        lambda_value: Its default share of the original distance.
        power: What is ranked and weighed with is D to this power.
        includes_itself: Whether k1 counts the item itself among its neighbors;
            otherwise they are k1 + 1 with it.
        relative: Whether D is divided by the greatest in its row.
    """

    k1: int
    k2: int
    lambda_value: float
    power: int = 1
    includes_itself: bool = False
    relative: bool = True


VARIANTS = {
    # The authors': https://github.com/zhunzhong07/person-re-ranking
    'original': Variant(20, 6, 0.3),
    # TransReID and CLIP-ReID: the same with other constants (and in half precision,
    # which isn't imitated: it is off by up to 0.02).
    'transreid': Variant(50, 15, 0.3),
    # torchreid calls squared distances Euclidean, and the algorithm squares them again.
    'torchreid': Variant(20, 6, 0.3, power=2),
    # fast-reid weighs with exp(-D), searches one neighbor less and adds D itself.
    'fastreid': Variant(20, 6, 0.3, includes_itself=True, relative=False),
}


@dataclass(frozen=True)
class RerankSettings:
    """The re-ranking in use; ``str()`` says it in words for a line of results."""

    variant: str
    k1: int
    k2: int
    lambda_value: float
    distance: str

    @classmethod
    def choose(
        cls,
        variant: str = 'original',
        k1: int | None = None,
        k2: int | None = None,
        lambda_value: float | None = None,
        distance: str = 'euclidean',
    ) -> 'RerankSettings':
        """Complete the settings with the constants of the variant.

        Args:
            variant: ``'original'``, ``'transreid'``, ``'torchreid'`` or ``'fastreid'``.
            k1: At least 1. None takes the variant's, as below.
            k2: At least 1; 1 averages nothing.
            lambda_value: In [0, 1].
            distance: ``'euclidean'`` or ``'cosine'``.

        Raises:
            ValueError: A name is unknown or a number out of range.
        """
        if variant not in VARIANTS:
            raise ValueError(
                f"Unknown variant '{variant}': expected one of {tuple(VARIANTS)}."
            )
        if distance not in DISTANCES:
            raise ValueError(
                f"Unknown distance '{distance}': expected one of {DISTANCES}."
            )
        default = VARIANTS[variant]
        k1 = default.k1 if k1 is None else k1
        k2 = default.k2 if k2 is None else k2
        share = default.lambda_value if lambda_value is None else lambda_value
        for name, value in (('k1', k1), ('k2', k2)):
            if int(value) != value or value < 1:
                raise ValueError(f'{name} must be an integer from 1; got {value}.')
        if not 0 <= share <= 1:
            raise ValueError(f'lambda_value must be in [0, 1]; got {share}.')
        return cls(variant, int(k1), int(k2), float(share), distance)

    def __str__(self) -> str:
        return (
            f'k-reciprocal re-ranking ({self.variant}, k1={self.k1}, k2={self.k2}, '
            f'lambda={self.lambda_value:g}, {self.distance})'
        )

    @property
    def formula(self) -> Variant:
        """What the variant computes."""
        return VARIANTS[self.variant]

    @property
    def num_neighbors(self) -> int:
        """Nearest items of an item that count as its neighbors, with itself."""
        return self.k1 if self.formula.includes_itself else self.k1 + 1

    @property
    def num_close(self) -> int:
        """The same for the small neighborhoods that widen a set."""
        # Half to even; and fast-reid has searched for k1 items, none beyond
        return min(round(self.k1 / 2) + 1, self.num_neighbors)

    @property
    def num_averaged(self) -> int:
        """Nearest items of an item whose vectors are averaged, itself among them."""
        return min(self.k2, self.k1) if self.formula.includes_itself else self.k2
