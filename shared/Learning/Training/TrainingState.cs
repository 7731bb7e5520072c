using DmlPipeline.Learning.Models;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Torch;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Training;

/// <summary>Everything that training changes: model, loss, optimiser, position and the best weights so far. It is what a checkpoint holds.</summary>
internal sealed class TrainingState : IDisposable
{
    private readonly double[] peakRates;
    private readonly List<Parameter> backboneThatLearns;
    private bool backboneIsFrozen;
    private Dictionary<string, Tensor> best = new(StringComparer.Ordinal);

    public TrainingState(TrainingRecipe recipe, ModelSpec spec, IReadOnlyList<int> imagesPerClass, Device device)
    {
        // What is made on the way is freed; parameters, buffers and optimiser state live outside every scope.
        using var scope = NewDisposeScope();
        Model = EmbeddingModel.Create(spec, recipe.Seed);
        Model.to(device);
        Model.train();
        if (recipe.FreezeBatchNorm == true) Model.FreezeBatchNorm();
        backboneThatLearns = [.. Model.BackboneParameters.Where(parameter => parameter.requires_grad)];
        Loss = ObjectiveOfRecipe.Make(recipe, imagesPerClass, spec.EmbeddingSize, device);

        if (recipe.Sampler.Kind == SamplerKind.SmartMining)
            Neighbours = new ClassNeighbours(imagesPerClass.Count, spec.EmbeddingSize, SamplerOfRecipe.NeighboursOf(recipe), device);

        var groups = Groups(recipe);
        peakRates = [.. groups.Select(group => group.LearningRate)];
        Optimiser = OptimiserOfRecipe.Make(recipe.Optimiser, groups);
        Position = new TrainingPosition { RecipeHash = RecipeFile.Hash(recipe) };
    }

    public EmbeddingModel Model { get; }

    public Objective Loss { get; }

    public ForeachOptimizer Optimiser { get; }

    /// <summary>With smart mining only.</summary>
    public ClassNeighbours? Neighbours { get; }

    public TrainingPosition Position { get; private set; }

    /// <summary>The gradients of the last backward pass, those of sampled class weights among them.</summary>
    public IReadOnlyList<Tensor> Gradients =>
        [.. NetworkGradients, .. Loss.Parameters.Values.Select(parameter => parameter.grad).OfType<Tensor>(), .. SampledGradients.Select(gradient => gradient.Gradient)];

    /// <summary>Those of the model's weights.</summary>
    public IReadOnlyList<Tensor> NetworkGradients => [.. Model.parameters().Select(parameter => parameter.grad).OfType<Tensor>()];

    private IReadOnlyList<RowGradient> SampledGradients => Loss.ClassWeights?.RowGradients ?? [];

    public void SetLearningRate(double factor)
    {
        for (var i = 0; i < peakRates.Length; i++) Optimiser.Groups[i].LearningRate = peakRates[i] * factor;
    }

    /// <summary>Goes one step along the gradients.</summary>
    public void Step()
    {
        Optimiser.Step();
        Optimiser.StepRows(SampledGradients);
    }

    /// <summary>Lets the backbone learn, or not: without gradients it costs no backward pass.</summary>
    public void FreezeBackbone(bool frozen)
    {
        if (frozen == backboneIsFrozen) return;
        backboneIsFrozen = frozen;
        foreach (var parameter in backboneThatLearns) parameter.requires_grad = !frozen;
    }

