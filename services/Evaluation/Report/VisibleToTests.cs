using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("DmlPipeline.Tests.Torch")]
