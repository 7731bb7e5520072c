using System.ComponentModel.DataAnnotations;
using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Models;

namespace DmlPipeline.Learning.Recipes;

/// <summary>Everything that decides how a model is trained, as data: stored with the model, hashed, and enough to train it again.</summary>
/// <remarks>Keys in files are these names in snake_case. A null is "auto": <see cref="DatasetDefaults"/> fills it in from the data set.
/// README.md beside this file gives the reason for every default.</remarks>
public sealed record TrainingRecipe
{
    /// <summary>Auto: conv4 without a GPU (ResNet-18 trains 10 to 100 times slower), resnet18 for colour images with one.</summary>
    public Backbone? Backbone { get; init; }

    /// <summary>How feature maps become vectors. Auto: the backbone's own way.</summary>
    public Pooling? Pooling { get; init; }

    /// <summary>What makes embeddings of these vectors. Auto: linear; batch-norm for the losses that need it.</summary>
    public EmbeddingHead? Head { get; init; }

    /// <summary>A file of weights to start from, safetensors or .pth: a path, or artifact:KEY in the pipeline's store. Auto: random weights.</summary>
    public string? Pretrained { get; init; }

    /// <summary>An earlier model of this pipeline to go on from. Auto: none.</summary>
    public WarmStartSettings? WarmStart { get; init; }

    /// <summary>Batch normalisation of the backbone keeps the pretrained statistics, scale and shift. Auto: it learns.</summary>
    public bool? FreezeBatchNorm { get; init; }

    /// <summary>128: larger embeddings gained nothing on unseen classes of Omniglot, and search costs grow with it.</summary>
    [Range(2, 4096)]
    public int EmbeddingSize { get; init; } = 128;

    public ImageSettings Image { get; init; } = new();

    public LossSettings Loss { get; init; } = new("ice");

    /// <summary>Which pairs of a batch the loss learns from. Auto: what the loss itself chooses.</summary>
    public MinerSettings? Miner { get; init; }

    /// <summary>How the loss's terms become one number. Auto: as the loss does by itself.</summary>
    public ReductionSettings? Reduction { get; init; }

    /// <summary>What is added to the loss to keep features or class weights in shape. Auto: nothing.</summary>
    public RegulariserSettings[]? Regularisers { get; init; }

    /// <summary>Images of earlier batches to compare with. Auto: none.</summary>
    public MemorySettings? Memory { get; init; }

    public SamplerSettings Sampler { get; init; } = new();

    /// <summary>Auto: affine for grey images; affine, crop and colour for colour images.</summary>
    public Augmentation? Augmentation { get; init; }

    public OptimiserSettings Optimiser { get; init; } = new();

    public ScheduleSettings Schedule { get; init; } = new();

    /// <summary>Passes over the data. Give this or a budget.</summary>
    [Range(1, 100_000)]
    public int? Epochs { get; init; }

    /// <summary>Training time including validation; the schedule follows the clock. Give this or epochs.</summary>
    [Range(1, 30 * 24 * 3600)]
    public TimeSpan? Budget { get; init; }

    /// <summary>Auto: one pass over the data.</summary>
    [Range(1, 1_000_000)]
    public int? StepsPerEpoch { get; init; }

    [Range(0, long.MaxValue)]
    public long Seed { get; init; }

    /// <summary>CPU threads of torch; 0 = one per core. Bit-identical repetition needs the same number, and 1 to be sure.</summary>
    [Range(0, 1024)]
    public int Threads { get; init; }

    /// <summary>What the worker must have, by commas: gpu, gpu-memory>=40GB, site=berlin. Auto: any worker will do. It changes nothing in the model.</summary>
    public string? Needs { get; init; }

    /// <summary>Processes of one machine that share each batch, one for each GPU where there are any; the CPU threads are divided among them. Auto: as the worker
    /// is set up. It is no part of what the recipe is known by: the result is the same, but for rounding.</summary>
    [Range(1, 64)]
    public int? Processes { get; init; }

