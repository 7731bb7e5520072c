using System.Net.Sockets;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace DmlPipeline.Hosting.Messaging;

/// <summary>Connections beside MassTransit's: to declare queues before anything is sent, and to look into the error queues.</summary>
public static class RabbitMqConnection
{
    /// <exception cref="SettingException">The broker is there and refuses: user, password, virtual host or permission.</exception>
    /// <exception cref="IOException">The broker cannot be reached.</exception>
    public static async Task<IConnection> Open(BusSettings bus, CancellationToken cancel)
    {
        var factory = new ConnectionFactory
        {
            HostName = bus.Host!,
            Port = bus.Port,
            VirtualHost = bus.VirtualHost,
            UserName = bus.User,
            Password = bus.Password,
            ClientProvidedName = bus.ConnectionName,
            RequestedConnectionTimeout = TimeSpan.FromSeconds(10),
            Ssl = new SslOption { Enabled = bus.Tls, ServerName = bus.Host! },
        };
        IConnection? connection = null;
        try
        {
            connection = await factory.CreateConnectionAsync(cancel);
            // That a virtual host is missing or closed to this user shows only when something is asked for.
            await using (await connection.CreateChannelAsync(cancellationToken: cancel)) return connection;
        }
        catch (Exception e) when (e is BrokerUnreachableException or OperationInterruptedException)
        {
            if (connection is not null) await connection.DisposeAsync();
            throw Explain(bus, e);
        }
    }

    private static Exception Explain(BusSettings bus, Exception error)
    {
        var causes = Causes(error).ToList();
        // A broker that refuses says so; a connection that only broke amid the greeting (PossibleAuthenticationFailureException) may be let in next time.
        if (causes.OfType<AuthenticationFailureException>().Any())
            return new SettingException("bus-password", $"the broker at {bus} refuses user '{bus.User}' with this password", error);
        if (causes.OfType<OperationInterruptedException>().FirstOrDefault() is { ShutdownReason.ReplyCode: 530 } refused)
            return new SettingException("bus", $"the broker at {bus} does not let user '{bus.User}' into virtual host '{bus.VirtualHost}': {refused.ShutdownReason.ReplyText}", error);
        if (causes.OfType<SocketException>().FirstOrDefault() is { SocketErrorCode: SocketError.HostNotFound })
            return new SettingException("bus", $"there is no host '{bus.Host}'", error);
        return new IOException($"no broker answers at {bus} ({causes[^1].Message})", error);
    }

    private static IEnumerable<Exception> Causes(Exception error)
    {
        yield return error;
        var inner = error is AggregateException many ? many.InnerExceptions : error.InnerException is null ? [] : (IReadOnlyList<Exception>)[error.InnerException];
        foreach (var cause in inner.SelectMany(Causes)) yield return cause;
    }
}
