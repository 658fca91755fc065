"""Django's settings, one module per topic. The environment is read in `env` only."""

from orchestra.settings.api import *
from orchestra.settings.base import *
from orchestra.settings.database import *
from orchestra.settings.integrations import *
from orchestra.settings.logging import *
from orchestra.settings.outbound import *
from orchestra.settings.processing import *
from orchestra.settings.queue import *
from orchestra.settings.security import *
