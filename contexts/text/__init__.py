"""Words, figures and tables: written for people, and read out of sentences without a model.

Imports nothing of plait.
"""
