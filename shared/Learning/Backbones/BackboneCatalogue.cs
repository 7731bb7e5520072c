using DmlPipeline.Learning.Models;

namespace DmlPipeline.Learning.Backbones;

/// <summary>The networks that a model can be built on. A new one is one file, one line here and one in the recipe's list.</summary>
public static class BackboneCatalogue
{
    /// <summary>All backbones, smallest first.</summary>
    public static IReadOnlyList<BackboneEntry> All { get; } =
    [
        new("conv4", "Vinyals et al. 2016, arXiv 1606.04080", Conv4.Width, 112_832, 16, spec => new Conv4(spec)) { Pooling = Pooling.Flatten },
        new("resnet18", "He et al. 2016, arXiv 1512.03385", 512, 11_176_512, 32, spec => new ResNet(spec, [2, 2, 2, 2], bottleneck: false)),
        new("resnet34", "He et al. 2016, arXiv 1512.03385", 512, 21_284_672, 32, spec => new ResNet(spec, [3, 4, 6, 3], bottleneck: false)),
        new("resnet50", "He et al. 2016, arXiv 1512.03385", 2048, 23_508_032, 32, spec => new ResNet(spec, [3, 4, 6, 3], bottleneck: true)),
    ];

    /// <exception cref="InvalidDataException">There is no such backbone.</exception>
    public static BackboneEntry Get(string name) => All.FirstOrDefault(entry => entry.Name == name)
        ?? throw new InvalidDataException($"There is no backbone '{name}'; there are {string.Join(", ", All.Select(entry => entry.Name))}.");
}
