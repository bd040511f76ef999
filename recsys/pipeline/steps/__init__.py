"""
The steps of a run. A step is a function: its parameters name its inputs, and it returns its outputs.

Steps are declared with `pipeline.results.step`, ordered by `pipeline.plan`, and get their inputs from
`pipeline.inputs`. To add a step or a result, add a file here.

The runner writes the outputs that a step returns. Three steps write large outputs themselves, to a path that is one of
their inputs: `build` the warehouse, `publish` the release, `morning` the reports.
"""
