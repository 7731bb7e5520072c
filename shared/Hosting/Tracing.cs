using System.Diagnostics;

namespace DmlPipeline.Hosting;

/// <summary>The pipeline's own spans. Between them the trace context travels in messages, and in rows of the outbox and of jobs.</summary>
public static class Tracing
{
    public static readonly ActivitySource Source = new("DmlPipeline");
}
