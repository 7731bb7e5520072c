namespace DmlPipeline.Tests.Pipeline.Deployment;

/// <summary>infra/kubernetes: what must hold of every pod, whoever adds one.</summary>
public sealed class KubernetesTests
{
    private const string Folder = "infra/kubernetes";

    private static readonly IReadOnlyList<Node> Base = In("base");
    private static readonly IReadOnlyList<Node> All = [.. Base, .. In("complete"), .. In("gpu")];

    /// <summary>What every deployment of the base is given beside its own.</summary>
    private static Node Common => Base.Single(document => document["metadata"]["name"].Text == "every-service");

    private static IEnumerable<Node> Deployments => Base.Where(document => document["kind"].Text == "Deployment" && document["metadata"]["name"].Text != "every-service");

    [Fact]
    public void Every_service_has_a_deployment_and_may_be_interrupted_one_pod_at_a_time()
    {
        Deployments.Select(Name).ShouldBe(Manifests.Services, ignoreOrder: true);
        Deployments.ShouldAllBe(deployment => Name(deployment) == Container(deployment)["args"].Items.Last().Text);
        Of("PodDisruptionBudget").Select(Name).ShouldBe(Manifests.Services, ignoreOrder: true);
    }

    [Fact]
    public void Every_service_is_asked_whether_it_lives_and_whether_it_can_work()
    {
        var container = Container(Common);
        container["livenessProbe"]["httpGet"]["path"].Text.ShouldBe("/health/live");
        container["startupProbe"]["httpGet"]["path"].Text.ShouldBe("/health/live");
        container["readinessProbe"]["httpGet"]["path"].Text.ShouldBe("/health/ready");
        int.Parse(Pod(Common)["terminationGracePeriodSeconds"].Text!).ShouldBeGreaterThan(30);
    }

    [Fact]
    public void Workers_come_with_what_waits_in_queues_and_jobs()
    {
        foreach (var name in new[] { "training", "evaluation" })
        {
            var scaled = Of("ScaledObject").Single(document => Name(document) == name);
            scaled["spec"]["scaleTargetRef"]["name"].Text.ShouldBe(name);
            scaled["spec"]["triggers"].Items.Select(trigger => trigger["type"].Text).ShouldContain("rabbitmq");
            scaled["spec"]["triggers"].Items.ShouldContain(trigger => trigger["type"].Text == "postgresql" && trigger["metadata"]["query"].Text!.Contains("from jobs", StringComparison.Ordinal));
            // Otherwise each deployment of a new version would set the number back.
            Deployments.Single(deployment => Name(deployment) == name)["spec"]["replicas"].Exists.ShouldBeFalse(name);
        }
        var queues = Of("ScaledObject").SelectMany(document => document["spec"]["triggers"].Items).Select(trigger => trigger["metadata"]["queueName"].Text).OfType<string>();
        queues.Except(Hosting.Messaging.PipelineQueues.All.Select(queue => queue.Name)).ShouldBeEmpty();
    }

    [Fact]
    public void A_training_worker_of_the_gpu_overlay_asks_for_a_gpu()
    {
        var resources = Container(In("gpu").Single(document => Name(document) == "training"))["resources"];
        resources["limits"]["nvidia.com/gpu"].Text.ShouldBe("1");
    }

