"""Training, from a drawn batch to a finished run.

Step i draws everything random from a generator seeded by (seed, i), so a run that is interrupted and resumed
goes through the same numbers as one that is not, and so does one that is shared among processes.
"""

from .estimate import Cost as Cost
from .estimate import cost as cost
from .estimate import shortened as shortened
from .loop import Reports as Reports
from .loop import fit as fit
from .memory import is_out_of_memory as is_out_of_memory
from .ranks import Ranks as Ranks
from .ranks import joined as joined
from .report import Report as Report
from .step import Stepper as Stepper
from .step import new_optimiser as new_optimiser
from .step import schedule as schedule
from .step import train_step as train_step
from .step import untrained as untrained
from .views import draw_step as draw_step
from .views import draw_views as draw_views
