"""Turns configuration, topology and catalogue into the arrays that the kernel reads."""

from flowsim.plan.build import Plan, build_plan
from flowsim.plan.world import OutagePlan, WorldPlan

__all__ = ["OutagePlan", "Plan", "WorldPlan", "build_plan"]
