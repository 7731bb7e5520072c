#:property PublishAot=false
#:property RestorePackagesWithLockFile=false
#:property NoWebFramework=true

// Compares the public API of the binding with a real TorchSharp assembly: every public or protected member of ours in the namespaces of
// TorchSharp must exist there under the same name, with the same parameter types, the same optional parameters and the same result.
//
//   dotnet run ApiCheck.cs -- DmlPipeline.Torch.dll TorchSharp.dll
using System.Reflection;
using System.Runtime.Loader;

if (args.Length != 2)
{
    Console.Error.WriteLine("Usage: ApiCheck <DmlPipeline.Torch.dll> <TorchSharp.dll>");
    return 2;
}

var ours = Load(args[0]);
var theirs = Load(args[1]).ToDictionary(t => t.FullName!, StringComparer.Ordinal);
var missing = new List<string>();
var members = 0;
foreach (var type in ours.Where(t => t.FullName!.StartsWith("TorchSharp.", StringComparison.Ordinal)))
{
    if (!theirs.TryGetValue(type.FullName!, out var other))
    {
        missing.Add($"type {type.FullName}");
        continue;
    }
    if (type.IsEnum)
    {
        var known = Enum.GetNames(other).Zip(Enum.GetValuesAsUnderlyingType(other).Cast<object>()).ToHashSet();
        foreach (var value in Enum.GetNames(type).Zip(Enum.GetValuesAsUnderlyingType(type).Cast<object>()))
            if (!known.Contains(value)) missing.Add($"{type.FullName}.{value.First} = {value.Second}");
        continue;
    }
    var inherited = Signatures(other, declaredOnly: false).ToHashSet(StringComparer.Ordinal);
    foreach (var signature in Signatures(type, declaredOnly: true))
    {
        members++;
        if (!inherited.Contains(signature)) missing.Add($"{type.FullName} :: {signature}");
    }
}
foreach (var line in missing.Order(StringComparer.Ordinal)) Console.WriteLine($"TorchSharp lacks {line}");
Console.WriteLine($"{members} members compared, {missing.Count} missing in TorchSharp.");
return missing.Count == 0 ? 0 : 1;

static Type[] Load(string path)
{
    var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
    var context = new AssemblyLoadContext(path);
    context.Resolving += (c, name) =>
    {
        var file = Path.Combine(folder, name.Name + ".dll");
        return File.Exists(file) ? c.LoadFromAssemblyPath(file) : null;
    };
    try
    {
        return [.. context.LoadFromAssemblyPath(Path.GetFullPath(path)).GetTypes().Where(t => t.IsVisible)];
    }
    catch (ReflectionTypeLoadException e)
    {
        // Types that need an absent library (image codecs) are none of ours.
        return [.. e.Types.OfType<Type>().Where(t => t.IsVisible)];
    }
}

static IEnumerable<string> Signatures(Type type, bool declaredOnly)
{
    const BindingFlags all = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;
    var flags = declaredOnly ? all | BindingFlags.DeclaredOnly : all | BindingFlags.FlattenHierarchy;
    foreach (var constructor in type.GetConstructors(all).Where(Visible)) yield return $".ctor({Parameters(constructor)})";
    foreach (var method in type.GetMethods(flags).Where(Visible))
    {
        // A finaliser is no API, and constructors of interfaces implemented privately are not visible.
        if (method.Name == "Finalize") continue;
        yield return $"{(method.IsStatic ? "static " : "")}{Name(method.ReturnType)} {method.Name}`{method.GetGenericArguments().Length}({Parameters(method)})";
    }
    foreach (var field in type.GetFields(flags).Where(f => f.IsPublic || f.IsFamily || f.IsFamilyOrAssembly))
        yield return $"field {(field.IsStatic ? "static " : "")}{Name(field.FieldType)} {field.Name}";
}

static bool Visible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

// A missing optional parameter is found because the whole list is compared, defaults included.
static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(p =>
    (p.IsDefined(typeof(ParamArrayAttribute), inherit: false) ? "params " : "") + Name(p.ParameterType)
    + (p.HasDefaultValue ? $" = {Convert.ToString(p.RawDefaultValue, System.Globalization.CultureInfo.InvariantCulture)}" : "")));

static string Name(Type type) => type switch
{
    { IsByRef: true } => Name(type.GetElementType()!) + "&",
    { IsArray: true } => Name(type.GetElementType()!) + $"[{type.GetArrayRank()}]",
    { IsGenericParameter: true } => "!" + type.GenericParameterPosition,
    { IsGenericType: true } => type.GetGenericTypeDefinition().FullName + "<" + string.Join(",", type.GetGenericArguments().Select(Name)) + ">",
    _ => type.FullName ?? type.Name,
};
