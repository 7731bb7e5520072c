namespace DmlPipeline.Learning.Models;

/// <summary>How a feature map [B, C, h, w] becomes one vector [B, C].</summary>
public enum Pooling
{
    /// <summary>The backbone's own: the class token of a transformer, all places of Conv4, the average of the others.</summary>
    Auto,

    /// <summary>The mean over all places.</summary>
    Average,

    /// <summary>The largest value of each channel.</summary>
    Max,

    /// <summary>Generalised mean with a learned power: between average and maximum (Radenović et al., arXiv 1711.02512).</summary>
    Gem,

    /// <summary>The sum over all places (Babenko and Lempitsky, arXiv 1510.07493).</summary>
    Spoc,

    /// <summary>The sum over all places, those near the centre weighted more (the same paper, section 4).</summary>
    SpocCentre,

    /// <summary>What a transformer gathers in its extra token.</summary>
    ClassToken,

    /// <summary>No pooling: every place on its own, a vector of C h w values.</summary>
    Flatten,
}
