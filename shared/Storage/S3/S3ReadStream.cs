using System.Net;
using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;

namespace DmlPipeline.Storage.S3;

/// <summary>
/// Reads one object. A connection that breaks or stalls is taken up again where it stopped, on the same version of the object. Read from
/// beginning to end, its bytes are compared with the SHA-256 that was stored with them.
/// </summary>
internal sealed class S3ReadStream : Stream
{
    /// <summary>What is asked for after a seek: whoever jumps about reads little in each place.</summary>
    private const long Window = 4 << 20;

    private readonly S3Connection s3;
    private readonly string key;
    private readonly string etag;
    private readonly long length;
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private string? sha256;
    private GetObjectResponse? response;
    private long responseEnd;
    private long position;
    private long hashed;
    private bool jumps;
    private Patience? patience;

    private S3ReadStream(S3Connection s3, string key, string etag, long length, long position)
    {
        this.s3 = s3;
        this.key = key;
        this.etag = etag;
        this.length = length;
        this.position = position;
    }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => position;
        set => Seek(value, SeekOrigin.Begin);
    }

    /// <summary>As it was stored with the object; null when it was not.</summary>
    public string? Sha256 => sha256;

    /// <exception cref="FileNotFoundException">There is no such object.</exception>
    public static async Task<S3ReadStream> Open(S3Connection s3, string key, CancellationToken cancel)
    {
        try
        {
            var answer = await s3.Call("read", key, (client, token) => client.GetObjectAsync(s3.Bucket, key, token), cancel);
            var stream = new S3ReadStream(s3, key, answer.ETag.Trim('"'), answer.ContentLength, position: 0) { responseEnd = answer.ContentLength };
            stream.Take(answer);
            return stream;
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            throw ObjectKey.Missing(key);
        }
    }

    /// <summary>Opens exactly the version that was found, at a place inside it.</summary>
    /// <exception cref="StoreException">It has been replaced or deleted since.</exception>
    public static async Task<S3ReadStream> Open(S3Connection s3, StoredObject stored, long offset, CancellationToken cancel)
    {
        var stream = new S3ReadStream(s3, stored.Key, stored.ETag, stored.Bytes, offset);
        if (offset < stored.Bytes) await stream.Ask(cancel);
        return stream;
    }

    /// <summary>Whether the error says that the object is no more what it was.</summary>
    public static bool IsReplaced(StoreException error) => error.InnerException is AmazonS3Exception answer && S3Errors.IsAnswer(answer);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty || position >= length) return 0;
        while (true)
        {
            try
            {
                if (response is null || position >= responseEnd) await Ask(cancellationToken);
                var read = await ReadResponse(buffer, cancellationToken);
                patience = null;
                Advance(buffer.Span[..read]);
                return read;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is not StoreException && S3Errors.Passes(e))
            {
                DropResponse();
                patience ??= new Patience(s3.Settings.GiveUpAfter);
                if (!await patience.Wait(cancellationToken)) throw S3Errors.Explain(e, s3.Settings, "read", key);
            }
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // Decoders that know only synchronous reading run on threads that may wait; there is no context that this could lock.
    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override long Seek(long offset, SeekOrigin origin)
    {
        var target = origin switch { SeekOrigin.Begin => offset, SeekOrigin.Current => position + offset, _ => length + offset };
        ArgumentOutOfRangeException.ThrowIfNegative(target, nameof(offset));
        if (target == position) return position;
        DropResponse();
        jumps = true;
        return position = target;
    }

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            DropResponse();
            hash.Dispose();
        }
        base.Dispose(disposing);
    }

    private async Task Ask(CancellationToken cancel)
    {
        DropResponse();
        responseEnd = jumps ? Math.Min(length, position + Window) : length;
        var request = new GetObjectRequest { BucketName = s3.Bucket, Key = key, ByteRange = new ByteRange(position, responseEnd - 1), EtagToMatch = etag };
        try
        {
            Take(await s3.Call("read", key, (client, token) => client.GetObjectAsync(request, token), cancel));
        }
        catch (AmazonS3Exception e)
        {
            throw new StoreException(null, $"The object '{key}' was replaced or deleted while it was being read. Read it again.", e);
        }
    }

    private void Take(GetObjectResponse answer)
    {
        response = answer;
        sha256 = S3Metadata.Sha256(answer.Metadata);
    }

    private async Task<int> ReadResponse(Memory<byte> buffer, CancellationToken cancel)
    {
        using var stalled = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        stalled.CancelAfter(s3.Settings.StallTimeout);
        var most = (int)Math.Min(buffer.Length, responseEnd - position);
        var read = await response!.ResponseStream.ReadAsync(buffer[..most], stalled.Token);
        return read > 0 ? read : throw new IOException($"the connection ended {responseEnd - position:N0} bytes early");
    }

    private void Advance(ReadOnlySpan<byte> bytes)
    {
        if (hashed == position && sha256 is not null)
        {
            hash.AppendData(bytes);
            hashed += bytes.Length;
        }
        position += bytes.Length;
        if (hashed == length && position == length && sha256 is not null && Convert.ToHexStringLower(hash.GetHashAndReset()) != sha256)
            throw new StoreException(null, $"The object '{key}' is damaged: its bytes do not have the SHA-256 that was stored with them. Restore it from a backup.");
    }

    private void DropResponse()
    {
        response?.Dispose();
        response = null;
    }
}