    /// <summary>Copies the model's weights aside.</summary>
    public void KeepAsBest()
    {
        DisposeAll(best);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        best = Model.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.detach().clone().DetachFromDisposeScope(), StringComparer.Ordinal);
    }

    /// <summary>Puts the weights kept aside back into the model, if there are any.</summary>
    public void UseBest()
    {
        using var scope = NewDisposeScope();
        if (best.Count > 0) Model.LoadWeights(best, "the best epoch");
    }

    /// <summary>All tensors of a checkpoint; they stay owned by this.</summary>
    public Dictionary<string, Tensor> Tensors()
    {
        var all = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, tensor) in Model.state_dict()) all[$"model.{name}"] = tensor;
        foreach (var (name, tensor) in OwnTensors) all[name] = tensor;
        foreach (var (name, tensor) in Optimiser.State()) all[$"optimiser.{name}"] = tensor;
        foreach (var (name, tensor) in best) all[$"best.{name}"] = tensor;
        return all;
    }

    /// <summary>Takes over a checkpoint's tensors and position.</summary>
    /// <exception cref="InvalidDataException">It belongs to another recipe or to other data.</exception>
    public void Restore(Dictionary<string, Tensor> tensors, TrainingPosition position)
    {
        if (!string.Equals(position.RecipeHash, Position.RecipeHash, StringComparison.Ordinal))
            throw new InvalidDataException("The checkpoint in the run's folder belongs to another recipe. Train with that recipe, or in an empty folder.");
        using var scope = NewDisposeScope();
        Model.LoadWeights(Part(tensors, "model."), "The checkpoint");
        using (no_grad())
        {
            foreach (var (name, own) in OwnTensors)
            {
                if (!tensors.TryGetValue(name, out var value) || !value.shape.AsSpan().SequenceEqual(own.shape))
                    throw new InvalidDataException($"The checkpoint has no '{name}' for these training classes; the data set is another one.");
                own.copy_(value);
            }
        }
        Optimiser.LoadState(Part(tensors, "optimiser."));
        DisposeAll(best);
        best = Part(tensors, "best.").ToDictionary(entry => entry.Key, entry => entry.Value.clone().DetachFromDisposeScope(), StringComparer.Ordinal);
        Position = position;
        if (position.Random.Length > 0) TorchRuntime.SetRngState(position.Random);
    }

    public void Dispose()
    {
        DisposeAll(best);
        Optimiser.Dispose();
        Neighbours?.Dispose();
        Loss.Dispose();
        Model.Dispose();
    }

    /// <summary>What training keeps beside model and optimiser, by its name in a checkpoint.</summary>
    private IEnumerable<(string Name, Tensor Tensor)> OwnTensors =>
        Loss.Parameters.Select(entry => ($"loss.{entry.Key}", (Tensor)entry.Value))
            .Concat(Loss.Buffers.Select(entry => ($"loss.{entry.Key}", entry.Value)))
            .Concat(Neighbours?.Tensors.Select(entry => ($"neighbours.{entry.Key}", entry.Value)) ?? []);

    private List<ParameterGroup> Groups(TrainingRecipe recipe)
    {
        var settings = recipe.Optimiser;
        var groups = new List<ParameterGroup>();
        if (settings.BackboneLearningRateMultiplier is not { } multiplier)
        {
            Add(Model.parameters(), settings.LearningRate);
        }
        else
        {
            var backbone = Model.BackboneParameters.ToHashSet<Parameter>(ReferenceEqualityComparer.Instance);
            Add(Model.parameters().Where(parameter => !backbone.Contains(parameter)), settings.LearningRate);
            Add(backbone, settings.LearningRate * multiplier);
        }
        if (Loss.Parameters.Count > 0) groups.Add(new([.. Loss.Parameters.Values], settings.LearningRate * settings.LossLearningRateMultiplier, 0));
        return groups;

        void Add(IEnumerable<Parameter> parameters, double rate)
        {
            var all = parameters.ToList();
            groups.Add(new([.. all.Where(IsWeight)], rate, settings.WeightDecay));
            groups.Add(new([.. all.Where(parameter => !IsWeight(parameter))], rate, 0));
        }
    }

    // Of linear layers and convolutions: the tokens and positions of transformers, of three dimensions, are no weights.
    private static bool IsWeight(Tensor parameter) => parameter.ndim is 2 or 4;

    private static Dictionary<string, Tensor> Part(Dictionary<string, Tensor> tensors, string prefix) =>
        tensors.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(entry => entry.Key[prefix.Length..], entry => entry.Value, StringComparer.Ordinal);

    private static void DisposeAll(Dictionary<string, Tensor> tensors)
    {
        foreach (var tensor in tensors.Values) tensor.Dispose();
    }
}
