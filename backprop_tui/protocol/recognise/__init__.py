"""Recognisers of what trainings print: each knows one form of line, none knows a framework."""
