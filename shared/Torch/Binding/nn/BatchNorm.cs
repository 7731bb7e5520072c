using DmlPipeline.Torch.Binding;
using static TorchSharp.torch;

namespace TorchSharp.Modules;

public abstract class NormBase : nn.Module<Tensor, Tensor>
{
    private protected NormBase(
        long numFeatures, double eps, double? momentum, bool affine, bool trackRunningStats, Device? device, ScalarType? dtype, string name)
        : base(name)
    {
        num_features = numFeatures;
        this.eps = eps;
        this.momentum = momentum;
        this.affine = affine;
        track_running_stats = trackRunningStats;
        if (affine)
        {
            Own("weight", new Parameter(ones([numFeatures], dtype, device)));
            Own("bias", new Parameter(zeros([numFeatures], dtype, device)));
        }
        if (!trackRunningStats) return;
        Own("running_mean", zeros([numFeatures], dtype, device));
        Own("running_var", ones([numFeatures], dtype, device));
        Own("num_batches_tracked", zeros([], ScalarType.Int64, device));
    }

    public long num_features { get; }

    public double eps { get; set; }

    /// <summary>The weight of the newest batch in the running statistics; null: the plain average of all batches.</summary>
    public double? momentum { get; set; }

    public bool affine { get; }

    public bool track_running_stats { get; }

    public Parameter? weight
    {
        get => OwnParameter("weight");
        set => ConditionallyRegisterParameter("weight", value);
    }

    public Parameter? bias
    {
        get => OwnParameter("bias");
        set => ConditionallyRegisterParameter("bias", value);
    }

    public Tensor? running_mean
    {
        get => OwnBuffer("running_mean");
        set => ConditionallyRegisterBuffer("running_mean", value);
    }

    public Tensor? running_var
    {
        get => OwnBuffer("running_var");
        set => ConditionallyRegisterBuffer("running_var", value);
    }

    public Tensor? num_batches_tracked
    {
        get => OwnBuffer("num_batches_tracked");
        set => ConditionallyRegisterBuffer("num_batches_tracked", value);
    }

    public void reset_running_stats()
    {
        running_mean?.zero_();
        running_var?.fill_(1);
        num_batches_tracked?.zero_();
    }

    public void reset_parameters()
    {
        reset_running_stats();
        if (weight is not { } scale || bias is not { } shift) return;
        nn.init.ones_(scale);
        nn.init.zeros_(shift);
    }

    protected abstract void ValidateInputDimensions(Tensor input);
}

public abstract class BatchNorm : NormBase
{
    private protected BatchNorm(
        long numFeatures, double eps, double? momentum, bool affine, bool trackRunningStats, Device? device, ScalarType? dtype, string name)
        : base(numFeatures, eps, momentum, affine, trackRunningStats, device, dtype, name)
    {
    }

    /// <summary>Those that train on parts of one batch, whose statistics are the whole batch's; null for this one alone.</summary>
    internal DmlPipeline.Torch.ProcessGroup? Processes { get; set; }

    public override Tensor forward(Tensor input)
    {
        ValidateInputDimensions(input);
        var average = momentum ?? 0;
        if (training && num_batches_tracked is { } batches)
        {
            batches.add_(1);
            if (momentum is null) average = 1.0 / batches.item<long>();
        }
        var useBatch = training || running_mean is null;
        if (useBatch && Processes is { } group) return group.BatchNorm(input, weight, bias, running_mean, running_var, average, eps);
        return nn.functional.batch_norm(input, running_mean!, running_var!, weight, bias, useBatch, average, eps);
    }
}

public sealed class BatchNorm2d : BatchNorm
{
    internal BatchNorm2d(long numFeatures, double eps, double momentum, bool affine, bool trackRunningStats, Device? device, ScalarType? dtype)
        : base(numFeatures, eps, momentum, affine, trackRunningStats, device, dtype, nameof(BatchNorm2d))
    {
    }

    protected override void ValidateInputDimensions(Tensor input)
    {
        if (input.ndim != 4)
            throw new ArgumentException($"BatchNorm2d needs input [N, C, H, W]; got [{string.Join(", ", input.shape)}].", nameof(input));
    }
}

public sealed class BatchNorm1d : BatchNorm
{
    internal BatchNorm1d(long numFeatures, double eps, double momentum, bool affine, bool trackRunningStats, Device? device, ScalarType? dtype)
        : base(numFeatures, eps, momentum, affine, trackRunningStats, device, dtype, nameof(BatchNorm1d))
    {
    }

    protected override void ValidateInputDimensions(Tensor input)
    {
        if (input.ndim is not (2 or 3))
            throw new ArgumentException($"BatchNorm1d needs input [N, C] or [N, C, L]; got [{string.Join(", ", input.shape)}].", nameof(input));
    }
}
