using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Images;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Evaluation.Report;
using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml search IMAGE… --model M --gallery DATASET</c>: finds the most similar images.</summary>
internal static class SearchCommand
{
    private static readonly Argument<string[]> Queries = new("IMAGE") { Description = "Images to find similar ones for; folders and archives of them", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string> Model = new("--model", "-m") { Description = ModelReference.Description, HelpName = "MODEL", Required = true };

    private static readonly Option<string> Gallery = new("--gallery", "-g")
    {
        Description = "Where to look: a dataset (all images of its latest version), or a folder or archive of class folders",
        HelpName = "NAME-OR-PATH",
        Required = true,
    };

    private static readonly Option<string> Split = EvaluateCommand.SplitOption("Look only in this split of the dataset. Default: all");
    private static readonly Option<int> K = new("--top", "-k") { Description = "How many to find for each image", HelpName = "K", DefaultValueFactory = _ => 5 };
    private static readonly Option<string> Html = new("--html") { Description = "Also write a page that shows them", HelpName = "FILE" };

    public static Command Create()
    {
        K.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 1000) result.AddError("--top must be 1 to 1000");
        });
        var command = new DocumentedCommand("search", "Find the images of a dataset that are most similar to given ones. Classes that training never saw are found too")
        {
            Examples = ["search photo.jpg --model birds@champion --gallery birds", "search photos/ -m birds@champion -g birds -k 10 --html found.html"],
            Arguments = { Queries },
            Options = { Model, Gallery, Split, K, Html, SettingSources.FileFlag },
        };
        command.SetAction(Run);
        return command;
    }

    private static async Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        using var homes = await HomeOrNone.Open(parse, cancel);
        var model = await ModelReference.Find(homes, parse.GetRequiredValue(Model), cancel);
        using var queries = await LooseImages.Open(homes, parse.GetRequiredValue(Queries), screen.Live, cancel);
        using var gallery = await ImageSource.Open(homes, parse.GetRequiredValue(Gallery), parse.GetValue(Split), "all", screen.Live, cancel);
        if (gallery.Count == 0) throw new CliException($"There are no images in {gallery.Title}.");
        var k = Math.Min(parse.GetValue(K), gallery.Count);

        using var session = await EmbeddingSession.Load(model, screen.Live);
        var wanted = await session.Embed([.. Enumerable.Repeat("", queries.Count)], queries.Read, queries.Name, cancel);
        var known = await EmbeddingCache.GetOrEmbed(homes, model, gallery, () => session.Embed(gallery.ClassOfImage, gallery.Read, gallery.Name, cancel));
        var found = await session.Nearest(wanted, known, k, cancel);

        if (parse.GetValue(Html) is { } html) WritePage(html, model, queries, gallery, found);
        if (screen.IsJson) screen.Json(ToJson(model, queries, gallery, found));
        else Print(screen, model, queries, gallery, found, parse.GetValue(Html));
        return 0;
    }

    private static void Print(Screen screen, ModelReference model, LooseImages queries, ImageSource gallery, Neighbours found, string? html)
    {
        for (var q = 0; q < queries.Count; q++)
        {
            screen.Heading($"{queries.Name(q)} by {model.Name}, in {gallery.Title}");
            screen.Table([">", ">similarity", "class", "image"], Enumerable.Range(q * found.K, found.K).Select(at => (string[])
                [$"{at - (q * found.K) + 1}", $"{found.Similarity[at]:0.000}", gallery.ClassOfImage[found.Index[at]], gallery.Name(found.Index[at])]));
            screen.Line();
        }
        if (html is not null) screen.Line($"Page: {Path.GetFullPath(html)}");
    }

    private static JsonObject ToJson(ModelReference model, LooseImages queries, ImageSource gallery, Neighbours found) => new()
    {
        ["model"] = model.Name,
        ["gallery"] = gallery.Title,
        ["galleryImages"] = gallery.Count,
        ["results"] = new JsonArray([.. Enumerable.Range(0, queries.Count).Select(q => new JsonObject
        {
            ["query"] = queries.Name(q),
            ["found"] = new JsonArray([.. Enumerable.Range(q * found.K, found.K).Select(at => new JsonObject
            {
                ["rank"] = at - (q * found.K) + 1,
                ["similarity"] = found.Similarity[at],
                ["class"] = gallery.ClassOfImage[found.Index[at]],
                ["image"] = gallery.Name(found.Index[at]),
            })]),
        })]),
    };

    private static void WritePage(string path, ModelReference model, LooseImages queries, ImageSource gallery, Neighbours found)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using var page = new StreamWriter(path);
        var entries = Enumerable.Range(0, queries.Count).Select(q => new GalleryEntry(
            new GalleryImage(Path.GetFileName(queries.Name(q)), Thumbnails.Of(queries.Read(q))),
            [.. Enumerable.Range(q * found.K, found.K).Select(at => new GalleryMatch(
                new GalleryImage(gallery.ClassOfImage[found.Index[at]], Thumbnails.Of(gallery.Read(found.Index[at]))), found.Similarity[at], Correct: null))]));
        ReportPage.WriteGallery(page, $"{model.Name}: similar images", new GalleryPart(
            "Most similar images", $"The {found.K} nearest of {Show.Count(gallery.Count, "image")} in {gallery.Title}, the nearest first.", entries));
    }
}
