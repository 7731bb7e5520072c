using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Images;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml embed PATH… -o FILE</c>: turns images into vectors.</summary>
internal static class EmbedCommand
{
    private static readonly Argument<string[]> Paths = new("PATH") { Description = "Images, folders, archives", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string> Model = new("--model", "-m") { Description = ModelReference.Description, HelpName = "MODEL", Required = true };
    private static readonly Option<string> Output = new("--output", "-o") { Description = "F.safetensors, or F.npy with the names in F.json beside it", HelpName = "F", Required = true };

    public static Command Create()
    {
        var command = new DocumentedCommand("embed", "Turn images into embeddings: float32 rows of unit length, whose inner product is their similarity")
        {
            Examples = ["embed photos/ --model birds@champion -o photos.npy", "embed a.jpg b.jpg --model birds@3 -o pair.safetensors"],
            Arguments = { Paths },
            Options = { Model, Output, SettingSources.FileFlag },
        };
        Output.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is { } file && !file.EndsWith(".npy", StringComparison.Ordinal) && !file.EndsWith(".safetensors", StringComparison.Ordinal))
                result.AddError($"'{file}' must end in .safetensors or .npy: the ending decides the format");
        });
        command.SetAction(Run);
        return command;
    }

    private static async Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        using var homes = await HomeOrNone.Open(parse, cancel);
        var model = await ModelReference.Find(homes, parse.GetRequiredValue(Model), cancel);
        using var images = await LooseImages.Open(homes, parse.GetRequiredValue(Paths), screen.Live, cancel);
        using var session = await EmbeddingSession.Load(model, screen.Live);
        var names = Enumerable.Range(0, images.Count).Select(images.Name).ToList();
        var classes = Enumerable.Range(0, images.Count).Select(images.Class).ToList();
        var embeddings = await session.Embed(classes, images.Read, images.Name, cancel);

        var output = parse.GetRequiredValue(Output);
        var written = await Write(output, embeddings, names, classes, model, cancel);
        if (screen.IsJson)
        {
            screen.Json(new JsonObject
            {
                ["files"] = Screen.ToJson(written), ["images"] = embeddings.Rows, ["dimension"] = embeddings.Dimension, ["model"] = model.Name, ["refused"] = images.Refused.Count(),
            });
            return 0;
        }
        screen.Line($"{Show.Count(embeddings.Rows, "image")} as rows of {embeddings.Dimension} in {string.Join(" and ", written)}, by {model.Name}.");
        RefusedFiles.Print(screen, [.. images.Refused], images.Refused.Count());
        return 0;
    }

    private static async Task<IReadOnlyList<string>> Write(
        string output, Embeddings embeddings, IReadOnlyList<string> names, IReadOnlyList<string> classes, ModelReference model, CancellationToken cancel)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(output))!);
        await using var file = File.Create(output);
        if (output.EndsWith(".safetensors", StringComparison.Ordinal))
        {
            EmbeddingCache.Write(file, embeddings, new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["names"] = JsonSerializer.Serialize(names, ContractJson.Compact), ["classes"] = JsonSerializer.Serialize(classes, ContractJson.Compact), ["model"] = model.Name,
            });
            return [output];
        }
        Npy.Write(file, embeddings);
        var beside = Path.ChangeExtension(output, ".json");
        await File.WriteAllTextAsync(beside, JsonSerializer.Serialize(new { Model = model.Name, Names = names, Classes = classes }, ContractJson.Indented), cancel);
        return [output, beside];
    }
}