    /// <summary>float32: exact everywhere. tf32 trades three digits for speed on GPUs that have it and changes nothing on a CPU.</summary>
    public Precision Precision { get; init; } = Precision.Float32;

    /// <summary>Validate after every that many epochs (and at the end).</summary>
    [Range(1, 1000)]
    public int ValidateEvery { get; init; } = 1;

    /// <summary>Stop after that many validations without a better one; 0 = never: the best epoch is kept anyway.</summary>
    [Range(0, 1000)]
    public int EarlyStop { get; init; }

    /// <summary>Anchors that are compared with the batch at a time, for batches whose pair matrices would not fit. Auto: all. The gradient is the same.</summary>
    [Range(1, 1_000_000)]
    public int? AnchorChunk { get; init; }

    /// <summary>Images that the network works on at a time, for batches whose activations would not fit. Auto: all. The gradient is the same, but for batch
    /// normalisation, whose statistics are those of so many images.</summary>
    [Range(1, 1_000_000)]
    public int? MicroBatch { get; init; }

    /// <summary>Largest norm of the gradient; 0 = no clipping. None of the losses needs it with normalised features.</summary>
    [Range(0, 1e6)]
    public double ClipGradient { get; init; }
}

public enum Backbone
{
    Conv4,
    Resnet18,
    Resnet34,
    Resnet50,
    Googlenet,
    BnInception,
    MobilenetV3Large,
    MobilenetV3Small,
    EfficientnetB0,
    VitS16,
}

public enum Precision
{
    Float32,
    Tf32,
}

/// <summary>What images are brought to.</summary>
public sealed record ImageSettings
{
    /// <summary>Pixels of each side. Auto: 32 for grey and small images, 48 for colour images, up to 224 on a GPU.</summary>
    [Range(16, 1024)]
    public int? Size { get; init; }

    /// <summary>1 = grey, 3 = colour. Auto: grey when 95 % of the images are.</summary>
    [Range(1, 3)]
    public int? Channels { get; init; }

    /// <summary>Auto: grey images that are dark on light are inverted, so that paper is zero and padding is paper.</summary>
    public bool? Invert { get; init; }

    /// <summary>How a ResNet takes in images; auto: small up to 64 pixels, standard above and with pretrained weights.</summary>
    public ResNetStem Stem { get; init; } = ResNetStem.Auto;

    /// <summary>Which mean and deviation pixels are brought to zero and one by. Auto: those of the pretrained weights, else the training images'.</summary>
    public Normalisation? Normalisation { get; init; }
}

/// <summary>Cross-batch memory: Wang et al., CVPR 2020, arXiv 1912.06798.</summary>
public sealed record MemorySettings
{
    /// <summary>Images that are remembered. The paper: up to the whole training set, gaining most with the first few batches.</summary>
    [Range(1, 10_000_000)]
    public int Size { get; init; } = 1024;

    /// <summary>Share of the run from which the memory is compared with: before, features change too fast. The official code waits 1,000 steps of 35,000.</summary>
    [Range(0, 1)]
    public double Start { get; init; } = 0.03;
}

/// <summary>How batches are drawn.</summary>
public sealed record SamplerSettings
{
    /// <summary>
    /// Auto: balanced (classes x images_per_class) for pair losses, which need partners in the batch; shuffled for losses with class weights, which learn
    /// faster from batches of many classes (experiments.md). The others draw as many images in other ways.
    /// </summary>
    public SamplerKind? Kind { get; init; }

    /// <summary>Auto: 32, or all classes when there are fewer.</summary>
    [Range(1, 4096)]
    public int? Classes { get; init; }

    /// <summary>Auto: 4, more when there are fewer than 32 classes, for batches of about 128 images.</summary>
    [Range(1, 4096)]
    public int? ImagesPerClass { get; init; }

