"""Scripted phones, a daemon under test, and what a scenario may assert."""
