using System.Security.Cryptography;
using System.Text;
using DmlPipeline.Contracts.Datasets;

namespace DmlPipeline.Ingestion.Splits;

/// <summary>Number of units meant for each split.</summary>
internal sealed record SplitTargets(int Train, int Validation, int Test)
{
    /// <summary>
    /// test = ceil(share), validation = round(share) but at least 2 from 6 units on (retrieval needs something to confuse), the rest
    /// trains: 10 units give 5/2/3, 30 give 19/3/8. Few units give up validation first, then share evenly: 4 give 2/0/2, 5 give 3/0/2;
    /// of 2 or 3 one is the test, which serves folders of classes only (2 or 3 single classes are too few to train and to judge).
    /// </summary>
    public static SplitTargets For(int units, double validationShare, double testShare)
    {
        if (units < 2) return new SplitTargets(units, 0, 0);
        var test = (int)Math.Ceiling(testShare * units - 1e-9);
        test = Math.Clamp(test, units >= 4 ? 2 : 1, units >= 4 ? units - 2 : 1);
        var validation = validationShare <= 0 || units < 6 ? 0 : Math.Max(2, (int)Math.Round(validationShare * units, MidpointRounding.AwayFromZero));
        validation = Math.Clamp(validation, 0, Math.Max(0, units - test - 2));
        return new SplitTargets(units - test - validation, validation, test);
    }
}

/// <summary>Divides units between train, validation and test. Pure, and a function of the set of units only, not of their order.</summary>
internal static class SplitAssigner
{
    /// <param name="dataset">Enters the order, so that two datasets do not share their luck.</param>
    /// <param name="units">All units of the version.</param>
    /// <param name="settled">Units whose split is given: by the parent version, by label files, by the settings. They never move.</param>
    /// <param name="fillValidation">False when validation is exactly what is settled.</param>
    /// <param name="fillTest">False when the test is exactly what is settled.</param>
    public static IReadOnlyDictionary<string, string> Assign(
        string dataset, IReadOnlyCollection<string> units, IReadOnlyDictionary<string, string> settled,
        double validationShare, double testShare, bool fillValidation = true, bool fillTest = true)
    {
        var assigned = units.Where(settled.ContainsKey).ToDictionary(unit => unit, unit => settled[unit], StringComparer.Ordinal);
        var targets = SplitTargets.For(units.Count, validationShare, testShare);
        var train = assigned.Values.Count(s => s == SplitNames.Train);
        var validation = assigned.Values.Count(s => s == SplitNames.Validation);
        var test = assigned.Values.Count(s => s == SplitNames.Test);

        var arriving = units.Where(u => !settled.ContainsKey(u)).OrderBy(u => Rank(dataset, u), StringComparer.Ordinal).ToList();
        for (var i = 0; i < arriving.Count; i++)
        {
            var unit = arriving[i];
            var testGap = fillTest ? targets.Test - test : int.MinValue;
            // Validation on one class alone says nothing, so it waits until two can join.
            var validationGap = fillValidation && (validation > 0 || arriving.Count - i >= 2) ? targets.Validation - validation : int.MinValue;
            var trainGap = fillTest && fillValidation ? targets.Train - train : 0;
            // Each new unit goes where most are missing; training first when equal.
            if (trainGap >= testGap && trainGap >= validationGap) (assigned[unit], train) = (SplitNames.Train, train + 1);
            else if (testGap >= validationGap) (assigned[unit], test) = (SplitNames.Test, test + 1);
            else (assigned[unit], validation) = (SplitNames.Validation, validation + 1);
        }
        return assigned;
    }

    /// <summary>
    /// Takes the validation out of the units that an official split trains on; at least 2, and none of fewer than 4. The layout alone
    /// decides which, so that everybody's copy of a published dataset has the same validation classes.
    /// </summary>
    /// <param name="layout">Enters the order.</param>
    /// <param name="arriving">Units to train on that are new; others never move.</param>
    /// <param name="settled">The split of every unit.</param>
    /// <param name="share">Of the units to train on.</param>
    public static Dictionary<string, string> Validate(
        string layout, IReadOnlyCollection<string> arriving, IReadOnlyDictionary<string, string> settled, double share)
    {
        var assigned = new Dictionary<string, string>(settled, StringComparer.Ordinal);
        var validation = settled.Values.Count(s => s == SplitNames.Validation);
        var units = validation + settled.Values.Count(s => s == SplitNames.Train);
        var target = share <= 0 || units < 4 ? 0 : Math.Clamp((int)Math.Round(share * units, MidpointRounding.AwayFromZero), 2, units - 2);
        foreach (var unit in arriving.OrderBy(u => Rank(layout, u), StringComparer.Ordinal).Take(Math.Max(0, target - validation))) assigned[unit] = SplitNames.Validation;
        return assigned;
    }

    private static string Rank(string dataset, string unit) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(dataset + unit)));
}
