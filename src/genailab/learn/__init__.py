"""The practice engine: what there is to practise, checks that explain a mistake, and progress that is kept.

The content itself, a folder an exercise, is in ``genailab/curriculum``.
"""
