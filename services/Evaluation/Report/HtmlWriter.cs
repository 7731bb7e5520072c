using System.Net;
using System.Runtime.CompilerServices;

namespace DmlPipeline.Evaluation.Report;

/// <summary>Writes HTML in which every interpolated value is encoded: markup comes from the program's text alone, never from data.</summary>
internal sealed class HtmlWriter(TextWriter output)
{
#pragma warning disable CA1822, IDE0060 // The handler has written everything by the time this is called.
    public void Write([InterpolatedStringHandlerArgument("")] ref Interpolation html)
    {
    }
#pragma warning restore CA1822, IDE0060

    /// <summary>Writes the program's own markup.</summary>
    public void Markup(string html) => output.Write(html);

    [InterpolatedStringHandler]
    public readonly ref struct Interpolation
    {
        private readonly TextWriter output;

        public Interpolation(int literalLength, int formattedCount, HtmlWriter writer)
        {
            _ = (literalLength, formattedCount);
            output = writer.Output;
        }

        public void AppendLiteral(string markup) => output.Write(markup);

        public void AppendFormatted(string? value) => WebUtility.HtmlEncode(value, output);

        public void AppendFormatted<T>(T value, string? format = null) where T : IFormattable =>
            WebUtility.HtmlEncode(value.ToString(format, formatProvider: null), output);
    }

    private TextWriter Output => output;
}
