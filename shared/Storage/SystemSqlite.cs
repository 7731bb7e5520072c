using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace DmlPipeline.Storage;

/// <summary>Uses the system's SQLite, which its distribution keeps patched, in place of one bundled with a package.</summary>
internal static class SystemSqlite
{
    private static readonly Lock Once = new();
    private static bool used;

    internal static void Use()
    {
        lock (Once)
        {
            if (used) return;
            NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);
            raw.SetProvider(new SQLite3Provider_e_sqlite3());
            used = true;
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != "e_sqlite3") return 0;
        foreach (var candidate in new[] { "libsqlite3.so.0", "libsqlite3.dylib", "sqlite3" })
            if (NativeLibrary.TryLoad(candidate, assembly, path, out var handle)) return handle;
        throw new DllNotFoundException("SQLite is not installed. On Debian and Ubuntu: apt-get install libsqlite3-0");
    }
}
