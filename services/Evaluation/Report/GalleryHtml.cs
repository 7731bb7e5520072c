namespace DmlPipeline.Evaluation.Report;

/// <summary>Queries with their nearest neighbours: a mark and a word say what is right and wrong, colour only underlines it.</summary>
internal static class GalleryHtml
{
    private static readonly string[] Types = ["image/png", "image/jpeg", "image/webp"];

    public static void Write(HtmlWriter html, GalleryPart part)
    {
        html.Write($"""<section class="gallery"><h2>{part.Title}</h2><p class="lead">{part.Explanation}</p>""");
        var any = false;
        foreach (var entry in part.Entries)
        {
            any = true;
            WriteEntry(html, entry);
        }
        if (!any) html.Markup("""<p class="none">Nothing to show here.</p>""");
        html.Markup("</section>");
    }

    private static void WriteEntry(HtmlWriter html, GalleryEntry entry)
    {
        html.Markup("""<div class="entry"><figure class="query">""");
        WriteImage(html, entry.Query, "Query");
        WriteCaption(html, entry.Query.Caption, "query");
        html.Markup("</figure><ol>");
        foreach (var match in entry.Matches)
        {
            var (kind, mark, word) = match.Correct switch
            {
                true => ("right", "✓", "same class"),
                false => ("wrong", "✗", "another class"),
                null => ("open", "", "found"),
            };
            html.Write($"""<li><figure class="{kind}">""");
            WriteImage(html, match.Image, word);
            if (mark.Length > 0) html.Write($"""<span class="mark" title="{word}">{mark}</span>""");
            WriteCaption(html, match.Image.Caption, match.Similarity.ToString("0.000"));
            html.Markup("</figure></li>");
        }
        html.Markup("</ol></div>");
    }

    /// <summary>Of a name like Korean/character05 the end tells images apart: it gets the first line.</summary>
    private static void WriteCaption(HtmlWriter html, string caption, string note)
    {
        var cut = caption.LastIndexOf('/');
        var folder = cut > 0 ? " · " + caption[..cut] : "";
        html.Write($"""<figcaption title="{caption}"><b>{caption[(cut + 1)..]}</b><span>{note}{folder}</span></figcaption>""");
    }

    private static void WriteImage(HtmlWriter html, GalleryImage image, string role)
    {
        var (mime, bytes) = image.Thumbnail;
        if (!Types.Contains(mime, StringComparer.Ordinal))
            throw new ArgumentException($"A thumbnail of the type '{mime}' cannot be shown; use {string.Join(", ", Types)}.");
        html.Write($"""<img alt="{role}: {image.Caption}" src="data:{mime};base64,{Convert.ToBase64String(bytes)}">""");
    }
}
