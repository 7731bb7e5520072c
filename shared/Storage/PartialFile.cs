using System.ComponentModel;
using System.Runtime.InteropServices;

namespace DmlPipeline.Storage;

/// <summary>Gives a file that was written under a temporary name its own name, all at once.</summary>
internal static partial class PartialFile
{
    private const int FileExists = 17; // EEXIST

    /// <summary>Puts the file in the place of whatever is there.</summary>
    public static void Replace(string partial, string path)
    {
        // An ETag is length and time: content of the same length that is written within one tick of the file system's clock must differ in it.
        var replaced = new FileInfo(path);
        if (replaced.Exists && File.GetLastWriteTimeUtc(partial) <= replaced.LastWriteTimeUtc)
            File.SetLastWriteTimeUtc(partial, replaced.LastWriteTimeUtc.AddMilliseconds(1));
        File.Move(partial, path, overwrite: true);
    }

    /// <summary>Puts the file there unless something is there already.</summary>
    /// <returns>False when something was.</returns>
    public static bool TryAdd(string partial, string path)
    {
        // File.Move looks first and renames then, so that of two writers at once both would win; a link is refused by the file system itself.
        if (Link(partial, path) == 0)
        {
            File.Delete(partial);
            return true;
        }
        var error = Marshal.GetLastPInvokeError();
        if (error == FileExists) return false;
        throw new IOException(
            $"'{path}' could not be written: {new Win32Exception(error).Message}. The pipeline's folder must lie on a file system with hard links (ext4, xfs, btrfs, zfs, NFS do).");
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string path);
}
