"""
The steps of a run: functions of what they read, by name, to what they made.

`pipeline.results` says how one is declared, `pipeline.plan` in which order they are done, `pipeline.inputs` what a
parameter may name. To add a step or a result, add a file here.

A step returns what it makes and the runner writes it. Three steps write large things themselves, to the path that they
are given: `build` the warehouse, `publish` the release, `morning` the reports.
"""
