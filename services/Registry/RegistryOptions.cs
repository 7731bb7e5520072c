using System.ComponentModel.DataAnnotations;
using DmlPipeline.Registry.Gates;

namespace DmlPipeline.Registry;

public sealed class RegistryOptions
{
    /// <summary>What a challenger must be better in, where the gate file names nothing else. MAP@R sees the whole ranking and is steadier than recall@1.</summary>
    [Required]
    public string PromotionMetric { get; set; } = "map@r";

    /// <summary>YAML file with the rule of promotion; null for the defaults. It is read for every decision, so a change needs no restart.</summary>
    public string? GateFile { get; set; }

    /// <summary>File with a name and a token on each line: who may change something over HTTP. Null: nobody.</summary>
    public string? TokenFile { get; set; }

    /// <summary>Networks by commas, such as <c>10.0.0.0/8</c>, that webhooks may reach although they are not public.</summary>
    public string? WebhookNetworks { get; set; }

    /// <summary>How long a webhook may take to answer.</summary>
    [Range(0.1, 120)]
    public double WebhookTimeoutSeconds { get; set; } = 15;

    /// <exception cref="GateFileException">The file cannot be read or understood.</exception>
    public GateRule RuleOf(string model) => Gates.GateFile.RuleOf(GateFile, model, new GateRule { Metric = PromotionMetric });
}
