using System.Globalization;
using CsvHelper;
using DmlPipeline.Cli.Images;
using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Cli.Judging;

/// <summary>A CSV file that says what each image does in an evaluation: columns image, role, and optionally camera.</summary>
internal static class RolesFile
{
    public static QueryGallery Read(string path, ImageSource images)
    {
        if (!File.Exists(path)) throw new CliException($"There is no file '{path}'.");
        try
        {
            using var stream = File.OpenRead(path);
            using var csv = CsvReader.Create(stream, CsvReaderOptions.Default with { TrimWhitespace = true }, leaveOpen: true);
            return Read(csv, path, images);
        }
        catch (CsvFormatException e)
        {
            throw new CliException($"{path} cannot be read as CSV: {e.Message}", e);
        }
    }

    private static QueryGallery Read(CsvReader csv, string path, ImageSource images)
    {
        if (!csv.TryGetFieldIndex("image", out var image) || !csv.TryGetFieldIndex("role", out var role))
            throw new CliException($"{path} needs a first line with the columns image and role, and camera where cameras matter.");
        var hasCameras = csv.TryGetFieldIndex("camera", out var camera);
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < images.Count; i++) places[images.Name(i)] = i;

        var (roles, cameras) = (new ImageRole[images.Count], new int[images.Count]);
        Array.Fill(roles, ImageRole.Junk);
        Array.Fill(cameras, -1);
        var row = 1;
        for (; csv.Read(); row++)
        {
            var name = Field(image);
            if (!places.TryGetValue(name, out var place)) throw Wrong($"there is no image '{name}' in {images.Title}, whose images are named like '{images.Name(0)}'");
            roles[place] = Field(role).ToLowerInvariant() switch
            {
                "query" => ImageRole.Query,
                "gallery" => ImageRole.Gallery,
                "both" => ImageRole.Both,
                "junk" => ImageRole.Junk,
                var other => throw Wrong($"'{other}' is no role; there are query, gallery, both and junk"),
            };
            if (hasCameras && !int.TryParse(Field(camera), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out cameras[place]))
                throw Wrong($"'{Field(camera)}' is no camera; give a whole number, -1 where there is none");
        }
        return row > 1 ? new QueryGallery { Roles = roles, Cameras = hasCameras ? cameras : null } : throw new CliException($"{path} names no image.");

        string Field(int column) => column < csv.FieldCount ? csv.GetString(column) : "";
        CliException Wrong(string problem) => new($"{path}, row {row} after the header: {problem}.");
    }
}
