using System.Runtime.InteropServices;
using DmlPipeline.Chaos;

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
return await ChaosCommand.Create().Parse(args).InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, stop.Token);

void Stop(PosixSignalContext signal)
{
    // The first signal asks: servers and services are stopped. A second one ends this process, and a guard stops them.
    if (stop.IsCancellationRequested) return;
    signal.Cancel = true;
    stop.Cancel();
}
