"""Everything that a flowsim file may say, as frozen models that forbid unknown keys.

Each kind of file has its module; each field is documented in place, and
``docs/configuration.md`` is generated from here.
"""

from flowsim.config.catalogue_file import ChannelsFile, FaultsFile
from flowsim.config.defects_file import DefectsFile
from flowsim.config.economics_file import EconomicsFile
from flowsim.config.experiment_file import Design, ExperimentFile
from flowsim.config.levers_file import LeversFile
from flowsim.config.logs_file import LogsFile
from flowsim.config.pathway_file import STEP_CLASSES, PathwayFile
from flowsim.config.people_file import PeopleFile
from flowsim.config.response_file import ResponseFile, Watch
from flowsim.config.routing_file import RoutingFile
from flowsim.config.rules_file import MonitorFile
from flowsim.config.topology_file import TopologyFile

__all__ = [
    "STEP_CLASSES",
    "ChannelsFile",
    "DefectsFile",
    "Design",
    "EconomicsFile",
    "ExperimentFile",
    "FaultsFile",
    "LeversFile",
    "LogsFile",
    "MonitorFile",
    "PathwayFile",
    "PeopleFile",
    "ResponseFile",
    "RoutingFile",
    "TopologyFile",
    "Watch",
]
