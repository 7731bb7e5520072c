using DmlPipeline.Learning.Models;

namespace DmlPipeline.Learning.Backbones;

/// <summary>The networks that a model can be built on. A new one is one file, one line here and one in the recipe's list.</summary>
public static class BackboneCatalogue
{
    /// <summary>All backbones, smallest first.</summary>
    public static IReadOnlyList<BackboneEntry> All { get; } =
    [
        new("conv4", "Vinyals et al. 2016, arXiv 1606.04080", Conv4.Width, 112_832, 16, spec => new Conv4(spec)) { Pooling = Pooling.Flatten },
        new("mobilenet-v3-small", "Howard et al. 2019, arXiv 1905.02244", 576, 927_008, 32, MobileNetV3.Small),
        new("mobilenet-v3-large", "Howard et al. 2019, arXiv 1905.02244", 960, 2_971_952, 32, MobileNetV3.Large),
        new("efficientnet-b0", "Tan and Le 2019, arXiv 1905.11946", 1280, 4_007_548, 32, EfficientNet.Build),
        new("googlenet", "Szegedy et al. 2015, arXiv 1409.4842", 1024, 5_599_904, 32, GoogLeNet.Build) { Normalisation = Normalisation.Half },
        new("bn-inception", "Ioffe and Szegedy 2015, arXiv 1502.03167", 1024, 10_270_240, 32, spec => new BnInception(spec)) { Normalisation = Normalisation.Caffe },
        new("resnet18", "He et al. 2016, arXiv 1512.03385", 512, 11_176_512, 32, spec => new ResNet(spec, [2, 2, 2, 2], bottleneck: false)),
        new("resnet34", "He et al. 2016, arXiv 1512.03385", 512, 21_284_672, 32, spec => new ResNet(spec, [3, 4, 6, 3], bottleneck: false)),
        new("vit-s16", "Dosovitskiy et al. 2021, arXiv 2010.11929", VisionTransformer.Width, 21_665_664, VisionTransformer.Patch, spec => new VisionTransformer(spec))
        {
            SideMultiple = VisionTransformer.Patch, Pooling = Pooling.ClassToken, Normalisation = Normalisation.Half,
        },
        new("resnet50", "He et al. 2016, arXiv 1512.03385", 2048, 23_508_032, 32, spec => new ResNet(spec, [3, 4, 6, 3], bottleneck: true)),
    ];

    /// <exception cref="InvalidDataException">There is no such backbone.</exception>
    public static BackboneEntry Get(string name) => All.FirstOrDefault(entry => entry.Name == name)
        ?? throw new InvalidDataException($"There is no backbone '{name}'; there are {string.Join(", ", All.Select(entry => entry.Name))}.");
}
