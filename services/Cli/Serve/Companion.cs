using DmlPipeline.Local;
using DmlPipeline.Training.Processes;

namespace DmlPipeline.Cli.Serve;

/// <summary>Another process of this program on this machine that trains along with this one.</summary>
internal static class Companion
{
    /// <summary>How one is started.</summary>
    /// <param name="home">This process's.</param>
    /// <param name="flags">Settings that this process was given on its command line; it hands on its environment anyway.</param>
    public static CompanionCommand Command(PipelineHome home, IEnumerable<string> flags)
    {
        // As itself, or through the runtime where that is what runs it.
        string[] program = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dml" ? [Environment.ProcessPath!] : ["dotnet", typeof(Companion).Assembly.Location];
        return new CompanionCommand([.. program, "serve", "training", "--home", home.Path, .. flags]);
    }

    /// <summary>Ends this process as soon as the one that started it is gone, or done: it holds the other end of standard input.</summary>
    public static void LeaveWithParent() =>
        new Thread(() =>
        {
            using var input = Console.OpenStandardInput();
            while (input.ReadByte() >= 0)
            {
                // Nothing is said there.
            }
            Environment.Exit(0);
        })
        { IsBackground = true, Name = "parent" }.Start();
}
