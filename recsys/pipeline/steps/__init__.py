"""
The steps of a run. A step is a function: its parameters name what it reads, it returns what it makes.

`pipeline.results` declares steps, `pipeline.plan` orders them, `pipeline.inputs` supplies the parameters. To add a step
or a result, add a file here.

A step returns what it makes and the runner writes it. Three steps write large things themselves, to the path that they
are given: `build` the warehouse, `publish` the release, `morning` the reports.
"""
