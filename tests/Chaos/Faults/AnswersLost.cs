using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

/// <summary>The worst of networks: the request was heard and obeyed, a commit for example, and whoever asked never knows.</summary>
internal sealed class AnswersLost(string kind, Func<Pipeline, Relay> relay) : Fault
{
    private const int Times = 5;

    public override string Kind => kind;

    public override string Name => $"{kind}-answers-lost";

    public override string Does => "requests arrive and are obeyed, the answers are held back and then lost with their connections, five times";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        var server = relay(pipeline);
        for (var i = 0; i < Times; i++)
        {
            await Task.Delay(random.Next(500, 2000), cancel);
            using var held = server.Under(new Weather { HoldsAnswers = true });
            await Task.Delay(random.Next(50, 500), cancel);
            server.Cut();
        }
        return "all services";
    }
}
