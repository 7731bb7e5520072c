using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Registry.Promotion;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml models approve|reject|check|alias|unalias</c> and <c>dml rollback</c>: what people decide about versions.</summary>
internal static class VerdictCommands
{
    private static readonly Argument<string> Version = new("NAME@VERSION") { Description = "One version of a model: NAME@3, NAME@challenger, NAME@latest" };
    private static readonly Argument<string> Model = new("MODEL") { Description = "The model" };
    private static readonly Argument<string> Check = new("CHECK") { Description = "Name of the check, as a gate's rule requires it" };
    private static readonly Argument<string> Result = new("RESULT") { Description = "pass or fail" };
    private static readonly Argument<string> Alias = new("ALIAS") { Description = "shadow, or a name of your own" };
    private static readonly Option<string> To = new("--to") { Description = "This version instead of the champion before", HelpName = "V" };
    private static readonly Option<bool> Protect = new("--protect") { Description = "From now on the alias is not moved without --anyway" };
    private static readonly Option<bool> Anyway = new("--anyway") { Description = "Also against the gate's refusal, or when the alias is protected" };

    static VerdictCommands() => Result.AcceptOnlyFromAmong("pass", "fail");

    public static IEnumerable<Command> OfModels() =>
    [
        Define(
            "approve", "Approve a version that waits: it becomes champion unless something else is missing", ["models approve birds@challenger --why 'looked at the worst queries'"], [Version], [Anyway],
            parse =>
            {
                var (model, version) = Split(parse);
                var anyway = parse.GetValue(Anyway);
                return new DeskRequest("POST", $"{model}/{version}/approve", new JsonObject { ["anyway"] = anyway }, (desk, by, why, cancel) => desk.Approve(model, version, by, why, anyway, cancel));
            }),
        Define(
            "reject", "Reject a version, so that it does not become champion", ["models reject birds@challenger --why 'confuses the finches'"], [Version], [],
            parse =>
            {
                var (model, version) = Split(parse);
                return new DeskRequest("POST", $"{model}/{version}/reject", [], (desk, by, why, cancel) => desk.Reject(model, version, by, why, cancel));
            }),
        Define(
            "check", "Report the result of a check that a gate may require", ["models check birds@challenger bias-review pass --why 'report 17'"], [Version, Check, Result], [],
            parse =>
            {
                var (model, version) = Split(parse);
                var (name, passed) = (parse.GetRequiredValue(Check), parse.GetRequiredValue(Result) == "pass");
                return new DeskRequest("POST", $"{model}/{version}/checks/{Uri.EscapeDataString(name)}", new JsonObject { ["passed"] = passed },
                    (desk, by, why, cancel) => desk.Check(model, version, name, passed, by, why, cancel));
            }),
        Define(
            "alias", "Point an alias at a version", ["models alias birds@5 shadow --why 'watched for a week beside the champion'"], [Version, Alias], [Protect, Anyway],
            parse =>
            {
                var (model, version) = Split(parse);
                var (alias, protect, anyway) = (parse.GetRequiredValue(Alias), parse.GetValue(Protect) ? true : (bool?)null, parse.GetValue(Anyway));
                return new DeskRequest("PUT", $"{model}/aliases/{Uri.EscapeDataString(alias)}", new JsonObject { ["version"] = version, ["protect"] = protect, ["anyway"] = anyway },
                    (desk, by, why, cancel) => desk.SetAlias(model, version, alias, protect, anyway, by, why, cancel));
            }),
        Define(
            "unalias", "Take an alias away", ["models unalias birds shadow --why 'the week is over'"], [Model, Alias], [Anyway],
            parse =>
            {
                var (model, alias, anyway) = (parse.GetRequiredValue(Model), parse.GetRequiredValue(Alias), parse.GetValue(Anyway));
                return new DeskRequest("POST", $"{model}/aliases/{Uri.EscapeDataString(alias)}/remove", new JsonObject { ["anyway"] = anyway },
                    (desk, by, why, cancel) => desk.RemoveAlias(model, alias, anyway, by, why, cancel));
            }),
    ];

    public static Command Rollback() => Define(
        "rollback", "Put the champion before this one back, at once", ["rollback birds --why 'v7 mistakes wrens for robins'", "rollback birds --to 4 --why 'the last one that was right'"], [Model], [To],
        parse =>
        {
            var (model, to) = (parse.GetRequiredValue(Model), parse.GetValue(To));
            return new DeskRequest("POST", $"{model}/rollback", new JsonObject { ["to"] = to }, (desk, by, why, cancel) => desk.Rollback(model, to, by, why, cancel));
        });

    private static DocumentedCommand Define(
        string name, string description, IReadOnlyList<string> examples, IEnumerable<Argument> arguments, IEnumerable<Option> options, Func<ParseResult, DeskRequest> request)
    {
        var command = new DocumentedCommand(name, description)
        {
            Details = "It is written into the model's history, with who decided and why. On a pipeline of many processes: --server names the registry, --token-file holds your token.",
            Examples = examples,
        };
        foreach (var argument in arguments) command.Arguments.Add(argument);
        foreach (var option in options.Concat(DeskRequest.Options)) command.Options.Add(option);
        command.SetAction(async (parse, cancel) =>
        {
            var screen = new Screen(parse);
            var answer = await request(parse).Send(parse, cancel);
            if (screen.IsJson) screen.Json(new JsonObject { ["result"] = answer });
            else screen.Line(answer);
            return 0;
        });
        return command;
    }

    private static (string Model, string Version) Split(ParseResult parse)
    {
        var text = parse.GetRequiredValue(Version);
        var at = text.LastIndexOf('@');
        return at > 0 && at < text.Length - 1 ? (text[..at], text[(at + 1)..]) : throw new CliException($"'{text}' names no version: write NAME@VERSION, for example birds@challenger or birds@3.");
    }
}
