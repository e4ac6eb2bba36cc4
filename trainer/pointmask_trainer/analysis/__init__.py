"""What a run learned beside its detector, from the files of the run: numbers, charts and a page.

Arrows point down::

    follow, cli.analyse     when, and from where to where
    page                    HTML and JSON
    pictures                which pictures there are, and what they say
    charts/                 weights, theta, labels, history, crops
    study                   all numbers of one run
    history, epochs, label_files, shapes, relations

May import: run, data, strategies (their options), inference and all below, `pointmask.drawing`. Open first:
``study.py``.
"""
