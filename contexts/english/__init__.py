"""Quantities and subjects read out of English sentences, without a model.

Imports nothing of plait.
"""
