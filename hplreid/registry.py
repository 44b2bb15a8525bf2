"""The registries of hplreid, one for each kind of component that configs name.

Registries of what MMEngine's Runner builds (models, datasets, loops, ...) are children
of MMEngine's, so that ``default_scope = 'hplreid'`` finds our classes first. The parts
of a model (backbones, heads, ...) have registries of their own, so that a head in the
place of a neck is an error. ``type='mmpretrain.X'`` finds the models of mmpretrain in
each of them.
"""

import difflib

import mmengine.registry as root

SCOPE = 'hplreid'


class KindRegistry(root.Registry):
    """A registry whose errors list the registered names and the closest one."""

    def get(self, key: str) -> type:
        """Return the class registered as ``key``.

        Raises:
            KeyError: ``key`` is not registered here; the message lists what is.
        """
        scope, name = self.split_scope_key(key)
        # Outside the try: an error in one of our modules is not a failed look-up
        self.import_from_location()
        try:
            if scope is not None and scope != SCOPE and self.parent is None:
                cls = root.MODELS.get(key)
            else:
                cls = super().get(key)
        except RuntimeError:  # MMEngine found no such dotted name either
            cls = None
        if cls is None:
            raise KeyError(self._explain(name))
        return cls

    def _explain(self, name: str) -> str:
        """Return the error message for a name that is not registered here."""
        inherited = self.parent.module_dict if self.parent is not None else {}
        known = sorted({*self.module_dict, *inherited})
        message = f"'{name}' is not a registered {self.name}."
        for other in ALL:
            other.import_from_location()
        others = [r.name for r in ALL if r is not self and name in r.module_dict]
        if others:
            message += f" '{name}' is a {others[0]}, not a {self.name}."
        close = difflib.get_close_matches(name, known, n=1)
        if close:
            message += f" Did you mean '{close[0]}'?"
        return f'{message} Registered {self.name}s: {", ".join(known) or "none"}.'


def _part(name: str, folder: str) -> KindRegistry:
    """Make the registry of a part of models, which has no parent."""
    return KindRegistry(name, scope=SCOPE, locations=[f'hplreid.models.{folder}'])


def _child(name: str, parent: root.Registry, location: str) -> KindRegistry:
    """Make a registry that is a child of one of MMEngine's."""
    return KindRegistry(name, parent=parent, scope=SCOPE, locations=[location])


# Parts of a model
BACKBONES = _part('backbone', 'backbones')  # image and text towers
PROMPT_LEARNERS = _part('prompt learner', 'prompt_learners')  # learnable prompts
INVERSIONS = _part('inversion network', 'inversion')  # image/text -> pseudo-tokens
NECKS = _part('neck', 'necks')  # between feature and classifier: BNNeck, ...
HEADS = _part('head', 'heads')  # read named features, return named losses
LOSSES = _part('loss', 'losses')  # arithmetic on tensors, no parameters

# What MMEngine's Runner builds
MODELS = _child('model', root.MODELS, 'hplreid.models')  # methods, preprocessors
DATASETS = _child('dataset', root.DATASETS, 'hplreid.datasets')  # benchmarks
TRANSFORMS = _child('transform', root.TRANSFORMS, 'hplreid.datasets')  # per-item steps
DATA_SAMPLERS = _child('sampler', root.DATA_SAMPLERS, 'hplreid.datasets')  # streams
METRICS = _child('metric', root.METRICS, 'hplreid.evaluation')  # protocols
HOOKS = _child('hook', root.HOOKS, 'hplreid.engine')  # around the loop
LOOPS = _child('loop', root.LOOPS, 'hplreid.engine')  # staged training, benchmarks
OPTIM_WRAPPERS = _child('optimizer wrapper', root.OPTIM_WRAPPERS, 'hplreid.engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child(  # parameter groups
    'optimizer constructor', root.OPTIM_WRAPPER_CONSTRUCTORS, 'hplreid.engine'
)
MODEL_WRAPPERS = _child('model wrapper', root.MODEL_WRAPPERS, 'hplreid.engine')
OPTIMIZERS = _child('optimizer', root.OPTIMIZERS, 'hplreid.engine')
PARAM_SCHEDULERS = _child('schedule', root.PARAM_SCHEDULERS, 'hplreid.engine')
VISBACKENDS = _child('visual backend', root.VISBACKENDS, 'hplreid.visualization')
VISUALIZERS = _child('visualizer', root.VISUALIZERS, 'hplreid.visualization')

ALL = (
    BACKBONES,
    PROMPT_LEARNERS,
    INVERSIONS,
    NECKS,
    HEADS,
    LOSSES,
    MODELS,
    DATASETS,
    TRANSFORMS,
    DATA_SAMPLERS,
    METRICS,
    HOOKS,
    LOOPS,
    OPTIM_WRAPPERS,
    OPTIM_WRAPPER_CONSTRUCTORS,
    MODEL_WRAPPERS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
    VISBACKENDS,
    VISUALIZERS,
)
