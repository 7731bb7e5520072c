namespace DmlPipeline.Hosting;

/// <summary>A setting is missing, wrong, or does not fit what it points at.</summary>
/// <param name="setting">Its name, as <c>dml serve --help</c> lists it: <c>bus</c>, <c>bus-password</c>, <c>database</c>, …</param>
/// <param name="problem">What is wrong, and what would be right, in a sentence.</param>
/// <param name="inner">The error that showed it.</param>
public sealed class SettingException(string setting, string problem, Exception? inner = null) : Exception($"{setting}: {problem}", inner)
{
    public string Setting => setting;

    /// <summary>Without the setting's name.</summary>
    public string Problem => problem;
}
