"""Measurements of Overtone beside what a user would pick instead."""
