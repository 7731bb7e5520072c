using DmlPipeline.Storage;

namespace DmlPipeline.Local;

/// <summary>
/// Words for people that may be lost: a terminal that has gone, or a log file on a full disk, must not take with it the work that they tell of.
/// Results are another matter; who asked for them has to hear that they could not be written.
/// </summary>
public static class BestEffort
{
    /// <returns>Whether it could be told.</returns>
    public static bool Tell(Action tell)
    {
        try
        {
            tell();
            return true;
        }
        catch (Exception e) when (e is IOException || NoRoom.IsMeantBy(e))
        {
            return false;
        }
    }
}
