using DmlPipeline.Learning.Training;
using TorchSharp;

namespace DmlPipeline.Tests.Torch.Learning.Training;

public sealed class CheckpointFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("dml-checkpoints-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_checkpoint_reads_back_as_it_was_written()
    {
        var file = new CheckpointFile(folder);
        Save(file, step: 7, value: 1.5f);

        var (tensors, position) = file.Load()!.Value;

        position.Step.ShouldBe(7);
        position.RecipeHash.ShouldBe("hash");
        tensors["weights"].data<float>().ToArray().ShouldBe([1.5f, 1.5f]);
        foreach (var tensor in tensors.Values) tensor.Dispose();
    }

    [Fact]
    public void An_empty_folder_has_no_checkpoint() => new CheckpointFile(folder).Load().ShouldBeNull();

    [Fact]
    public void Any_damage_to_the_newest_falls_back_to_the_one_before()
    {
        var file = new CheckpointFile(folder);
        Save(file, step: 1, value: 1);
        Save(file, step: 2, value: 2);
        var sound = File.ReadAllBytes(file.Newest);

        // Every 7th byte from the first to the last, one at a time: header, position, hash, data.
        for (var at = 0; at < sound.Length; at += 7)
        {
            var broken = sound.ToArray();
            broken[at] ^= 0x10;
            File.WriteAllBytes(file.Newest, broken);

            Step(file).ShouldBe(1, $"byte {at}");
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(100)]
    [InlineData(-1)]
    public void A_file_cut_short_falls_back_to_the_one_before(int length)
    {
        var file = new CheckpointFile(folder);
        Save(file, step: 1, value: 1);
        Save(file, step: 2, value: 2);
        var sound = File.ReadAllBytes(file.Newest);
        File.WriteAllBytes(file.Newest, sound[..(length < 0 ? sound.Length + length : length)]);

        Step(file).ShouldBe(1);
    }

    [Fact]
    public void A_crash_between_the_two_renames_loses_nothing()
    {
        var file = new CheckpointFile(folder);
        Save(file, step: 1, value: 1);
        File.Move(file.Newest, file.Previous);

        Step(file).ShouldBe(1);
    }

    [Fact]
    public void When_all_are_broken_the_message_says_what_to_do()
    {
        var file = new CheckpointFile(folder);
        File.WriteAllText(file.Newest, "nonsense that is long enough");
        File.WriteAllText(file.Previous, "x");

        Should.Throw<InvalidDataException>(() => file.Load()).Message.ShouldContain("Delete them");
    }

    private static long Step(CheckpointFile file)
    {
        var (tensors, position) = file.Load()!.Value;
        foreach (var tensor in tensors.Values) tensor.Dispose();
        return position.Step;
    }

    private static void Save(CheckpointFile file, long step, float value)
    {
        using var weights = torch.tensor(new[] { value, value });
        file.Save(new Dictionary<string, torch.Tensor>(StringComparer.Ordinal) { ["weights"] = weights }, new TrainingPosition { RecipeHash = "hash", Step = step });
    }
}
