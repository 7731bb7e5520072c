using System.ComponentModel.DataAnnotations;

namespace DmlPipeline.Registry;

public sealed class RegistryOptions
{
    /// <summary>What a challenger must be better in. MAP@R sees the whole ranking and is steadier than recall@1.</summary>
    [Required]
    public string PromotionMetric { get; set; } = "map@r";
}
