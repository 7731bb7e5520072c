using System.Globalization;
using DmlPipeline.Hosting;
using DmlPipeline.Local;
using DmlPipeline.Storage.S3;
using DmlPipeline.Torch;
using DmlPipeline.Training;
using DmlPipeline.Training.Processes;

namespace DmlPipeline.Cli.Serve;

/// <summary>Processes of several machines that train together: the group settings, or the variables that torchrun and its like set.</summary>
internal static class GroupSettings
{
    // As torchrun names them. Where it serves the port itself, it says so.
    private const string Address = "MASTER_ADDR", Port = "MASTER_PORT", Rank = "RANK", Size = "WORLD_SIZE", Network = "GLOO_SOCKET_IFNAME", Hosted = "TORCHELASTIC_USE_AGENT_STORE";

    /// <returns>Null for a process that trains by itself.</returns>
    /// <exception cref="SettingException">A setting is missing or wrong.</exception>
    public static GroupMembership? Read(SettingSources sources)
    {
        var own = sources[Settings.Group];
        var place = own ?? (sources.Variable(Address) is { } host ? $"{host}:{sources.Variable(Port) ?? throw Missing(Settings.Group, Port, Address)}" : null);
        if (place is null) return null;
        var size = Number(Settings.GroupSize, sources[Settings.GroupSize] ?? sources.Variable(Size) ?? throw Missing(Settings.GroupSize, Size, place), from: 1, to: 4096);
        var rank = Number(Settings.GroupRank, sources[Settings.GroupRank] ?? sources.Variable(Rank) ?? throw Missing(Settings.GroupRank, Rank, place), from: 0, to: size - 1);
        return size == 1 ? null : new GroupMembership(Meeting(place, sources[Settings.GroupNetwork] ?? sources.Variable(Network), own is null && sources.Variable(Hosted) == "True"), rank, size);
    }

    private static MeetingPoint Meeting(string place, string? network, bool isHosted)
    {
        if (Path.IsPathRooted(place)) return MeetingPoint.OfThisMachine(place);
        var colon = place.LastIndexOf(':');
        return colon > 0 && int.TryParse(place[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536
            ? MeetingPoint.At(place[..colon], port, network, isHosted)
            : throw new SettingException(Settings.Group.Name, $"'{place}' is no place to meet: write HOST:PORT of the machine of rank 0, for example 10.0.0.5:29500");
    }

    private static int Number(Setting setting, string text, int from, int to) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= from && number <= to
            ? number
            : throw new SettingException(setting.Name, $"'{text}' is no number from {from} to {to}");

    private static SettingException Missing(Setting setting, string variable, string forWhat) => new(setting.Name, $"a group at {forWhat} needs it, or {variable}");
}

/// <summary>What a process needs that trains along with rank 0: the group and the store, neither bus nor database.</summary>
internal sealed record FollowSettings(GroupMembership Group, S3Settings? Bucket, string StoreFolder, long ImageCacheBytes)
{
    /// <exception cref="SettingException">A setting is missing or wrong.</exception>
    public static FollowSettings Read(GroupMembership group, SettingSources sources, IReadOnlyList<PipelineService> services, PipelineHome home)
    {
        if (services is not [var only] || only != PipelineService.Training)
            throw new SettingException(Settings.GroupRank.Name, $"rank {group.Rank} trains along with rank 0 and serves nothing else: dml serve training");
        var bytes = sources.Variable("DML_TRAINING__IMAGECACHEBYTES") ?? sources.FromFile.Options.GetValueOrDefault("training:ImageCacheBytes");
        return new FollowSettings(
            group, ServeSettings.BucketOf(sources, Path.GetFullPath(sources[Settings.Work] ?? home.Path)), sources[Settings.Store] ?? home.StoreFolder,
            bytes is null ? new TrainingOptions().ImageCacheBytes : long.Parse(bytes, CultureInfo.InvariantCulture));
    }
}
