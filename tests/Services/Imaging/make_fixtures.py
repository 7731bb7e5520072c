"""Writes Fixtures/: small images of every kind that the decoder reads, and expected.json with their pixels.

Run with Debian's python3 and python3-pil: python3 make_fixtures.py
PNG files are written bit by bit here, and their expected pixels follow from the PNG specification; JPEG and WebP files
are written and decoded by Pillow.
"""
import base64
import io
import json
import pathlib
import struct
import zlib

from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent / "Fixtures"
WIDTH, HEIGHT = 23, 17
expected = {}


def luma(r, g, b):
    return (19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16


def over_white(value, alpha):
    exact = value * alpha + 255 * (255 - alpha)
    return (2 * exact + 255) // 510


def expect(name, width, height, rgb, grey=None):
    rgb = bytes(rgb)
    if grey is None:
        grey = bytes(luma(*rgb[i : i + 3]) for i in range(0, len(rgb), 3))
    expected[name] = {
        "width": width,
        "height": height,
        "rgb": base64.b64encode(rgb).decode(),
        "grey": base64.b64encode(bytes(grey)).decode(),
    }


# --- PNG ---------------------------------------------------------------------------------------------------------

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_row(samples, depth):
    if depth == 16:
        return b"".join(struct.pack(">H", s) for s in samples)
    if depth == 8:
        return bytes(samples)
    out, per = bytearray(), 8 // depth
    for i in range(0, len(samples), per):
        byte = 0
        for k, s in enumerate(samples[i : i + per]):
            byte |= s << (8 - depth * (k + 1))
        out.append(byte)
    return bytes(out)


def filtered(rows, depth, channels):
    """Filters none, sub and up in turn, so that all that matter for reading order are used."""
    step = max(1, depth * channels // 8)
    previous, out = bytes(len(rows[0])) if rows else b"", bytearray()
    for y, row in enumerate(rows):
        kind = y % 3
        out.append(kind)
        for x, value in enumerate(row):
            if kind == 1:
                value -= row[x - step] if x >= step else 0
            elif kind == 2:
                value -= previous[x]
            out.append(value & 255)
        previous = row
    return bytes(out)


def png(pixel, colour_type, depth, interlaced=False, before_data=()):
    """pixel(x, y) gives the tuple of samples."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data = b""
    for x0, y0, dx, dy in passes:
        rows = [
            pack_row([s for x in range(x0, WIDTH, dx) for s in pixel(x, y)], depth)
            for y in range(y0, HEIGHT, dy)
        ]
        if rows and rows[0]:
            data += filtered(rows, depth, channels)
    stream = zlib.compress(data, 9)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour_type, 0, 0, int(interlaced))
    half = len(stream) // 2
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(k, d) for k, d in before_data)
        + chunk(b"IDAT", stream[:half]) + chunk(b"IDAT", stream[half:]) + chunk(b"IEND", b"")
    )


def sample(x, y, channel, depth):
    top = (1 << depth) - 1
    if channel == 3:
        return (x * top) // (WIDTH - 1) if (x + y) % 5 else 0
    return ((x * (7 + channel) + y * (11 - 3 * channel)) * (top + 1) // 97) % (top + 1)


def eight(value, depth):
    return value >> 8 if depth == 16 else value * 255 // ((1 << depth) - 1)


def write_png(name, colour_type, depth, interlaced=False, transparent=None, extra=(), orientation=1):
    """transparent: the samples of the pixel that tRNS makes transparent (not for palettes)."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    palette = [((37 * i) % 256, (91 * i + 5) % 256, (200 - 11 * i) % 256) for i in range(1 << min(depth, 8))]
    palette_alpha = [(i * 40) % 256 for i in range(min(6, len(palette)))]

    def pixel(x, y):
        if colour_type == 4:
            return (sample(x, y, 0, depth), sample(x, y, 3, depth))
        return tuple(sample(x, y, c, depth) for c in range(channels))

    chunks = list(extra)
    if colour_type == 3:
        chunks.append((b"PLTE", b"".join(bytes(p) for p in palette)))
        if transparent:
            chunks.append((b"tRNS", bytes(palette_alpha)))
    elif transparent:
        transparent = pixel(*transparent)
        chunks.append((b"tRNS", b"".join(struct.pack(">H", s) for s in transparent)))
    if orientation != 1:
        tiff = b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0) + b"\0\0\0\0"
        chunks.append((b"eXIf", tiff))

    (HERE / name).write_bytes(png(pixel, colour_type, depth, interlaced, chunks))

    rgb, grey = bytearray(), bytearray()
    for y in range(HEIGHT):
        for x in range(WIDTH):
            p = pixel(x, y)
            alpha = 255
            if colour_type == 3:
                if transparent and p[0] < len(palette_alpha):
                    alpha = palette_alpha[p[0]]
                colour = palette[p[0]]
            else:
                colour = [eight(s, depth) for s in p]
                if colour_type in (4, 6):
                    alpha = colour[-1]
                elif transparent and p == transparent:
                    alpha = 0
                colour = colour[:3] if colour_type in (2, 6) else [colour[0]] * 3
            rgb += bytes(over_white(c, alpha) for c in colour)
            grey.append(over_white(luma(*colour), alpha))
    if orientation == 1:
        expect(name, WIDTH, HEIGHT, rgb, grey)
    else:
        turn = TRANSPOSES[orientation]
        pictures = [Image.frombytes(m, (WIDTH, HEIGHT), bytes(d)).transpose(turn) for m, d in (("RGB", rgb), ("L", grey))]
        expect(name, *pictures[0].size, pictures[0].tobytes(), pictures[1].tobytes())


TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def all_png():
    kinds = [(0, d) for d in (1, 2, 4, 8, 16)] + [(3, d) for d in (1, 2, 4, 8)] + [(t, d) for t in (2, 4, 6) for d in (8, 16)]
    names = {0: "grey", 2: "colour", 3: "palette", 4: "grey-alpha", 6: "colour-alpha"}
    for colour_type, depth in kinds:
        write_png(f"{names[colour_type]}-{depth}.png", colour_type, depth)
        write_png(f"{names[colour_type]}-{depth}-interlaced.png", colour_type, depth, interlaced=True)
        if colour_type in (0, 2, 3):
            write_png(f"{names[colour_type]}-{depth}-transparent.png", colour_type, depth, transparent=(3, 2))
    write_png("orientation-6.png", 2, 8, orientation=6)
    # libspng alone refuses a gAMA chunk that appears twice, and text after which nothing is wrong.
    write_png("odd-extras.png", 0, 8, extra=[(b"gAMA", struct.pack(">I", 45455))] * 2 + [(b"tEXt", b"Comment\0hello")])


# --- JPEG and WebP -----------------------------------------------------------------------------------------------

def picture(width=WIDTH, height=HEIGHT):
    image = Image.new("RGB", (width, height))
    image.putdata([
        ((x * 255) // width, (y * 255) // height, (x * y * 255) // (width * height))
        if (x // 5 + y // 4) % 3 else (230, 60 + x * 90 // width, 40)
        for y in range(height) for x in range(width)
    ])
    return image


def write_lossy(name, image, grey=None, **options):
    path = HERE / name
    image.save(path, **options)
    decoded = ImageOps.exif_transpose(Image.open(path))
    rgb = decoded
    if decoded.mode == "RGBA":
        pixels = list(decoded.getdata())
        rgb = Image.new("RGB", decoded.size)
        rgb.putdata([tuple(over_white(c, p[3]) for c in p[:3]) for p in pixels])
        grey = Image.new("L", decoded.size)
        grey.putdata([over_white(luma(*p[:3]), p[3]) for p in pixels])
    rgb = rgb.convert("RGB")
    if path.suffix == ".jpg" and decoded.mode == "RGB":
        # The decoder takes a JPEG's luma plane as it is stored.
        raw = Image.open(path)
        raw.draft("L", raw.size)
        exif = image.getexif() if "exif" not in options else options["exif"]
        grey = raw.convert("L")
        turn = TRANSPOSES.get(exif.get(0x0112, 1))
        grey = grey.transpose(turn) if turn is not None else grey
    expect(name, *rgb.size, rgb.tobytes(), grey.tobytes() if grey is not None else None)


def with_orientation(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def all_lossy():
    colour, grey = picture(), picture().convert("L")
    write_lossy("colour-444.jpg", colour, quality=90, subsampling=0)
    write_lossy("colour-420.jpg", colour, quality=90, subsampling=2)
    write_lossy("progressive.jpg", colour, quality=85, progressive=True)
    write_lossy("grey.jpg", grey, quality=90)
    write_lossy("one-pixel.jpg", picture(1, 1), quality=90)
    write_lossy("cmyk.jpg", colour.convert("CMYK"), quality=90)
    write_lossy("large.jpg", picture(120, 90), quality=90)
    for value in range(1, 9):
        write_lossy(f"orientation-{value}.jpg", colour, quality=90, exif=with_orientation(value))

    alpha = colour.convert("RGBA")
    alpha.putalpha(Image.linear_gradient("L").resize(colour.size))
    write_lossy("lossless.webp", colour, lossless=True)
    write_lossy("lossy.webp", colour, quality=80)
    write_lossy("lossless-alpha.webp", alpha, lossless=True, exact=True)
    write_lossy("lossy-alpha.webp", alpha, quality=80)
    write_lossy("orientation-8.webp", colour, lossless=True, exif=with_orientation(8))
    # Not to be decoded, so nothing is expected of it.
    colour.save(HERE / "animated.webp", save_all=True, append_images=[ImageOps.mirror(colour)], duration=100, lossless=True)


HERE.mkdir(exist_ok=True)
for old in HERE.iterdir():
    old.unlink()
all_png()
all_lossy()
(HERE / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")
print(len(expected), "images,", sum(p.stat().st_size for p in HERE.iterdir()), "bytes")
