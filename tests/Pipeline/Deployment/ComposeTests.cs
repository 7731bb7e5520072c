using System.Diagnostics;
using System.Text.RegularExpressions;

namespace DmlPipeline.Tests.Pipeline.Deployment;

/// <summary>docker-compose.yml: what must hold of every container, whoever adds one.</summary>
public sealed partial class ComposeTests
{
    private static readonly Node Compose = Manifests.Read("docker-compose.yml").ShouldHaveSingleItem();

    private static IEnumerable<(string Name, Node Service)> All => Compose["services"].Entries;

    /// <summary>Those that stay: the others run once and end.</summary>
    private static IEnumerable<(string Name, Node Service)> Lasting => All.Where(each => each.Service["restart"].Exists);

    private static IEnumerable<(string Name, Node Service)> Served =>
        All.Where(each => each.Service["command"].Items.FirstOrDefault()?.Text == "serve");

    [Fact]
    public void Every_service_of_the_pipeline_has_a_container_and_no_other_is_served()
    {
        Served.Select(each => each.Service["command"].Items.Last().Text).Distinct().ShouldBe(Manifests.Services, ignoreOrder: true);
        Served.Count(each => each.Service["command"].Items.Last().Text == "training" && each.Service["profiles"].Items.Any(profile => profile.Text == "gpu")).ShouldBe(1);
    }

    [Fact]
    public void Every_image_is_pinned()
    {
        foreach (var (name, service) in All) Manifests.IsPinned(service["image"].Text!).ShouldBeTrue($"{name}: {service["image"].Text}");
        foreach (var dockerfile in Directory.GetFiles(Path.Combine(Manifests.Root, "infra", "docker"), "*Dockerfile"))
        {
            var stages = StageName().Matches(File.ReadAllText(dockerfile)).Select(match => match.Groups["name"].Value).ToList();
            foreach (var image in From().Matches(File.ReadAllText(dockerfile)).Select(match => match.Groups["name"].Value).Where(image => !stages.Contains(image)))
                Manifests.IsPinned(image).ShouldBeTrue($"{Path.GetFileName(dockerfile)}: {image}");
        }
    }

    [Fact]
    public void Every_container_that_stays_says_how_it_is_and_stops_within_half_a_minute()
    {
        Lasting.Count().ShouldBeGreaterThanOrEqualTo(9);
        foreach (var (name, service) in Lasting)
        {
            service["healthcheck"]["test"].Items.Count().ShouldBeGreaterThan(1, name);
            service["stop_grace_period"].Text.ShouldBe("30s", name);
        }
    }

    [Fact]
    public void Every_container_is_without_rights_that_it_does_not_need()
    {
        foreach (var (name, service) in All)
        {
            service["read_only"].Text.ShouldBe("true", name);
            service["cap_drop"].Items.Select(item => item.Text).ShouldBe(["ALL"], name);
            service["security_opt"].Items.Select(item => item.Text).ShouldContain("no-new-privileges:true", name);
            service["privileged"].Exists.ShouldBeFalse(name);
            // The images of the pipeline name theirs themselves.
            if (!service["build"].Exists) service["user"].Text.ShouldNotBeNull(name).ShouldNotBe("root");
            foreach (var port in service["ports"].Items) port.Text.ShouldNotBeNull().ShouldStartWith("127.0.0.1:", Case.Sensitive, name);
        }
        foreach (var dockerfile in new[] { "Dockerfile", "minio.Dockerfile" })
            User().Matches(File.ReadAllText(Path.Combine(Manifests.Root, "infra", "docker", dockerfile)))[^1].Groups["name"].Value.ShouldNotBe("root", dockerfile);
    }

