namespace DmlPipeline.Contracts;

/// <summary>Event: a run advanced. Lossy by design; the run's row holds the same facts.</summary>
/// <param name="RunId">The run.</param>
/// <param name="Epoch">Epochs begun, from 1.</param>
/// <param name="Step">Optimiser steps finished.</param>
/// <param name="Fraction">Share of the run that is done, 0 to 1.</param>
/// <param name="Loss">Mean training loss of the current epoch so far.</param>
/// <param name="ValidationRecallAt1">Recall@1 on the validation classes, of the last validation; null before the first.</param>
/// <param name="ImagesPerSecond">Training throughput.</param>
/// <param name="SecondsLeft">Estimated seconds until the run ends; null before they are known.</param>
public sealed record TrainingProgressed(
    string RunId, int Epoch, long Step, double Fraction, double Loss, double? ValidationRecallAt1, double ImagesPerSecond, double? SecondsLeft);
