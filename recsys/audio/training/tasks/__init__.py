"""What an encoder can be trained to do: a file a task, with `batches`, `loss` and `score`."""