    /// <summary>hierarchical: from how many folders (alphabets, genera) the classes of a batch come. Auto: 2.</summary>
    [Range(1, 4096)]
    public int? SuperClasses { get; init; }

    /// <summary>smart-mining: how many of its nearest classes each class drawn brings along. Auto: 3.</summary>
    [Range(1, 4096)]
    public int? Neighbours { get; init; }

    /// <summary>fixed-triplets: how long the list is. Auto: as many triplets as there are images.</summary>
    [Range(1, 100_000_000)]
    public int? Triplets { get; init; }
}

public enum SamplerKind
{
    /// <summary>Different classes, as many images of each.</summary>
    Balanced,

    /// <summary>A random permutation of the images.</summary>
    Shuffled,

    /// <summary>Balanced, the classes of a batch coming from few folders.</summary>
    Hierarchical,

    /// <summary>With replacement, every class as likely as any other.</summary>
    ClassBalanced,

    /// <summary>A list of triplets drawn once.</summary>
    FixedTriplets,

    /// <summary>Balanced, classes meeting those that the network confuses them with.</summary>
    SmartMining,
}

/// <summary>How gradients become steps.</summary>
public sealed record OptimiserSettings
{
    /// <summary>adamw: little to tune. The others are what papers used: sgd, adam and rmsprop, with weight decay in the gradient.</summary>
    public OptimiserKind Name { get; init; } = OptimiserKind.Adamw;

    /// <summary>The peak, after warm-up, for batches of about 128. 0.001 and 0.002 were worse on Omniglot, 0.008 the same (experiments.md).</summary>
    [Range(1e-8, 100)]
    public double LearningRate { get; init; } = 4e-3;

    /// <summary>On convolution and linear weights only: biases, normalisation and class weights have none.</summary>
    [Range(0, 10)]
    public double WeightDecay { get; init; } = 1e-2;

    /// <summary>Of sgd and rmsprop; adamw and adam have 0.9 and 0.999.</summary>
    [Range(0, 0.9999)]
    public double Momentum { get; init; } = 0.9;

    /// <summary>Of adamw, adam and rmsprop: added to the root of the mean square, so that it damps small gradients. Auto: 1e-8.</summary>
    [Range(1e-12, 10)]
    public double? Epsilon { get; init; }

    /// <summary>Class weights learn this many times faster: each sees its class in few batches only.</summary>
    [Range(1e-3, 1e6)]
    public double LossLearningRateMultiplier { get; init; } = 10;

    /// <summary>Pretrained layers learn this many times as fast as the new ones. Auto: 1.</summary>
    [Range(0, 100)]
    public double? BackboneLearningRateMultiplier { get; init; }
}

public enum OptimiserKind
{
    Adamw,
    Sgd,
    Adam,
    Rmsprop,
}

/// <summary>The learning rate over the run, as shares of it: 0 = start, 1 = end of the epochs or of the budget.</summary>
public sealed record ScheduleSettings
{
    public ScheduleKind Kind { get; init; } = ScheduleKind.Cosine;

    /// <summary>Share of the run in which the rate rises from zero.</summary>
    [Range(0, 0.5)]
    public double Warmup { get; init; } = 0.02;

    /// <summary>cosine: the last rate, as a share of the peak.</summary>
    [Range(0, 1)]
    public double Final { get; init; } = 0.01;

    /// <summary>step: where the rate drops, rising shares of the run.</summary>
    [Range(0, 1)]
    public double[] DropAt { get; init; } = [0.7];

    /// <summary>step: what the rate is multiplied by at each drop.</summary>
    [Range(1e-6, 1)]
    public double DropFactor { get; init; } = 0.1;

    /// <summary>Share of the run in which the backbone does not learn yet. Auto: none.</summary>
    [Range(0, 1)]
    public double? FreezeBackbone { get; init; }
}

public enum ScheduleKind
{
    Cosine,
    Step,
    Constant,
}
