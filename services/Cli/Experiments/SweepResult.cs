using System.Text.Json.Nodes;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Search;

namespace DmlPipeline.Cli.Experiments;

/// <summary>What a sweep has found so far, from its folder alone.</summary>
internal sealed record SweepResult(string Folder, JsonObject Inputs, int Planned, IReadOnlyList<TrialRecord> Trials)
{
    private const int Shown = 10;

    public string Name => Path.GetFileName(Folder);

    public TrialRecord? Best => TrialLog.Best(Trials);

    public string BestRecipe => Path.Combine(Folder, "best.yaml");

    public string Dataset => $"{Inputs["dataset"]} v{Inputs["datasetVersion"]}";

    public string Progress => Trials.Count < Planned ? $"{Trials.Count} of {Planned}" : $"{Trials.Count}";

    public static SweepResult Read(string folder)
    {
        var begun = ExperimentFolder.Read(folder)!;
        return new SweepResult(folder, begun["inputs"]!.AsObject(), begun["planned"]!.GetValue<int>(), TrialLog.Read(folder));
    }

    /// <summary>Writes the best recipe, what it leaves to the data still left open.</summary>
    public void WriteBest(SweepPlan plan)
    {
        if (Best is not { } best) return;
        var head = $"# The best of {Trials.Count} trials ({plan.Method}) on the validation classes of {Dataset}: MAP@R {Show.Percent(best.Score!.Value)}. Found by the sweep {Name}.\n";
        File.WriteAllText(BestRecipe + ".partial", head + RecipeVariation.ToYaml(RecipeFile.Parse(RecipeFile.ToCanonicalJson(plan.RecipeAt(best.Values)), "the best recipe")));
        File.Move(BestRecipe + ".partial", BestRecipe, overwrite: true);
    }

    public void Print(Screen screen, string useIt)
    {
        screen.Heading($"sweep {Name}: {Inputs["recipeName"]} on the validation classes of {Dataset}, {Inputs["method"]}, {Progress} trials");
        var keys = Trials.SelectMany(trial => trial.Values.Keys).Distinct(StringComparer.Ordinal).ToList();
        var ranked = Trials.OrderByDescending(trial => trial.Share).ThenByDescending(trial => trial.Rank).Take(Shown).ToList();
        screen.Table(["  trial", ">map@r", ">recall@1", ">epochs", ">took", "state", .. keys.Select(key => ">" + key)], ranked.Select(trial => (string[])
        [
            $"  {trial.Trial + 1}{(trial.Share < 1 ? $" (1/{1 / trial.Share:0} length)" : "")}", trial.Score is { } score ? Show.Percent(score) : "–", trial.Recall1 is { } recall ? Show.Percent(recall) : "–",
            $"{trial.Epochs}", Show.Duration(TimeSpan.FromSeconds(trial.Seconds)), trial.State, .. keys.Select(key => trial.Values.GetValueOrDefault(key, "")),
        ]));
        if (Trials.Count > Shown) screen.Line($"  … and {Trials.Count - Shown} more in {Path.Combine(Folder, "trials.jsonl")}");
        if (Best is null) return;
        screen.Line();
        screen.Line($"  Best recipe: {BestRecipe}");
        screen.Line($"  Train it with: {useIt}");
    }

    public JsonObject ToJson() => new()
    {
        ["sweep"] = Name,
        ["folder"] = Folder,
        ["inputs"] = Inputs.DeepClone(),
        ["planned"] = Planned,
        ["trials"] = new JsonArray([.. Trials.Select(Screen.ToJson)]),
        ["best"] = Best is { } best ? Screen.ToJson(best) : null,
        ["bestRecipe"] = Best is null ? null : BestRecipe,
    };
}
