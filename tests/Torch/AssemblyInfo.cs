// Torch wants the cores for itself, and the counts of live tensors belong to the process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
