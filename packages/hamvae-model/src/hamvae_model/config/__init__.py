"""A run as plain, frozen data. There is no torch here, so that the command line answers at once."""

from .execution import WORKERS_LIMIT as WORKERS_LIMIT
from .execution import Execution as Execution
from .overrides import parse_assignments as parse_assignments
from .overrides import refuse_twice as refuse_twice
from .overrides import set_in_data as set_in_data
from .overrides import settings as settings
from .run import Config as Config
from .run import DataConfig as DataConfig
from .run import FramingConfig as FramingConfig
from .run import ModelConfig as ModelConfig
from .run import ObjectiveConfig as ObjectiveConfig
from .run import TrainingConfig as TrainingConfig