    [Fact]
    public void Every_container_is_without_rights_and_has_limits()
    {
        foreach (var document in All.Where(document => Pod(document).Exists && !Name(document).StartsWith("every", StringComparison.Ordinal)))
        {
            var isService = document["kind"].Text == "Deployment";
            var pod = isService ? Pod(Common) : Pod(document);
            pod["securityContext"]["runAsNonRoot"].Text.ShouldBe("true", Name(document));
            pod["securityContext"]["seccompProfile"]["type"].Text.ShouldBe("RuntimeDefault", Name(document));
            pod["automountServiceAccountToken"].Text.ShouldBe("false", Name(document));
            foreach (var container in Pod(document)["containers"].Items.Concat(Pod(document)["initContainers"].Items))
            {
                var security = (isService ? Container(Common) : container)["securityContext"];
                security["readOnlyRootFilesystem"].Text.ShouldBe("true", Name(document));
                security["allowPrivilegeEscalation"].Text.ShouldBe("false", Name(document));
                security["capabilities"]["drop"].Items.Select(item => item.Text).ShouldBe(["ALL"], Name(document));
                container["resources"]["requests"]["cpu"].Text.ShouldNotBeNull(Name(document));
                container["resources"]["limits"]["memory"].Text.ShouldNotBeNull(Name(document));
            }
        }
        Of("NetworkPolicy").ShouldContain(policy => !policy["spec"]["podSelector"].Entries.Any() && !policy["spec"]["ingress"].Exists && !policy["spec"]["egress"].Exists);
    }

    [Fact]
    public void Every_image_is_pinned()
    {
        var tags = new[] { "base", "complete" }.SelectMany(folder => Manifests.Read($"{Folder}/{folder}/kustomization.yaml").Single()["images"].Items).ToDictionary(image => image["name"].Text!, image => image["newTag"].Text!, StringComparer.Ordinal);
        var images = All.SelectMany(document => document.Everything()).Where(entry => entry.Key == "image").Select(entry => entry.Value.Text!).ToList();

        images.ShouldNotBeEmpty();
        foreach (var image in images) Manifests.IsPinned(tags.TryGetValue(image, out var tag) ? $"{image}:{tag}" : image).ShouldBeTrue(image);
    }

    [Fact]
    public void No_secret_is_in_a_manifest_and_the_script_prints_each_that_is_referred_to()
    {
        Of("Secret").ShouldBeEmpty();
        var variables = All.SelectMany(document => document.Everything()).Where(entry => entry.Key == "env").SelectMany(entry => entry.Value.Items).ToList();
        variables.Where(variable => Manifests.IsSecretName(variable["name"].Text!)).ShouldAllBe(variable => !variable["value"].Exists);
        var referred = All.SelectMany(document => document.Everything())
            .SelectMany(entry => entry.Key is "secretRef" or "secretKeyRef" ? [entry.Value["name"].Text!] : entry.Key == "secretTargetRef" ? entry.Value.Items.Select(item => item["name"].Text!) : []).Distinct().ToList();
        var script = File.ReadAllText(Path.Combine(Manifests.Root, Folder, "secrets"));

        referred.Count.ShouldBeGreaterThan(8);
        foreach (var secret in referred)
            (script.Contains($"secret {secret} ", StringComparison.Ordinal) || Manifests.Services.Contains(secret["dml-".Length..], StringComparer.Ordinal)).ShouldBeTrue(secret);
    }

    [Fact]
    public void Every_variable_of_a_service_is_one_that_it_reads()
    {
        var servers = File.ReadLines(Path.Combine(Manifests.Root, Folder, "base", "servers.env")).Select(line => line.Split('=')[0]);
        var given = Deployments.Append(Common).SelectMany(deployment => Container(deployment)["env"].Items).Select(variable => variable["name"].Text!).Concat(servers).ToList();

        given.Count.ShouldBeGreaterThan(15);
        given.ShouldAllBe(variable => Manifests.IsRead(variable));
    }

    private static IReadOnlyList<Node> In(string folder) =>
        [.. Directory.GetFiles(Path.Combine(Manifests.Root, Folder, folder), "*.yaml").Where(file => Path.GetFileName(file) is not ("kustomization.yaml" or "dml.yaml"))
            .SelectMany(file => Manifests.Read(Path.GetRelativePath(Manifests.Root, file)))];

    private static IEnumerable<Node> Of(string kind) => Base.Where(document => document["kind"].Text == kind);

    private static string Name(Node document) => document["metadata"]["name"].Text!;

    private static Node Pod(Node document) => document["spec"]["template"]["spec"];

    private static Node Container(Node document) => Pod(document)["containers"].Items.First();
}
