using System.Runtime.InteropServices;
using DmlPipeline.Cli;

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
return await CommandLine.Run(args, Console.Out, Console.Error, stop.Token);

void Stop(PosixSignalContext signal)
{
    // The first signal asks; a second one, to someone who will not wait for a checkpoint, ends the process at once.
    if (stop.IsCancellationRequested) return;
    signal.Cancel = true;
    stop.Cancel();
}