    [Fact]
    public void No_password_is_written_down_and_a_missing_one_says_how_to_make_it()
    {
        var secrets = All.SelectMany(each => each.Service["environment"].Entries.Select(entry => (each.Name, entry.Key, entry.Value.Text))).Where(entry => Manifests.IsSecretName(entry.Key)).ToList();
        secrets.Count.ShouldBeGreaterThan(20);
        foreach (var (name, variable, value) in secrets)
            Required().IsMatch(value ?? "").ShouldBeTrue($"{name}: {variable} is {value}");
    }

    [Fact]
    public void The_script_makes_every_password_that_compose_asks_for()
    {
        var file = Path.Combine(Path.GetTempPath(), $"dml-test-{Guid.NewGuid():N}.env");
        try
        {
            foreach (var _ in new[] { 1, 2 })
            {
                using var script = Process.Start(new ProcessStartInfo(Path.Combine(Manifests.Root, "infra", "docker", "make-secrets"), [file]) { RedirectStandardError = true, UseShellExecute = false })!;
                script.WaitForExit();
                script.ExitCode.ShouldBe(0);
            }

            var made = File.ReadAllLines(file).Where(line => !line.StartsWith('#')).Select(line => line.Split('=', 2)).ToList();
            var asked = Required().Matches(File.ReadAllText(Path.Combine(Manifests.Root, "docker-compose.yml"))).Select(match => match.Groups["name"].Value);
            asked.Except(made.Select(pair => pair[0])).ShouldBeEmpty();
            made.Select(pair => pair[1]).Distinct().Count().ShouldBe(made.Count);
            made.ShouldAllBe(pair => pair[1].Length == 40);
            if (OperatingSystem.IsLinux()) File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Every_variable_of_a_service_is_one_that_it_reads_and_every_service_is_somebody_of_its_own()
    {
        foreach (var (name, service) in Served.Append(("database-schema", Compose["services"]["database-schema"])))
            foreach (var (variable, _) in service["environment"].Entries) Manifests.IsRead(variable).ShouldBeTrue($"{name}: {variable}");
        foreach (var (name, service) in Served)
        {
            var identity = service["command"].Items.Last().Text!;
            service["environment"]["DML_BUS_USER"].Text.ShouldBe($"dml-{identity}", name);
            service["environment"]["DML_STORE_ACCESS_KEY"].Text.ShouldBe($"dml-{identity}", name);
            service["environment"]["DML_DATABASE_USER"].Text.ShouldBe($"dml_{identity}", name);
            service["environment"]["DML_DATABASE_PASSWORD"].Text.ShouldNotBeNull().ShouldContain($"{identity.ToUpperInvariant()}_DATABASE_PASSWORD", Case.Sensitive, name);
        }
    }

    [Fact]
    public void What_a_container_waits_for_is_there_and_can_come_true()
    {
        foreach (var (name, service) in All)
            foreach (var (other, how) in service["depends_on"].Entries)
            {
                var awaited = Compose["services"][other];
                awaited.Exists.ShouldBeTrue($"{name} waits for {other}");
                (how["condition"].Text == "service_healthy" ? awaited["healthcheck"].Exists : !awaited["restart"].Exists).ShouldBeTrue($"{name} waits for {other}");
            }
    }

    [Fact]
    public void Every_file_that_is_mounted_is_there()
    {
        var mounted = All.SelectMany(each => each.Service["volumes"].Items).Select(volume => volume.Text!.Split(':')[0]).Where(source => source.StartsWith("./", StringComparison.Ordinal)).ToList();
        mounted.ShouldNotBeEmpty();
        foreach (var source in mounted) Path.Exists(Path.Combine(Manifests.Root, source)).ShouldBeTrue(source);
    }

    [GeneratedRegex(@"^FROM\s+(?<name>\S+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex From();

    [GeneratedRegex(@"^FROM\s+\S+\s+AS\s+(?<name>\S+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex StageName();

    [GeneratedRegex(@"^USER\s+(?<name>\S+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex User();

    [GeneratedRegex(@"\$\{(?<name>[A-Z_]+):\?[^}]*make-secrets[^}]*\}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Required();
}
