"""What a repository's name stands for, and every place git would read for it.

Imports errors alone.
"""
