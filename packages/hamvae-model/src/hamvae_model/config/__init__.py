"""A run as plain, frozen data. There is no torch here, so that the command line answers at once."""

from .execution import Execution as Execution
from .run import Config as Config
from .run import DataConfig as DataConfig
from .run import FramingConfig as FramingConfig
from .run import ModelConfig as ModelConfig
from .run import ObjectiveConfig as ObjectiveConfig
from .run import TrainingConfig as TrainingConfig
