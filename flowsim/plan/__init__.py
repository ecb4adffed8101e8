"""Turns configuration, topology and catalogue into the arrays that the kernel reads."""

from flowsim.plan.build import OutagePlan, Plan, WorldPlan, build_plan

__all__ = ["OutagePlan", "Plan", "WorldPlan", "build_plan"]
