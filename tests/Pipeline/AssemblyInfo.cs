// Each test runs a whole pipeline, which wants the cores for itself.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
